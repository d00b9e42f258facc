/**
 * How a table of text looks: delimiter, header, which column is the time and in which form.
 *
 * @module
 */

import { ImportError, optionError } from "../errors.ts";
import { nearest } from "../../core/suggest.ts";

/** How a table looks; plain data, because a record of interrupted work keeps it. */
export interface TableLayout {
  delimiter: string;
  decimal: "." | ",";
  /** Lines before the first row of data. */
  headerLines: number;
  /** Names of all columns. */
  names: string[];
  roles: ("time" | "value" | "skip")[];
  timeFormat: string;
  /** Time zone of times that do not say theirs. */
  tz: string;
  /** Rows without times: first time and distance, ns. */
  times?: { first: string; step: string };
}

/** What the user says about it; what is absent is found out. */
export interface LayoutWishes {
  delimiter?: string | undefined;
  decimal?: "." | "," | undefined;
  header?: boolean | undefined;
  skipLines: number;
  time?: string | undefined;
  timeFormat?: string | undefined;
  columns: readonly string[];
  tz: string;
  times?: { first: string; step: string } | undefined;
}

/** A notice to the user. */
export type Notice = (text: string) => void;

const BTRDB_NAMES = ["Timestamp (ns)", "Human-Readable Time (UTC)"];
const STATISTIC = / \((Min|Mean|Max|Count)\)$/;
const TIME_NAME = /time|date|epoch|^ts$|^t$/i;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const COMMA_NUMBER = /^[+-]?\d+,\d+$/;
const GAP = /^(nan|na|n\/a|null|none|-|)$/i;
const CALENDAR =
  /^\d{4}[-/]\d{2}[-/]\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|UTC|[+-]\d{2}(:?\d{2})?)?)?$/i;

/** Rows looked at to find out what the columns are. */
const SAMPLE_ROWS = 100;

/**
 * Finds out how a table looks.
 *
 * @param head The beginning of the file.
 * @param wishes What the user says.
 * @param notice Is told what was left out.
 * @throws {ImportError} If it cannot be found out.
 */
export function detectLayout(head: string, wishes: LayoutWishes, notice: Notice): TableLayout {
  const lines = head.replace(/^\uFEFF/, "").split("\n").map((line) => line.replace(/\r$/, ""));
  const skipped = lines.slice(wishes.skipLines);
  const leading = skipped.findIndex((line) => line.trim() !== "");
  const first = skipped[leading];
  if (first === undefined) throw new ImportError("Cannot import: the file is empty");
  const delimiter = wishes.delimiter ?? guessDelimiter(first);
  const decimal = wishes.decimal ?? ".";
  const cells = splitCells(first, delimiter);
  const header = wishes.header ?? cells.some((cell) => isName(cell, decimal));
  const names = header ? cells : cells.map((_, i) => `column${i + 1}`);
  const rows = skipped.slice(leading + (header ? 1 : 0)).filter((line) => line !== "")
    .slice(0, SAMPLE_ROWS).map((line) => splitCells(line, delimiter));
  if (rows.length === 0) throw new ImportError("Cannot import: there are no rows after the header");
  const time = timeColumn(names, wishes);
  const timeFormat = time === undefined ? "ns" : wishes.timeFormat ?? guessTime(names, rows, time);
  const roles = chooseRoles(names, rows, time, decimal, wishes, notice);
  const layout: TableLayout = {
    delimiter,
    decimal,
    headerLines: wishes.skipLines + leading + (header ? 1 : 0),
    names,
    roles,
    timeFormat,
    tz: wishes.tz,
  };
  if (wishes.times !== undefined) layout.times = wishes.times;
  return layout;
}

/** Whether a cell of the first line can only be a name. */
function isName(cell: string, decimal: string): boolean {
  return /[a-z]/i.test(cell) && !isValue(cell, decimal) && !CALENDAR.test(cell) &&
    !/\d{2}:\d{2}/.test(cell);
}

function isGap(cell: string): boolean {
  return GAP.test(cell.trim());
}

function isValue(cell: string, decimal: string): boolean {
  const text = cell.trim();
  return isGap(text) || NUMBER.test(decimal === "," ? text.replace(",", ".") : text);
}

/** The candidate that the line contains most often. */
function guessDelimiter(line: string): string {
  const outside = line.replace(/"[^"]*"/g, "");
  const counts = [",", ";", "\t", "|"].map((d) => ({ d, n: outside.split(d).length - 1 }));
  return counts.reduce((best, one) => one.n > best.n ? one : best).d;
}

