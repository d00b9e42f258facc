// Statistics of a run of values that lie side by side: the part every window kernel shares.
//
// One pass over the distances from the first value, SIMD. That is numerically stable where the sum of
// squares is not, because the first value is nearly always near the mean; where it was so far away
// that six bits or more cancel, a second pass over the distances from the mean follows. Partial results
// merge by Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
// Sample Variances" (1979).
//
// NaN is passed over by smallest and largest, and makes mean and deviation NaN, as infinities do.

/** Results of the last call of one of the functions below. */
export let runMin: f64 = 0;
export let runMax: f64 = 0;
export let runMean: f64 = 0;
/** Sum of the squared distances from the mean. */
export let runM2: f64 = 0;

/** The mean, kept from leaving [min, max] by rounding. */
@inline
export function within(mean: f64, min: f64, max: f64): f64 {
  return mean < min ? min : mean > max ? max : mean;
}

/** Adds up both lanes. */
@inline
function lanes(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** Smallest, largest and mean of `n >= 1` doubles at `p`; and their M2 if `deviation`. */
@inline
export function statsOf(p: usize, n: usize, deviation: bool): void {
  if (!deviation) pass(p, n, false, load<f64>(p));
  else if (pass(p, n, true, load<f64>(p))) again(p, n);
}

/** The second pass. */
function again(p: usize, n: usize): void {
  pass(p, n, true, runMean);
}

/** One pass over the distances from `from`; whether the deviation lost too much by cancelling. */
@inline
function pass(p: usize, n: usize, deviation: bool, from: f64): bool {
  const end = p + (n << 3);
  const center = f64x2.splat(from);
  let low = f64x2.splat(Infinity), low2 = low, high = f64x2.splat(-Infinity), high2 = high;
  let sum = f64x2.splat(0), sum2 = sum, square = sum, square2 = sum;
  let q = p;
  for (; q + 64 <= end; q += 64) {
    const a = v128.load(q), b = v128.load(q, 16), c = v128.load(q, 32), d = v128.load(q, 48);
    low = f64x2.pmin(f64x2.pmin(low, a), c);
    low2 = f64x2.pmin(f64x2.pmin(low2, b), d);
    high = f64x2.pmax(f64x2.pmax(high, a), c);
    high2 = f64x2.pmax(f64x2.pmax(high2, b), d);
    const e = f64x2.sub(a, center), f = f64x2.sub(b, center);
    const g = f64x2.sub(c, center), h = f64x2.sub(d, center);
    sum = f64x2.add(sum, f64x2.add(e, f));
    sum2 = f64x2.add(sum2, f64x2.add(g, h));
    if (deviation) {
      square = f64x2.add(square, f64x2.add(f64x2.mul(e, e), f64x2.mul(f, f)));
      square2 = f64x2.add(square2, f64x2.add(f64x2.mul(g, g), f64x2.mul(h, h)));
    }
  }
  for (; q + 16 <= end; q += 16) {
    const a = v128.load(q);
    low = f64x2.pmin(low, a);
    high = f64x2.pmax(high, a);
    const e = f64x2.sub(a, center);
    sum = f64x2.add(sum, e);
    if (deviation) square = f64x2.add(square, f64x2.mul(e, e));
  }
  let total = lanes(f64x2.add(sum, sum2));
  let squares = deviation ? lanes(f64x2.add(square, square2)) : 0;
  low = f64x2.pmin(low, low2);
  high = f64x2.pmax(high, high2);
  let min = f64x2.extract_lane(low, 0), max = f64x2.extract_lane(high, 0);
  const otherMin = f64x2.extract_lane(low, 1), otherMax = f64x2.extract_lane(high, 1);
  min = otherMin < min ? otherMin : min;
  max = otherMax > max ? otherMax : max;
  if (q < end) {
    const last = load<f64>(q);
    min = last < min ? last : min;
    max = last > max ? last : max;
    total += last - from;
    if (deviation) squares += (last - from) * (last - from);
  }
  const shift = total / <f64>n;
  runMin = min;
  runMax = max;
  runMean = from + shift;
  if (!deviation) return false;
  const m2 = squares - total * shift;
  // Below zero only by rounding; where the squares overflow the deviation is infinite.
  runM2 = squares == Infinity ? squares : m2 < 0 ? 0 : m2;
  return m2 * 64 < squares;
}

/**
 * Statistics of `n >= 1` windows in columns `column` bytes apart (time, min, mean, max, count,
 * stddev), those without points passed over. `deviation` needs the stddev column. Two passes: the
 * weights may be too uneven for one.
 *
 * @returns The number of points in them.
 */
export function statsOfStats(p: usize, column: usize, n: usize, deviation: bool): u64 {
  const count = weightedMean(p, column, n);
  runM2 = 0;
  if (deviation && count != 0) runM2 = weightedSquares(p, column, n, runMean);
  return count;
}

/** Counts from 2^52 on do not fit the mantissa into which `weight` puts them. */
const LARGE: u64 = 1 << 52;

/** Two counts as doubles; `magic` is 2^52 twice. */
@inline
function weight(count: v128, magic: v128): v128 {
  return f64x2.sub(v128.or(count, magic), magic);
}

/** First pass: smallest, largest and mean; returns the number of points. */
function weightedMean(p: usize, column: usize, n: usize): u64 {
  const magic = v128.load(memory.data<u64>([0x4330000000000000, 0x4330000000000000]));
  const none = i64x2.splat(0);
  let q = p + 4 * column;
  const end = q + (n << 3);
  // From the column of counts the others are this far.
  const toMin: usize = 3 * column, toMean: usize = 2 * column, toMax: usize = column;
  const infinity = v128.load(memory.data<f64>([Infinity, Infinity]));
  const minusInfinity = v128.load(memory.data<f64>([-Infinity, -Infinity]));
  let low = infinity, high = minusInfinity;
  let counts = none, all = none, sum = f64x2.splat(0);
  for (; q + 16 <= end; q += 16) {
    const count = v128.load(q);
    const empty = i64x2.eq(count, none);
    low = f64x2.pmin(low, v128.bitselect(infinity, v128.load(q - toMin), empty));
    high = f64x2.pmax(high, v128.bitselect(minusInfinity, v128.load(q - toMax), empty));
    sum = f64x2.add(sum, f64x2.mul(v128.andnot(v128.load(q - toMean), empty), weight(count, magic)));
    counts = i64x2.add(counts, count);
    all = v128.or(all, count);
  }
  let total = i64x2.extract_lane(counts, 0) + i64x2.extract_lane(counts, 1);
  const some = <u64>(i64x2.extract_lane(all, 0) | i64x2.extract_lane(all, 1));
  let weighted = some < LARGE ? lanes(sum) : largeSum(p, column, n & ~1);
  let min = f64x2.extract_lane(low, 0), max = f64x2.extract_lane(high, 0);
  const otherMin = f64x2.extract_lane(low, 1), otherMax = f64x2.extract_lane(high, 1);
  min = otherMin < min ? otherMin : min;
  max = otherMax > max ? otherMax : max;
  if (q < end && load<u64>(q) != 0) {
    const lastMin = load<f64>(q - toMin), lastMax = load<f64>(q - toMax);
    min = lastMin < min ? lastMin : min;
    max = lastMax > max ? lastMax : max;
    total += load<i64>(q);
    weighted += load<f64>(q - toMean) * <f64>load<u64>(q);
  }
  runMin = min;
  runMax = max;
  runMean = total == 0 ? 0 : weighted / <f64>(<u64>total);
  return total;
}

/** Sum of means times counts, whatever the counts are. */
function largeSum(p: usize, column: usize, n: usize): f64 {
  let sum: f64 = 0;
  for (const end = p + (n << 3); p < end; p += 8) {
    const count = load<u64>(p + 4 * column);
    if (count != 0) sum += load<f64>(p + 2 * column) * <f64>count;
  }
  return sum;
}

/** Second pass: squared distances from `mean` of the points that the windows stand for. */
function weightedSquares(p: usize, column: usize, n: usize, mean: f64): f64 {
  const magic = v128.load(memory.data<u64>([0x4330000000000000, 0x4330000000000000]));
  const none = i64x2.splat(0);
  const center = f64x2.splat(mean);
  let q = p + 4 * column;
  const end = q + (n << 3);
  const toMean: usize = 2 * column;
  let sum = f64x2.splat(0), all = none;
  for (; q + 16 <= end; q += 16) {
    const count = v128.load(q);
    const distance = f64x2.sub(v128.load(q - toMean), center);
    const own = v128.load(q + column);
    const square = f64x2.add(f64x2.mul(distance, distance), f64x2.mul(own, own));
    const empty = i64x2.eq(count, none);
    sum = f64x2.add(sum, f64x2.mul(v128.andnot(square, empty), weight(count, magic)));
    all = v128.or(all, count);
  }
  const some = <u64>(i64x2.extract_lane(all, 0) | i64x2.extract_lane(all, 1));
  if (some >= LARGE) q = p + 4 * column;
  let squares = some < LARGE ? lanes(sum) : 0;
  for (; q < end; q += 8) {
    const count = load<u64>(q);
    if (count == 0) continue;
    const distance = load<f64>(q - toMean) - mean, own = load<f64>(q + column);
    squares += (distance * distance + own * own) * <f64>count;
  }
  return squares;
}
