/**
 * Stable sort of points by time.
 *
 * Short inputs are sorted by the kernel at once. Longer ones are first distributed, by the highest
 * bits of their time, to buckets that are short: chunk by chunk in the kernel, the chunk's share of
 * each bucket copied to where it belongs. A bucket that is still too long is distributed again, by
 * bits below. So WASM memory stays the same however long the input is. Of points in order
 * among which few are late, only those are sorted, and put where they belong.
 *
 * @module
 */

import { allocRaw, type RawColumns, sliceRaw } from "../core/columns.ts";
import { lowerBound } from "../core/search.ts";
import { checkRaw } from "./arguments.ts";
import { arena, columnBytes } from "./arena.ts";
import { isSorted } from "./find_bad_point.ts";
import { atOnce } from "../core/pacer.ts";

/** Longest run sorted at once: input and output stay in the second-level cache. */
const RUN = 16_384;
/** Points per chunk of a distribution. */
const CHUNK = 131_072;
/** Points that a bucket should have, and most buckets of a distribution. */
const BUCKET = 10_000;
const MAX_BUCKETS = 2_048;
/** Room for the kernel's counters: 2^13 of them. */
const COUNTER_BYTES = 4 * 8_192;

const MIN_INT64 = -(1n << 63n);

/** Layout of the arena for runs or chunks of `n` points. */
function layout(n: number) {
  const column = columnBytes(n);
  return {
    bytes: COUNTER_BYTES + 4 * column,
    times: COUNTER_BYTES,
    values: COUNTER_BYTES + column,
    pairs: COUNTER_BYTES + 2 * column,
  };
}

/**
 * Points in order of time. Points of equal time keep their order.
 *
 * @param columns Points in any order; not changed.
 * @returns Columns of their own, or `columns` itself if they are in order already.
 * @throws {TypeError} If a column is not of its type, or detached.
 * @throws {RangeError} If the columns differ in length.
 *
 * @example Put points in order
 * ```ts
 * import { sortPoints } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const times = BigInt64Array.of(30n, 10n, 20n, 10n);
 * const values = Float64Array.of(3, 1, 2, 1.5);
 * const sorted = sortPoints({ times, values });
 * assertEquals([...sorted.times], [10n, 10n, 20n, 30n]);
 * assertEquals([...sorted.values], [1, 1.5, 2, 3]);
 * ```
 */
export function sortPoints(columns: RawColumns): RawColumns {
  return atOnce(sortPointsInSteps(columns));
}

/**
 * As {@linkcode sortPoints}, in steps of at most 131,072 points.
 *
 * @param columns Points in any order; they must stay as they are until the last step.
 * @returns Yields between steps.
 */
export function* sortPointsInSteps(columns: RawColumns): Generator<undefined, RawColumns> {
  checkRaw("sort points", columns);
  if (yield* isSortedInSteps(columns.times)) return columns;
  const { length } = columns.times;
  const sorted = allocRaw(length);
  const late = length > RUN ? yield* divideLate(columns, sorted) : undefined;
  if (late !== undefined) {
    yield* insertLate(sorted, yield* sortPointsInSteps(late));
    return sorted;
  }
  yield* sortRange(columns, 0, length, sorted, 0);
  return sorted;
}

/** Points among which there is one that is late, at least, if it is to be sorted apart. */
const IN_ORDER = 8;

/**
 * Copies the points that no earlier one is after to the beginning of `target`.
 *
 * @returns The other points; `undefined` if they are many.
 */
function* divideLate(
  source: RawColumns,
  target: RawColumns,
): Generator<undefined, RawColumns | undefined> {
  const { length } = source.times;
  const most = Math.floor(length / IN_ORDER);
  const late = allocRaw(most);
  const parts = layout(CHUNK);
  let kept = 0, latest = MIN_INT64;
  for (let i = 0; i < length; i += CHUNK) {
    if (i > 0) yield;
    const n = Math.min(CHUNK, length - i);
    const a = arena(parts.bytes);
    const times = a.base + parts.times, values = a.base + parts.values;
    const lateTimes = a.base + parts.pairs, lateValues = lateTimes + columnBytes(CHUNK);
    a.i64.set(source.times.subarray(i, i + n), times >>> 3);
    a.f64.set(source.values.subarray(i, i + n), values >>> 3);
    const stay = a.exports.divideLate(times, values, n, latest, lateTimes, lateValues);
    const at = i - kept;
    if (at + n - stay > most) return undefined;
    const copy = (from: number, n: number) => [from >>> 3, (from >>> 3) + n] as const;
    target.times.set(a.i64.subarray(...copy(times, stay)), kept);
    target.values.set(a.f64.subarray(...copy(values, stay)), kept);
    late.times.set(a.i64.subarray(...copy(lateTimes, n - stay)), at);
    late.values.set(a.f64.subarray(...copy(lateValues, n - stay)), at);
    kept += stay;
    if (stay > 0) latest = target.times[kept - 1]!;
  }
  return sliceRaw(late, 0, length - kept);
}

