// Stable sort of points by time: the two steps that run in memory that fits a cache. The plan that
// joins them, bucket by bucket, is in src/kernel/sort.ts.

/** Smallest and largest of the last `range`. */
let low: i64 = 0, high: i64 = 0;

/** Leaves the smallest and the largest of `n >= 1` times in `result`. */
export function timeRange(times: usize, n: u32, result: usize): void {
  range(times, n);
  store<i64>(result, low);
  store<i64>(result, high, 8);
}

function range(times: usize, n: u32): void {
  const end = times + (<usize>n << 3);
  const first = load<i64>(times);
  let min = i64x2.splat(first), max = min;
  let p = times;
  for (; p + 16 <= end; p += 16) {
    const a = v128.load(p);
    min = v128.bitselect(a, min, i64x2.lt_s(a, min));
    max = v128.bitselect(a, max, i64x2.gt_s(a, max));
  }
  let least = i64x2.extract_lane(min, 0), most = i64x2.extract_lane(max, 0);
  const otherMin = i64x2.extract_lane(min, 1), otherMax = i64x2.extract_lane(max, 1);
  if (otherMin < least) least = otherMin;
  if (otherMax > most) most = otherMax;
  if (p < end) {
    const last = load<i64>(p);
    if (last < least) least = last;
    if (last > most) most = last;
  }
  low = least;
  high = most;
}

/**
 * Counts the points of each bucket, `(time - min) >> shift`.
 *
 * @param counts Room for `buckets` u32, overwritten.
 * @returns The largest count.
 */
export function countBuckets(
  times: usize, n: u32, min: i64, shift: u32, buckets: u32, counts: usize,
): u32 {
  memory.fill(counts, 0, buckets << 2);
  const end = times + (<usize>n << 3);
  let largest: u32 = 0;
  for (let p = times; p < end; p += 8) {
    const counter = counts + (<usize>(<u64>(load<i64>(p) - min) >> shift) << 2);
    const count = load<u32>(counter) + 1;
    store<u32>(counter, count);
    if (count > largest) largest = count;
  }
  return largest;
}

/**
 * Distributes points to the buckets that were counted, in their order.
 *
 * @param counts The points of each bucket; afterwards, where each bucket ends in the output.
 */
export function distribute(
  times: usize, values: usize, n: u32, min: i64, shift: u32, buckets: u32,
  counts: usize, toTimes: usize, toValues: usize,
): void {
  let sum: u32 = 0;
  for (let b: usize = 0; b < <usize>buckets << 2; b += 4) {
    const count = load<u32>(counts + b);
    store<u32>(counts + b, sum);
    sum += count;
  }
  const bytes = <usize>n << 3;
  for (let p: usize = 0; p < bytes; p += 8) {
    const time = load<i64>(times + p);
    const counter = counts + (<usize>(<u64>(time - min) >> shift) << 2);
    const at = load<u32>(counter);
    store<u32>(counter, at + 1);
    store<i64>(toTimes + (<usize>at << 3), time);
    store<u64>(toValues + (<usize>at << 3), load<u64>(values + p));
  }
}

/** Largest bucket that is left to the insertion sort. */
const SMALL: u32 = 24;
/** Bits of a digit of the radix sort. */
const DIGIT: u32 = 11;

/**
 * Sorts points that fit the cache. Where times are spread evenly, one distribution to about as many
 * buckets as there are points leaves little to do for an insertion sort; where they are not, a radix
 * sort from the lowest digit costs the same for every input.
 *
 * @param toTimes Room for `n` times; so is `toValues` for values.
 * @param counts Room for 2^13 u32.
 * @returns 1 if the result is in `toTimes` and `toValues`, 0 if it is where the input was.
 */
export function sortRun(
  times: usize, values: usize, n: u32, toTimes: usize, toValues: usize, counts: usize,
): u32 {
  if (n < 2) return 0;
  range(times, n);
  const min = low;
  const bits = 64 - <u32>clz<u64>(<u64>(high - low));
  if (high == low) return 0;
  let top = 33 - <u32>clz<u32>(n);
  if (top > 13) top = 13;
  if (top > bits) top = bits;
  const shift = bits - top;
  const largest = countBuckets(times, n, min, shift, 1 << top, counts);
  if (shift == 0 || largest <= SMALL) {
    distribute(times, values, n, min, shift, 1 << top, counts, toTimes, toValues);
    if (shift != 0) insertionSort(toTimes, toValues, n);
    return 1;
  }
  return radixSort(times, values, n, min, bits, toTimes, toValues, counts);
}

function insertionSort(times: usize, values: usize, n: u32): void {
  const bytes = <usize>n << 3;
  for (let p: usize = 8; p < bytes; p += 8) {
    const time = load<i64>(times + p);
    if (load<i64>(times + p - 8) <= time) continue;
    const value = load<u64>(values + p);
    let q = p;
    do {
      store<i64>(times + q, load<i64>(times + q - 8));
      store<u64>(values + q, load<u64>(values + q - 8));
      q -= 8;
    } while (q > 0 && load<i64>(times + q - 8) > time);
    store<i64>(times + q, time);
    store<u64>(values + q, value);
  }
}

/** Radix sort from the lowest digit; which buffer holds the result is told as by `sortRun`. */
function radixSort(
  times: usize, values: usize, n: u32, min: i64, bits: u32,
  toTimes: usize, toValues: usize, counters: usize,
): u32 {
  const bytes = <usize>n << 3;
  let swapped: u32 = 0;
  for (let shift: u32 = 0; shift < bits; shift += DIGIT) {
    memory.fill(counters, 0, 4 << DIGIT);
    for (let p: usize = 0; p < bytes; p += 8) {
      const counter = counters + (digit(load<i64>(times + p) - min, shift) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
    }
    let sum: u32 = 0;
    for (let b: usize = 0; b < 4 << DIGIT; b += 4) {
      const count = load<u32>(counters + b);
      store<u32>(counters + b, sum);
      sum += count;
    }
    for (let p: usize = 0; p < bytes; p += 8) {
      const time = load<i64>(times + p);
      const counter = counters + (digit(time - min, shift) << 2);
      const at = load<u32>(counter);
      store<u32>(counter, at + 1);
      store<i64>(toTimes + (<usize>at << 3), time);
      store<u64>(toValues + (<usize>at << 3), load<u64>(values + p));
    }
    const otherTimes = times, otherValues = values;
    times = toTimes;
    values = toValues;
    toTimes = otherTimes;
    toValues = otherValues;
    swapped ^= 1;
  }
  return swapped;
}

@inline
function digit(distance: i64, shift: u32): usize {
  return <usize>(<u64>distance >> shift) & ((1 << DIGIT) - 1);
}
