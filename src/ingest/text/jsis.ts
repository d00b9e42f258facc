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
  const look = { delimiter: ",", blanks: false, comment: undefined, limit: 4 + RATE_ROWS };
  const [names, types, units, words, ...rows] = readRecords(text.slice(0, 1 << 22), look);
  const [first] = rows;
  if (first === undefined) return undefined;
  const width = names!.cells.length;
  if ([types, units, words].some((row) => row!.cells.length !== width)) return undefined;
  const codes = types!.cells.slice(1).filter((cell) => TYPE.test(cell)).length;
  if (codes * 2 < width - 1 || codes === 0) return undefined;
  const times = rows.map(({ cells: [cell = ""] }) => cell === "" ? NaN : Number(cell));
  if (!Number.isFinite(times[0])) return undefined;
  return { start: startOf(name.split(/[/\\]/).at(-1)!), rate: rateOf(times) };
}

/** The start that a name says; none if there is no such day or hour. */
function startOf(name: string): bigint | undefined {
  const [year, month, day, hour, minute, second] = (START.exec(name) ?? []).slice(1);
  if (second === undefined) return undefined;
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const ms = Date.parse(text);
  // Of a 30th of February some runtimes make the first of March.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== text) return undefined;
  return BigInt(ms) * 1_000_000n;
}

/** Rows from which the rate is taken. */
const RATE_ROWS = 60;
/** Relative difference from a multiple of ten, and from a whole number, of times with few digits. */
const [TEN_TOLERANCE, ONE_TOLERANCE] = [0.025, 0.001];

/** The rate of most rows, if it is one that devices have; a whole number of at least five. */
function rateOf(times: readonly number[]): number | undefined {
  const steps = times.slice(1).map((time, i) => time - times[i]!).filter((step) => step > 0);
  const step = steps.sort((a, b) => a - b)[steps.length >> 1];
  if (step === undefined) return undefined;
  const exact = 1 / step;
  const [ten, one] = [10 * Math.round(exact / 10), Math.round(exact)];
  if (Math.abs(exact - ten) <= TEN_TOLERANCE * ten) return ten;
  return one >= 5 && Math.abs(exact - one) <= ONE_TOLERANCE * one ? one : undefined;
}
