/**
 * JSIS-CSV, in which synchrophasors are exchanged: names, types, units and descriptions above the
 * data, seconds since a start that the name of the file says (docs/importing.md).
 *
 * @module
 */

import { readRecords } from "./records.ts";

/** Types of columns that every file has some of. */
const TYPE = /^([VI][PABC][MA]|[FPQD])$/;
/** Start in the name of a file: `STATION_yyyymmdd_hhmmss`. */
const START = /(?:^|_)(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})(\d{2})(?=[._]|$)/;

/** Known facts of a JSIS-CSV. */
export interface JsisTable {
  /** First time, ns; absent where the name of the file does not say it. */
  readonly start: bigint | undefined;
  /** Rows a second; absent where they are fewer than five. */
  readonly rate: number | undefined;
}

/**
 * Looks for the rows above the data that make a JSIS-CSV.
 *
 * @param text The beginning of the file.
 * @param name Name of the file.
 */
export function jsisTable(text: string, name: string): JsisTable | undefined {
  const look = { delimiter: ",", blanks: false, comment: undefined, limit: 6 };
  const [names, types, units, words, first, second] = readRecords(text.slice(0, 1 << 22), look);
  if (first === undefined) return undefined;
  const width = names!.cells.length;
  if ([types, units, words].some((row) => row!.cells.length !== width)) return undefined;
  const codes = types!.cells.slice(1).filter((cell) => TYPE.test(cell)).length;
  if (codes * 2 < width - 1 || codes === 0) return undefined;
  const at = Number(first.cells[0]);
  if (first.cells[0] === "" || !Number.isFinite(at)) return undefined;
  const found = START.exec(name.split(/[/\\]/).at(-1)!);
  const [year, month, day, hour, minute, second_] = (found ?? []).slice(1).map(Number);
  const start = found === null
    ? undefined
    : BigInt(Date.UTC(year!, month! - 1, day!, hour!, minute!, second_!)) * 1_000_000n;
  const step = Number(second?.cells[0]) - at;
  const rate = Math.round(1 / step / 10) * 10;
  return { start, rate: rate > 0 && Number.isFinite(rate) ? rate : undefined };
}
