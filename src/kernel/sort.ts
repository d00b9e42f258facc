/**
 * Stable sort of points by time.
 *
 * Short inputs are sorted by the core at once. Longer ones are first distributed, by the highest
 * bits of their time, to buckets that are short: chunk by chunk in the core, the chunk's share of
 * each bucket copied to where it belongs. A bucket that is still too long is distributed again, by
 * bits below. So WASM memory stays the same however long the input is.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { checkRaw } from "./arguments.ts";
import { arena, columnBytes } from "./arena.ts";
import { isSorted } from "./check.ts";

/** Longest run sorted at once: input and output stay in the second-level cache. */
const RUN = 16_384;
/** Points per chunk of a distribution. */
const CHUNK = 262_144;
/** Most buckets of a distribution, as bits. */
const MAX_BITS = 10;
/** Room for the core's counters: 2^13 + 1 of them. */
const COUNTER_BYTES = 4 * 8_256;

/** Where the parts of the arena are, for runs or chunks of `n` points. */
function layout(n: number) {
  const column = columnBytes(n);
  return {
    bytes: COUNTER_BYTES + 4 * column,
    times: COUNTER_BYTES,
    values: COUNTER_BYTES + column,
    toTimes: COUNTER_BYTES + 2 * column,
    toValues: COUNTER_BYTES + 3 * column,
  };
}

/**
 * Points in order of time. Points of equal time keep their order.
 *
 * @param columns Points in any order; not changed.
 * @returns Columns of their own, or `columns` itself if they are in order already.
 * @throws {TypeError} If a column is not of its type, or detached.
 * @throws {RangeError} If the columns differ in length.
 */
export function sortPoints(columns: RawColumns): RawColumns {
  checkRaw("sort points", columns);
  if (isSorted(columns.times)) return columns;
  const { length } = columns.times;
  const sorted: RawColumns = {
    times: new BigInt64Array(length),
    values: new Float64Array(length),
  };
  sortRange(columns, 0, length, sorted, 0);
  return sorted;
}

/** Sorts the points `[from, to)` of `source` to `target`, from `at` on. */
function sortRange(
  source: RawColumns,
  from: number,
  to: number,
  target: RawColumns,
  at: number,
): void {
  if (to - from <= RUN) sortRun(source, from, to, target, at);
  else distribute(source, from, to, target, at);
}

/** Sorts points that fit one call of the core. */
function sortRun(
  source: RawColumns,
  from: number,
  to: number,
  target: RawColumns,
  at: number,
): void {
  const n = to - from;
  if (n === 0) return;
  const parts = layout(RUN);
  const a = arena(parts.bytes);
  const times = a.base + parts.times, values = a.base + parts.values;
  const toTimes = a.base + parts.toTimes, toValues = a.base + parts.toValues;
  a.i64.set(source.times.subarray(from, to), times >>> 3);
  a.f64.set(source.values.subarray(from, to), values >>> 3);
  const moved = a.exports.sortRun(times, values, n, toTimes, toValues, a.base) === 1;
  const t = (moved ? toTimes : times) >>> 3, v = (moved ? toValues : values) >>> 3;
  target.times.set(a.i64.subarray(t, t + n), at);
  target.values.set(a.f64.subarray(v, v + n), at);
}

/** Smallest and largest time of the points `[from, to)`. */
function timeRange(times: BigInt64Array, from: number, to: number): { min: bigint; max: bigint } {
  let min = times[from]!, max = min;
  for (let i = from; i < to; i += CHUNK) {
    const n = Math.min(CHUNK, to - i);
    const a = arena(64 + 8 * n);
    a.i64.set(times.subarray(i, i + n), (a.base + 64) >>> 3);
    a.exports.timeRange(a.base + 64, n, a.base);
    const low = a.i64[a.base >>> 3]!, high = a.i64[(a.base >>> 3) + 1]!;
    if (low < min) min = low;
    if (high > max) max = high;
  }
  return { min, max };
}

