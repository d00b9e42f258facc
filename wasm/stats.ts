// Statistics of a run of values that lie side by side: the part every window kernel shares.
//
// Two passes, both SIMD: first sum, smallest and largest, then the squared distances from the mean.
// That is numerically stable where the sum of squares is not, and the values are in the cache the
// second time. Partial results merge by Chan, Golub and LeVeque, "Updating Formulae and a Pairwise
// Algorithm for Computing Sample Variances" (1979).
//
// NaN is passed over by smallest and largest, and makes mean and deviation NaN. Where the sum of
// finite values overflows the mean is infinite, as it is in BTrDB's own tree.

/** Results of the last call of one of the functions below. */
export let runMin: f64 = 0;
export let runMax: f64 = 0;
export let runMean: f64 = 0;
/** Sum of the squared distances from the mean. */
export let runM2: f64 = 0;

/** Adds up both lanes. */
@inline
function lanes(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** Smallest, largest and mean of `n >= 1` doubles at `p`; and their M2 if `deviation`. */
export function statsOf(p: usize, n: usize, deviation: bool): void {
  const end = p + (n << 3);
  let low = f64x2.splat(Infinity), low2 = low;
  let high = f64x2.splat(-Infinity), high2 = high;
  let sum = f64x2.splat(0), sum2 = sum, sum3 = sum, sum4 = sum;
  let q = p;
  for (; q + 64 <= end; q += 64) {
    const a = v128.load(q), b = v128.load(q, 16), c = v128.load(q, 32), d = v128.load(q, 48);
    sum = f64x2.add(sum, a);
    sum2 = f64x2.add(sum2, b);
    sum3 = f64x2.add(sum3, c);
    sum4 = f64x2.add(sum4, d);
    low = f64x2.pmin(f64x2.pmin(low, a), c);
    low2 = f64x2.pmin(f64x2.pmin(low2, b), d);
    high = f64x2.pmax(f64x2.pmax(high, a), c);
    high2 = f64x2.pmax(f64x2.pmax(high2, b), d);
  }
  for (; q + 16 <= end; q += 16) {
    const a = v128.load(q);
    sum = f64x2.add(sum, a);
    low = f64x2.pmin(low, a);
    high = f64x2.pmax(high, a);
  }
  let total = lanes(f64x2.add(f64x2.add(sum, sum2), f64x2.add(sum3, sum4)));
  low = f64x2.pmin(low, low2);
  high = f64x2.pmax(high, high2);
  let min = f64x2.extract_lane(low, 0), max = f64x2.extract_lane(high, 0);
  const otherMin = f64x2.extract_lane(low, 1), otherMax = f64x2.extract_lane(high, 1);
  min = otherMin < min ? otherMin : min;
  max = otherMax > max ? otherMax : max;
  if (q < end) {
    const last = load<f64>(q);
    total += last;
    min = last < min ? last : min;
    max = last > max ? last : max;
  }
  runMin = min;
  runMax = max;
  runMean = total / <f64>n;
  runM2 = 0;
  if (deviation) deviations(p, end, <f64>n);
}

/** Second pass: refines `runMean`, sets `runM2`. */
@inline
function deviations(p: usize, end: usize, n: f64): void {
  const mean = runMean;
  const center = f64x2.splat(mean);
  let square = f64x2.splat(0), square2 = square;
  let rest = f64x2.splat(0), rest2 = rest;
  let q = p;
  for (; q + 32 <= end; q += 32) {
    const a = f64x2.sub(v128.load(q), center), b = f64x2.sub(v128.load(q, 16), center);
    rest = f64x2.add(rest, a);
    rest2 = f64x2.add(rest2, b);
    square = f64x2.add(square, f64x2.mul(a, a));
    square2 = f64x2.add(square2, f64x2.mul(b, b));
  }
  let squares = lanes(f64x2.add(square, square2));
  let error = lanes(f64x2.add(rest, rest2));
  for (; q < end; q += 8) {
    const distance = load<f64>(q) - mean;
    error += distance;
    squares += distance * distance;
  }
  if (isFinite(mean)) {
    runMean = mean + error / n;
    // Negative only where the squares are lost to rounding.
    squares = squares - error * error / n;
    runM2 = squares < 0 ? 0 : squares;
  } else {
    runM2 = NaN;
  }
}

/**
 * Statistics of `n >= 1` windows in columns `column` bytes apart (time, min, mean, max, count,
 * stddev), those without points passed over. `deviation` needs the stddev column.
 *
 * @returns The number of points in them.
 */
export function statsOfStats(p: usize, column: usize, n: usize, deviation: bool): u64 {
  const bytes = n << 3;
  const mins = p + column, means = p + 2 * column, maxs = p + 3 * column, counts = p + 4 * column;
  let count: u64 = 0, any: u64 = 0;
  let min = Infinity, max = -Infinity;
  let sum: f64 = 0;
  for (let q: usize = 0; q < bytes; q += 8) {
    const c = load<u64>(counts + q);
    if (c == 0) continue;
    any = 1;
    const low = load<f64>(mins + q), high = load<f64>(maxs + q);
    min = low < min ? low : min;
    max = high > max ? high : max;
    count += c;
    sum += load<f64>(means + q) * <f64>c;
  }
  runMin = min;
  runMax = max;
  runMean = 0;
  runM2 = 0;
  if (any == 0) return 0;
  const mean = sum / <f64>count;
  runMean = mean;
  if (!deviation) return count;
  const deviationsAt = p + 5 * column;
  let squares: f64 = 0;
  for (let q: usize = 0; q < bytes; q += 8) {
    const c = load<u64>(counts + q);
    if (c == 0) continue;
    const distance = load<f64>(means + q) - mean, own = load<f64>(deviationsAt + q);
    squares += <f64>c * (distance * distance + own * own);
  }
  runM2 = squares;
  return count;
}