/**
 * Puts points between those at the beginning of `target`, which they fill up. From the last to the
 * first, so that each is moved once; of equal times those that are there come first.
 *
 * @param late In order of time.
 */
function* insertLate({ times, values }: RawColumns, late: RawColumns): Generator<undefined, void> {
  let end = times.length - late.times.length;
  let moved = 0;
  for (let i = late.times.length - 1; i >= 0; i--) {
    const time = late.times[i]!;
    if (end === 0 || times[0]! > time) {
      times.copyWithin(i + 1, 0, end);
      values.copyWithin(i + 1, 0, end);
      times.set(late.times.subarray(0, i + 1));
      values.set(late.values.subarray(0, i + 1));
      return;
    }
    const from = firstAfter(times, time, end);
    times.copyWithin(from + i + 1, from, end);
    values.copyWithin(from + i + 1, from, end);
    times[from + i] = time;
    values[from + i] = late.values[i]!;
    moved += end - from + 1;
    end = from;
    if (moved < CHUNK) continue;
    moved = 0;
    yield;
  }
}

/** Index of the first time in `[0, end)` after `time`, `end` if there is none; quick near the end. */
function firstAfter(times: BigInt64Array, time: bigint, end: number): number {
  let step = 1, high = end;
  while (high > 0 && times[high - 1]! > time) {
    const low = Math.max(0, high - step);
    if (times[low]! <= time) return lowerBound(times, time + 1n, low + 1, high);
    high = low;
    step *= 2;
  }
  return high;
}

/** Tells whether times ascend. */
function* isSortedInSteps(times: BigInt64Array): Generator<undefined, boolean> {
  for (let at = 0; at < times.length; at += CHUNK) {
    // The last of a step is the first of the next one.
    if (!isSorted(times.subarray(at, at + CHUNK + 1))) return false;
    if (at + CHUNK < times.length) yield;
  }
  return true;
}

/** Sorts the points `[from, to)` of `source` to `target`, from `at` on. */
function* sortRange(
  source: RawColumns,
  from: number,
  to: number,
  target: RawColumns,
  at: number,
): Generator<undefined, void> {
  if (to - from <= RUN) sortRun(source, from, to, target, at);
  else yield* distribute(source, from, to, target, at);
}

/** Sorts points that fit one call of the kernel; all times are within 2^bits of `min`, if known. */
function sortRun(
  source: RawColumns,
  from: number,
  to: number,
  target: RawColumns,
  at: number,
  min = 0n,
  bits = 0,
): void {
  const n = to - from;
  if (n === 0) return;
  const parts = layout(RUN);
  const a = arena(parts.bytes);
  const times = a.base + parts.times, values = a.base + parts.values;
  a.i64.set(source.times.subarray(from, to), times >>> 3);
  a.f64.set(source.values.subarray(from, to), values >>> 3);
  a.exports.sortRun(times, values, n, min, bits, a.base + parts.pairs, a.base);
  target.times.set(a.i64.subarray(times >>> 3, (times >>> 3) + n), at);
  target.values.set(a.f64.subarray(values >>> 3, (values >>> 3) + n), at);
}