/** Distributes the points `[from, to)` to buckets in `target`, then sorts each. */
function distribute(
  source: RawColumns,
  from: number,
  to: number,
  target: RawColumns,
  at: number,
): void {
  const { min, max } = timeRange(source.times, from, to);
  const bits = (max - min).toString(2).length;
  const wanted = Math.ceil(Math.log2((to - from) / (RUN / 2)));
  const taken = Math.min(MAX_BITS, Math.max(1, wanted), bits);
  const plan: Distribution = { min, shift: bits - taken, buckets: 1 << taken };
  const starts = countBuckets(source.times, from, to, plan);
  for (let b = 0; b <= plan.buckets; b++) starts[b]! += at;
  const next = starts.slice();
  for (let i = from; i < to; i += CHUNK) {
    distributeChunk(source, i, Math.min(i + CHUNK, to), target, next, plan);
  }
  if (max > min && plan.shift > 0) sortBuckets(target, starts, plan.buckets);
}

/** Bucket of a time: `(time - min) >> shift`. */
interface Distribution {
  readonly min: bigint;
  readonly shift: number;
  readonly buckets: number;
}

/** Where each bucket begins, counted from 0; one more for the end of the last. */
function countBuckets(
  times: BigInt64Array,
  from: number,
  to: number,
  { min, shift, buckets }: Distribution,
): Float64Array {
  const counts = new Float64Array(buckets + 1);
  for (let i = from; i < to; i += CHUNK) {
    const n = Math.min(CHUNK, to - i);
    const a = arena(COUNTER_BYTES + 8 * n);
    const counters = a.base >>> 2;
    a.u32.fill(0, counters, counters + buckets);
    a.i64.set(times.subarray(i, i + n), (a.base + COUNTER_BYTES) >>> 3);
    a.exports.countBuckets(a.base + COUNTER_BYTES, n, min, shift, a.base);
    for (let b = 0; b < buckets; b++) counts[b + 1]! += a.u32[counters + b]!;
  }
  for (let b = 0; b < buckets; b++) counts[b + 1]! += counts[b]!;
  return counts;
}

/** Appends the points `[from, to)` to their buckets, whose ends are in `next`. */
function distributeChunk(
  source: RawColumns,
  from: number,
  to: number,
  target: RawColumns,
  next: Float64Array,
  { min, shift, buckets }: Distribution,
): void {
  const parts = layout(CHUNK);
  const a = arena(parts.bytes);
  const times = a.base + parts.times, values = a.base + parts.values;
  const toTimes = a.base + parts.toTimes, toValues = a.base + parts.toValues;
  a.i64.set(source.times.subarray(from, to), times >>> 3);
  a.f64.set(source.values.subarray(from, to), values >>> 3);
  a.exports.partition(times, values, to - from, min, shift, buckets, a.base, toTimes, toValues);
  const starts = a.base >>> 2, t = toTimes >>> 3, v = toValues >>> 3;
  for (let b = 0; b < buckets; b++) {
    const begin = a.u32[starts + b]!, end = a.u32[starts + b + 1]!;
    if (begin === end) continue;
    target.times.set(a.i64.subarray(t + begin, t + end), next[b]!);
    target.values.set(a.f64.subarray(v + begin, v + end), next[b]!);
    next[b]! += end - begin;
  }
}

/** Sorts the buckets of `target` in place, short neighbours together. */
function sortBuckets(target: RawColumns, starts: Float64Array, buckets: number): void {
  let from = starts[0]!;
  for (let b = 0; b < buckets; b++) {
    const end = starts[b + 1]!;
    if (b + 1 < buckets && starts[b + 2]! - from <= RUN) continue;
    if (end - from <= RUN) sortRun(target, from, end, target, from);
    else sortLong(target, from, end);
    from = end;
  }
}

/** Distributes a bucket that is too long once more. */
function sortLong(target: RawColumns, from: number, to: number): void {
  const { times, values } = target;
  if (isSorted(times.subarray(from, to))) return;
  const copy: RawColumns = { times: times.slice(from, to), values: values.slice(from, to) };
  distribute(copy, 0, to - from, target, from);
}