/** The cells of a line, without quotes and padding. */
export function splitCells(line: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c === '"') {
      if (quoted && line[i + 1] === '"') cell += line[++i];
      else quoted = !quoted;
    } else if (c === delimiter && !quoted) {
      cells.push(cell.trim());
      cell = "";
    } else {
      cell += c;
    }
  }
  return [...cells, cell.trim()];
}

/** The column of a name or of a number from 1. */
function findColumn(names: readonly string[], text: string, option: string): number {
  const exact = names.indexOf(text);
  if (exact >= 0 && names.indexOf(text, exact + 1) < 0) return exact;
  if (exact >= 0) {
    const numbers = names.flatMap((name, i) => name === text ? [i + 1] : []);
    throw optionError(
      `Cannot use ${option} ${text}: columns ${numbers.join(" and ")} are called so`,
      `say the number, for example ${option} ${numbers[0]}`,
    );
  }
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= names.length) return number - 1;
  const near = nearest(text, names);
  throw optionError(
    `Cannot use ${option} ${text}: there is no such column`,
    near.length > 0 ? `did you mean ${near.join(" or ")}?` : `columns are ${names.join(", ")}`,
  );
}

function timeColumn(names: readonly string[], wishes: LayoutWishes): number | undefined {
  if (wishes.times !== undefined) return undefined;
  if (wishes.time !== undefined) return findColumn(names, wishes.time, "--time");
  if (isBtrdbTable(names)) return 0;
  const named = names.findIndex((name) => TIME_NAME.test(name));
  return named >= 0 ? named : 0;
}

/** Whether the names are those of a CSV that BTrDB writes. */
export function isBtrdbTable(names: readonly string[]): boolean {
  return BTRDB_NAMES.every((name, i) => names[i] === name);
}

/** The form of times, by the name of the column or by how large the numbers are. */
function guessTime(names: readonly string[], rows: readonly string[][], column: number): string {
  const said = /[([_ ](ns|us|ms|s)[)\]]?$/i.exec(names[column]!)?.[1]?.toLowerCase();
  const cell = rows[0]?.[column] ?? "";
  if (said !== undefined && (NUMBER.test(cell) || cell === "")) return said;
  if (CALENDAR.test(cell)) return "rfc3339";
  if (/^-?\d+(\.\d+)?$/.test(cell)) {
    const size = Math.abs(Number(cell));
    if (size >= 1e17) return "ns";
    if (size >= 1e14) return "us";
    if (size >= 1e11) return "ms";
    if (size >= 1e8) return "s";
  }
  throw optionError(
    `Cannot tell what ${JSON.stringify(cell)} in column ${names[column]} means as a time`,
    "say --time-format ns, us, ms, s, rfc3339 or a pattern like '%d.%m.%Y %H:%M:%S', or another " +
      "column with --time; --skip N passes over lines before the header",
  );
}

function chooseRoles(
  names: readonly string[],
  rows: readonly string[][],
  time: number | undefined,
  decimal: string,
  wishes: LayoutWishes,
  notice: Notice,
): TableLayout["roles"] {
  const wanted = new Set(wishes.columns.map((text) => findColumn(names, text, "--column")));
  const left: string[] = [];
  let commas = false;
  const roles = names.map((name, i): "time" | "value" | "skip" => {
    if (i === time) return "time";
    if (wanted.size > 0) return wanted.has(i) ? "value" : "skip";
    if (isBtrdbTable(names)) return i === 1 ? "skip" : "value";
    const cells = rows.map((row) => row[i] ?? "");
    // The name again is the header of another table behind this one.
    const strange = cells.filter((cell) => !isValue(cell, decimal) && cell !== name);
    // Some text among numbers is a mistake, which the parser reports with its line.
    const numbers = cells.filter((cell) => isValue(cell, decimal) && !isGap(cell));
    if (strange.length === 0 || numbers.length > strange.length) return "value";
    left.push(`${name} (${JSON.stringify(strange[0]!.slice(0, 30))})`);
    if (decimal === "." && strange.every((cell) => COMMA_NUMBER.test(cell))) commas = true;
    return "skip";
  });
  if (wanted.size === 0 && names.some((name) => STATISTIC.test(name))) {
    throw optionError(
      "Cannot import windows: statistics cannot be turned back into points",
      "to store one of the columns as points anyway, name it with --column",
    );
  }
  if (left.length > 0) {
    const hint = commas && roles.includes("value") ? "; for numbers like 1,5 say --decimal ," : "";
    notice(`Left out, because there is text in them: ${left.join(", ")}${hint}`);
  }
  if (!roles.includes("value")) {
    throw optionError(
      "Cannot import: there is no column of values",
      commas ? "for numbers like 1,5 say --decimal ," : "see --column and --delimiter",
    );
  }
  return roles;
}
