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
 * Divides points: those that no earlier one is after stay, in front, the others go elsewhere, both in
 * their order.
 *
 * @param latest Largest time of the points before.
 * @returns Number of points that stay.
 */
export function divideLate(
  times: usize, values: usize, n: u32, latest: i64, lateTimes: usize, lateValues: usize,
): u32 {
  const end = times + (<usize>n << 3);
  let outTimes = times, outValues = values;
  for (let p = times; p < end; p += 8, values += 8) {
    const time = load<i64>(p), value = load<u64>(values);
    if (time >= latest) {
      latest = time;
      store<i64>(outTimes, time);
      store<u64>(outValues, value);
      outTimes += 8;
      outValues += 8;
    } else {
      store<i64>(lateTimes, time);
      store<u64>(lateValues, value);
      lateTimes += 8;
      lateValues += 8;
    }
  }
  return <u32>((outTimes - times) >> 3);
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
 * Distributes points to the buckets that were counted, in their order, as pairs of time and value:
 * a pair is one store to one place.
 *
 * @param counts The points of each bucket; afterwards, where each bucket ends.
 * @param pairs Room for `n` pairs.
 */
export function distribute(
  times: usize, values: usize, n: u32, min: i64, shift: u32, buckets: u32, counts: usize, pairs: usize,
): void {
  let place = <u32>pairs;
  const countsEnd = counts + (<usize>buckets << 2);
  for (let c = counts; c < countsEnd; c += 4) {
    const count = load<u32>(c);
    store<u32>(c, place);
    place += count << 4;
  }
  const end = times + (<usize>n << 3);
  const apart = values - times;
  let p = times;
  for (; p + 16 <= end; p += 16) {
    const time = v128.load(p), value = v128.load(p + apart);
    put(counts, <u64>(i64x2.extract_lane(time, 0) - min) >> shift, i64x2.shuffle(time, value, 0, 2));
    put(counts, <u64>(i64x2.extract_lane(time, 1) - min) >> shift, i64x2.shuffle(time, value, 1, 3));
  }
  if (p < end) {
    const pair = v128.load64_lane(p + apart, v128.load64_zero(p), 1);
    put(counts, <u64>(load<i64>(p) - min) >> shift, pair);
  }
}

/** Appends a pair to its bucket. */
@inline
function put(counts: usize, bucket: u64, pair: v128): void {
  const counter = counts + (<usize>bucket << 2);
  const place = load<u32>(counter);
  store<u32>(counter, place + 16);
  v128.store(place, pair);
}

/** Pairs of time and value back to columns. */
export function separate(pairs: usize, n: u32, times: usize, values: usize): void {
  const end = times + (<usize>n << 3);
  const apart = values - times;
  let p = times;
  for (; p + 16 <= end; p += 16) {
    const a = v128.load(pairs), b = v128.load(pairs, 16);
    v128.store(p, i64x2.shuffle(a, b, 0, 2));
    v128.store(p + apart, i64x2.shuffle(a, b, 1, 3));
    pairs += 32;
  }
  if (p < end) {
    store<i64>(p, load<i64>(pairs));
    store<u64>(p + apart, load<u64>(pairs, 8));
  }
}

/** Largest bucket that is left to the insertion sort. */
const SMALL: u32 = 24;
/** Bits of a digit of the radix sort. */
const DIGIT: u32 = 11;

/**
 * Sorts points that fit the cache, in place. If times are spread evenly, one distribution to about
 * as many buckets as there are points leaves little to do for an insertion sort; where they are
 * not, a radix sort from the lowest digit costs the same for every input.
 *
 * @param min No time is before it.
 * @param bits All times are within 2^bits of `min`; 0 if the bounds are not known.
 * @param pairs Room for `n` pairs.
 * @param counts Room for 2^13 u32.
 */
export function sortRun(
  times: usize, values: usize, n: u32, min: i64, bits: u32, pairs: usize, counts: usize,
): void {
  if (n < 2) return;
  if (bits == 0) {
    range(times, n);
    if (high == low) return;
    min = low;
    bits = 64 - <u32>clz<u64>(<u64>(high - low));
  }
  let top: u32 = 33 - <u32>clz<u32>(n);
  if (top > 13) top = 13;
  if (top > bits) top = bits;
  const shift = bits - top;
  const largest = countBuckets(times, n, min, shift, 1 << top, counts);
  if (shift == 0 || largest <= SMALL) {
    distribute(times, values, n, min, shift, 1 << top, counts, pairs);
    if (shift != 0) insertionSort(pairs, n);
    separate(pairs, n, times, values);
    return;
  }
  range(times, n);
  if (high == low) return;
  bits = 64 - <u32>clz<u64>(<u64>(high - low));
  if (radixSort(times, values, n, low, bits, pairs, pairs + (<usize>n << 3), counts)) {
    memory.copy(times, pairs, <usize>n << 3);
    memory.copy(values, pairs + (<usize>n << 3), <usize>n << 3);
  }
}

function insertionSort(pairs: usize, n: u32): void {
  const end = pairs + (<usize>n << 4);
  for (let p = pairs + 16; p < end; p += 16) {
    const time = load<i64>(p);
    if (load<i64>(p - 16) <= time) continue;
    const pair = v128.load(p);
    let q = p;
    do {
      v128.store(q, v128.load(q - 16));
      q -= 16;
    } while (q > pairs && load<i64>(q - 16) > time);
    v128.store(q, pair);
  }
}

/** Radix sort from the lowest digit; 1 if the result is in `toTimes` and `toValues`, else 0. */
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
