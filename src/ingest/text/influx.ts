/**
 * Annotated CSV, as InfluxDB writes it: rows of `#group`, `#datatype` and `#default`, then a header,
 * then a long table whose group columns name the streams.
 *
 * @module
 */

import { optionError } from "../errors.ts";
import type { OmittedColumn } from "../source.ts";
import { splitCells } from "./records.ts";

/** Columns that are neither time, nor value, nor part of a name. */
const OWN = ["", "result", "table", "_start", "_stop", "_time"];

/** Layout of an annotated CSV. */
export interface InfluxTable {
  readonly names: string[];
  readonly headerLines: number;
  readonly header: string;
  readonly time: number;
  readonly timeFormat: string;
  readonly values: readonly number[];
  /** Columns whose texts together name a stream. */
  readonly by: readonly number[];
  readonly omitted: readonly OmittedColumn[];
}

/**
 * Looks for the rows above the data that make an annotated CSV.
 *
 * @param head The beginning of the file.
 * @throws {ImportError} If it has no times or no numbers.
 */
export function influxTable(head: string): InfluxTable | undefined {
  const marks = new Map<string, string[]>();
  let lines = 0;
  let at = 0;
  let header = "";
  while (at < head.length) {
    const end = head.indexOf("\n", at);
    const line = head.slice(at, end < 0 ? head.length : end).replace(/\r$/, "").replace(
      /^\uFEFF/,
      "",
    );
    at = end < 0 ? head.length : end + 1;
    lines++;
    if (line.startsWith("#")) {
      const cells = splitCells(line, ",");
      marks.set(cells[0]!, cells);
    } else if (line.trim() !== "") {
      header = line;
      break;
    }
  }
  const names = splitCells(header, ",");
  const annotated = marks.has("#datatype") || marks.has("#group");
  if (!annotated && !(names[1] === "result" && names[2] === "table")) return undefined;
  const types = marks.get("#datatype") ?? [];
  const group = marks.get("#group");
  const time = names.indexOf("_time");
  if (time < 0) throw optionError("Cannot import annotated CSV: there is no column _time");
  const isNumber = (i: number): boolean =>
    /^(double|long|unsignedLong)$/.test(types[i] ?? "double");
  const value = names.indexOf("_value");
  const values = value >= 0
    ? [value]
    : names.flatMap((name, i) => !OWN.includes(name) && isNumber(i) ? [i] : []);
  if (values.length === 0 || !values.every(isNumber)) {
    throw optionError(
      `Cannot import annotated CSV: ${
        values.length === 0 ? "no column has numbers" : `_value is ${types[value]}, no number`
      }`,
    );
  }
  const isPart = (name: string, i: number): boolean =>
    !OWN.includes(name) && !values.includes(i) && (group === undefined || group[i] === "true");
  const parts = names.flatMap((name, i) => isPart(name, i) ? [i] : []);
  const rank = (i: number): number =>
    names[i] === "_measurement" ? 0 : names[i] === "_field" ? 2 : 1;
  const omitted = names.flatMap((name, i) =>
    OWN.includes(name) || values.includes(i) || parts.includes(i)
      ? []
      : [{ name, reason: `${types[i] ?? "text"} that is not in the group key` }]
  );
  return {
    names,
    headerLines: lines,
    header,
    time,
    timeFormat: types[time] === "dateTime:number" ? "ns" : "rfc3339",
    values,
    by: parts.sort((a, b) => rank(a) - rank(b)),
    omitted,
  };
}
