/**
 * Epoch numbers that nobody gave a unit, and that fit another one than they are read in.
 *
 * @module
 */

import { formatTime } from "../core/time.ts";
import { type ImportError, optionError } from "./errors.ts";

/** ns of the units that are mistaken for ns, as `--time-format` has them. */
const UNITS = [["s", 1_000_000_000n], ["ms", 1_000_000n], ["us", 1_000n]] as const;

const NS_PER_MS = 1_000_000n;
const EARLIEST = BigInt(Date.UTC(1990, 0)) * NS_PER_MS;
const LATEST = BigInt(Date.UTC(2100, 0)) * NS_PER_MS;

/**
 * The error for times that are within seven weeks of 1970 in ns, and between 1990 and 2100 in another
 * unit.
 *
 * @param what Has the times, in the message: `"column time_ns"`.
 * @param first Earliest of them, ns.
 * @param last Latest of them, ns.
 * @returns `undefined` if no other unit fits them all.
 */
export function otherUnit(what: string, first: bigint, last: bigint): ImportError | undefined {
  const fits = (ns: bigint): boolean => ns >= EARLIEST && ns < LATEST;
  const unit = UNITS.find(([, scale]) => fits(first * scale) && fits(last * scale));
  if (unit === undefined) return undefined;
  const [name, scale] = unit;
  return optionError(
    `Cannot import ${what}: the earliest time is ${first}, which is ${formatTime(first)} in ns, ` +
      `and ${formatTime(first * scale)} in ${name}`,
    `say --time-format ${name}, or --time-format ns if they are times of 1970`,
  );
}

/**
 * Refuses a column of numbers whose name says ns where another unit fits.
 *
 * @param column Its name.
 * @param cells Its first cells.
 * @throws {ImportError} If all of them are times between 1990 and 2100 in another unit.
 */
export function refuseOtherUnit(column: string, cells: readonly string[]): void {
  if (!cells.every((cell) => /^\d{1,19}$/.test(cell))) return;
  const times = cells.map(BigInt);
  const [first] = times;
  if (first === undefined) return;
  const earliest = times.reduce((least, time) => time < least ? time : least, first);
  const latest = times.reduce((most, time) => time > most ? time : most, first);
  const error = otherUnit(`column ${column}`, earliest, latest);
  if (error !== undefined) throw error;
}
