/**
 * Merging sorted runs of points.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { columnBytes } from "./arena.ts";
import { extendedArena } from "./extended_arena.ts";

/**
 * Two runs in order of time as one; at equal times the points of `a` come first.
 *
 * @param a Sorted points.
 * @param b Sorted points.
 * @returns Columns of their own.
 */
export function mergeTwoRuns(a: RawColumns, b: RawColumns): RawColumns {
  const na = a.times.length, nb = b.times.length, n = na + nb;
  const columnA = columnBytes(na), columnB = columnBytes(nb), column = columnBytes(n);
  const m = extendedArena(2 * (columnA + columnB + column));
  const aTimes = m.base, aValues = aTimes + columnA;
  const bTimes = aValues + columnA, bValues = bTimes + columnB;
  const times = bValues + columnB, values = times + column;
  m.i64.set(a.times, aTimes >>> 3);
  m.f64.set(a.values, aValues >>> 3);
  m.i64.set(b.times, bTimes >>> 3);
  m.f64.set(b.values, bValues >>> 3);
  m.exports.mergeTwoRuns(aTimes, aValues, na, bTimes, bValues, nb, times, values);
  return {
    times: m.i64.slice(times >>> 3, (times >>> 3) + n),
    values: m.f64.slice(values >>> 3, (values >>> 3) + n),
  };
}