/** Smallest and largest time of the points `[from, to)`. */
function* timeRange(
  times: BigInt64Array,
  from: number,
  to: number,
): Generator<undefined, { min: bigint; max: bigint }> {
  let min = times[from]!, max = min;
  for (let i = from; i < to; i += CHUNK) {
    if (i > from) yield;
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
function* distribute(
  source: RawColumns,
  from: number,
  to: number,
  target: RawColumns,
  at: number,
): Generator<undefined, void> {
  const plan = yield* planBuckets(source.times, from, to);
  const counts = yield* countBuckets(source.times, from, to, plan);
  const starts = bucketStarts(counts, plan.buckets, at);
  const next = starts.slice();
  for (let i = from, c = 0; i < to; i += CHUNK, c += plan.buckets) {
    const chunk = counts.subarray(c, c + plan.buckets);
    distributeChunk(source, i, Math.min(i + CHUNK, to), target, next, chunk, plan);
    yield;
  }
  if (plan.shift > 0) yield* sortBuckets(target, starts, plan);
}

/** Bucket of a time: `(time - min) >> shift`. */
interface Distribution {
  readonly min: bigint;
  readonly shift: number;
  readonly buckets: number;
}

/** Buckets that would be about as long as they should if times were spread evenly. */
function* planBuckets(
  times: BigInt64Array,
  from: number,
  to: number,
): Generator<undefined, Distribution> {
  const { min, max } = yield* timeRange(times, from, to);
  const wanted = Math.min((to - from) / BUCKET, MAX_BUCKETS / 2);
  let shift = (max - min).toString(2).length;
  while (shift > 0 && Number((max - min) >> BigInt(shift)) + 1 < wanted) shift--;
  return { min, shift, buckets: Number((max - min) >> BigInt(shift)) + 1 };
}

/** Counts the points of each chunk in each bucket, chunk by chunk. */
function* countBuckets(
  times: BigInt64Array,
  from: number,
  to: number,
  { min, shift, buckets }: Distribution,
): Generator<undefined, Uint32Array> {
  const counts = new Uint32Array(Math.ceil((to - from) / CHUNK) * buckets);
  for (let i = from, c = 0; i < to; i += CHUNK, c += buckets) {
    const n = Math.min(CHUNK, to - i);
    const a = arena(COUNTER_BYTES + 8 * n);
    a.i64.set(times.subarray(i, i + n), (a.base + COUNTER_BYTES) >>> 3);
    a.exports.countBuckets(a.base + COUNTER_BYTES, n, min, shift, buckets, a.base);
    counts.set(a.u32.subarray(a.base >>> 2, (a.base >>> 2) + buckets), c);
    yield;
  }
  return counts;
}

/** Start of each bucket, the first at `at`; one more for the end of the last. */
function bucketStarts(counts: Uint32Array, buckets: number, at: number): Float64Array {
  const starts = new Float64Array(buckets + 1);
  for (let c = 0; c < counts.length; c++) starts[c % buckets + 1]! += counts[c]!;
  starts[0] = at;
  for (let b = 0; b < buckets; b++) starts[b + 1]! += starts[b]!;
  return starts;
}

/** Appends the points `[from, to)` to their buckets, whose ends are in `next`. */
function distributeChunk(
  source: RawColumns,
  from: number,
  to: number,
  target: RawColumns,
  next: Float64Array,
  counts: Uint32Array,
  { min, shift, buckets }: Distribution,
): void {
  const parts = layout(CHUNK);
  const a = arena(parts.bytes);
  const times = a.base + parts.times, values = a.base + parts.values;
  const pairs = a.base + parts.pairs;
  a.u32.set(counts, a.base >>> 2);
  a.i64.set(source.times.subarray(from, to), times >>> 3);
  a.f64.set(source.values.subarray(from, to), values >>> 3);
  a.exports.distribute(times, values, to - from, min, shift, buckets, a.base, pairs);
  a.exports.separate(pairs, to - from, times, values);
  let t = times >>> 3, v = values >>> 3;
  for (let b = 0; b < buckets; b++) {
    const n = counts[b]!;
    if (n === 0) continue;
    target.times.set(a.i64.subarray(t, t + n), next[b]!);
    target.values.set(a.f64.subarray(v, v + n), next[b]!);
    next[b]! += n;
    t += n;
    v += n;
  }
}

/** Sorts the buckets of `target` in place, short neighbours together. */
function* sortBuckets(
  target: RawColumns,
  starts: Float64Array,
  { min, shift, buckets }: Distribution,
): Generator<undefined, void> {
  let from = starts[0]!, first = 0;
  for (let b = 0; b < buckets; b++) {
    const end = starts[b + 1]!;
    if (b + 1 < buckets && starts[b + 2]! - from <= RUN) continue;
    if (end - from <= RUN) {
      const bits = shift + 32 - Math.clz32(b - first);
      sortRun(target, from, end, target, from, min + (BigInt(first) << BigInt(shift)), bits);
    } else yield* sortLong(target, from, end);
    yield;
    first = b + 1;
    from = end;
  }
}

/** Distributes a bucket that is too long once more. */
function* sortLong(target: RawColumns, from: number, to: number): Generator<undefined, void> {
  const { times, values } = target;
  if (yield* isSortedInSteps(times.subarray(from, to))) return;
  yield;
  const copy: RawColumns = { times: times.slice(from, to), values: values.slice(from, to) };
  yield;
  yield* distribute(copy, 0, to - from, target, from);
}
