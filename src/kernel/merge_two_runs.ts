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

/** Points with a third number each: times, values, third numbers. */
export type ThreeColumns = readonly [BigInt64Array, Float64Array, Float64Array];

/**
 * As {@linkcode mergeTwoRuns}, of points with a third number each, to columns that are there.
 *
 * @param out Columns of which those from `at` on are written.
 */
export function mergeThreeColumns(
  a: ThreeColumns,
  b: ThreeColumns,
  out: ThreeColumns,
  at: number,
): void {
  const na = a[0].length, nb = b[0].length, n = na + nb;
  const columnA = columnBytes(na), columnB = columnBytes(nb), column = columnBytes(n);
  const m = extendedArena(3 * (columnA + columnB + column));
  const runA = m.base, runB = runA + 3 * columnA, merged = runB + 3 * columnB;
  m.i64.set(a[0], runA >>> 3);
  m.i64.set(b[0], runB >>> 3);
  for (const c of [1, 2] as const) {
    m.f64.set(a[c], (runA + c * columnA) >>> 3);
    m.f64.set(b[c], (runB + c * columnB) >>> 3);
  }
  m.exports.mergeThreeColumns(runA, columnA, na, runB, columnB, nb, merged, column);
  out[0].set(m.i64.subarray(merged >>> 3, (merged >>> 3) + n), at);
  for (const c of [1, 2] as const) {
    const first = (merged + c * column) >>> 3;
    out[c].set(m.f64.subarray(first, first + n), at);
  }
}
