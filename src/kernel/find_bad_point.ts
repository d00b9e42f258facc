/**
 * Looking for the first element of a column that is not as it should be.
 *
 * @module
 */

import { type RawColumns, sliceRaw } from "../core/columns.ts";
import { checkRaw, checkTime, checkTimes } from "./arguments.ts";
import { type Arena, arena, CHUNK } from "./arena.ts";

/** The first bad point and what is bad about it: its time, or a value that is NaN or infinite. */
export interface BadPoint {
  /** Index into the columns. */
  index: number;
  reason: "time" | "nan" | "infinite";
}

const MIN_INT64 = -(1n << 63n);

/** Runs `find` over chunks of `column`; the first index it finds, or -1. */
function scan(
  column: BigInt64Array | Float64Array,
  find: (a: Arena, n: number) => number,
): number {
  for (let at = 0; at < column.length; at += CHUNK) {
    const n = Math.min(CHUNK, column.length - at);
    const a = arena(8 * n);
    // A view costs more than the rest where points are few.
    const part = n === column.length ? column : column.subarray(at, at + n);
    if (part instanceof BigInt64Array) a.i64.set(part, a.base >>> 3);
    else a.f64.set(part, a.base >>> 3);
    const found = find(a, n);
    if (found < n) return at + found;
  }
  return -1;
}

/**
 * Index of the first time outside `[min, max)`, or -1.
 *
 * @param times ns since the Unix epoch, UTC.
 * @param min Smallest time allowed.
 * @param max End of the times allowed, exclusive.
 */
export function findBadTime(times: BigInt64Array, min: bigint, max: bigint): number {
  checkTimes("check points", times);
  checkTime("check points", "min", min);
  checkTime("check points", "max", max);
  return scan(times, (a, n) => a.exports.firstOutside(a.base, n, min, max));
}

/**
 * Index of the first NaN or infinity, or -1.
 *
 * @param values Values.
 */
export function findBadValue(values: Float64Array): number {
  return scan(values, (a, n) => a.exports.firstNotFinite(a.base, n));
}

/**
 * The first point whose time is outside `[min, max)` or whose value is NaN or infinite.
 *
 * @param columns Points.
 * @param min Smallest time allowed.
 * @param max End of the times allowed, exclusive.
 * @returns Its index, and what is bad about it (the time, if both are); `undefined` if all are
 * fine.
 */
export function findBadPoint(
  columns: RawColumns,
  min: bigint,
  max: bigint,
): BadPoint | undefined {
  checkRaw("check points", columns);
  return withBadValue(columns, findBadTime(columns.times, min, max));
}

/** The first bad point, of which the first one with a bad time is known; -1: there is none. */
function withBadValue(columns: RawColumns, time: number): BadPoint | undefined {
  const value = findBadValue(time < 0 ? columns.values : columns.values.subarray(0, time));
  if (value >= 0) {
    return { index: value, reason: Number.isNaN(columns.values[value]) ? "nan" : "infinite" };
  }
  return time < 0 ? undefined : { index: time, reason: "time" };
}

/** Result of {@linkcode inspectPoints}. */
export interface Inspection {
  /** As {@linkcode findBadPoint}. */
  readonly bad: BadPoint | undefined;
  /** True if the times ascend, as {@linkcode isSorted}. */
  readonly isSorted: boolean;
}

/**
 * Looks for the first bad point and at the order: of times that ascend the first and the last one say
 * whether all are in range.
 *
 * @param columns Points.
 * @param min Smallest time allowed.
 * @param max End of the times allowed, exclusive.
 */
export function inspectPoints(columns: RawColumns, min: bigint, max: bigint): Inspection {
  checkRaw("check points", columns);
  const { times } = columns;
  const sorted = isSorted(times);
  const n = times.length;
  const isInRange = sorted && (n === 0 || times[0]! >= min && times[n - 1]! < max);
  const time = isInRange ? -1 : findBadTime(times, min, max);
  return { bad: withBadValue(columns, time), isSorted: sorted };
}

/**
 * As {@linkcode inspectPoints}, in steps of at most 65,536 points. Once a point is bad nothing is said
 * of the order.
 *
 * @param columns Points; they must stay as they are until the last step.
 * @param min Smallest time allowed.
 * @param max End of the times allowed, exclusive.
 * @returns Yields between steps.
 */
export function* inspectPointsInSteps(
  columns: RawColumns,
  min: bigint,
  max: bigint,
): Generator<undefined, Inspection> {
  const n = columns.times.length;
  let sorted = true;
  for (let from = 0; from < n; from += CHUNK) {
    if (from > 0) yield;
    const chunk = n <= CHUNK ? columns : sliceRaw(columns, from, Math.min(n, from + CHUNK));
    const { bad, isSorted } = inspectPoints(chunk, min, max);
    if (bad !== undefined) return { bad: { ...bad, index: from + bad.index }, isSorted: false };
    sorted &&= isSorted && (from === 0 || columns.times[from - 1]! <= chunk.times[0]!);
  }
  return { bad: undefined, isSorted: sorted };
}

/**
 * Tells whether times ascend; equal ones may follow each other.
 *
 * @param times ns since the Unix epoch, UTC.
 * @throws {TypeError} If `times` is not a `BigInt64Array`, or detached.
 *
 * @example Look before sorting
 * ```ts
 * import { isSorted } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isSorted(BigInt64Array.of(1n, 2n, 2n)), true);
 * assertEquals(isSorted(BigInt64Array.of(2n, 1n)), false);
 * ```
 */
export function isSorted(times: BigInt64Array): boolean {
  checkTimes("check the order", times);
  if (times.length <= 1) return true;
  let last = MIN_INT64;
  return scan(times, (a, n) => {
    const found = a.exports.firstUnsorted(a.base, n, last);
    last = a.i64[(a.base >>> 3) + n - 1]!;
    return found;
  }) < 0;
}
