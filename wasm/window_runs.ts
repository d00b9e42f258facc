// Statistics of runs of values, one for each window that has any of a leaf's. Every sum has the order
// and the operations of a plain loop (tests/support/window_runs_reference.ts), so that means are those
// of the real server to the last bit.
//
// A sum in order waits for each addition before the next one. So the sums of up to four runs go on
// side by side, each with those of its window that follow it; smallest, largest and squares, which do
// not wait, come in a second pass.

/** Bytes of a run in the output, and what is in them: doubles. */
const ROW: usize = 64;
const COUNT: usize = 8;
const MIN: usize = 16;
const MEAN: usize = 24;
const MAX: usize = 32;
/** While the sums are made: not 0 if the next run is of the same window. */
const GOES_ON: usize = MAX;
/** Sum of the squared distances from the mean. */
const M2: usize = 40;
/** Sum of the values, and next to it the sum of those before with these. */
const SUM: usize = 48;
const TOTAL: usize = 56;

/** While the sums are made: the next value of a run, and its end. */
const NEXT: usize = MIN;
const END: usize = MEAN;

/** Adds two values, in both lanes each, to two sums. */
@inline
function both(sums: v128, p: usize): v128 {
  return f64x2.add(sums, v128.load64_splat(p));
}

/** Goes on with the sums of one run by `n` bytes. */
function sumOne(a: usize, n: usize): void {
  let sums = v128.load(a, SUM);
  let p = load<usize>(a, NEXT);
  for (const end = p + n; p < end; p += 8) sums = both(sums, p);
  store<usize>(a, p, NEXT);
  v128.store(a, sums, SUM);
}

/** As {@link sumOne}, of two runs. */
function sumTwo(a: usize, b: usize, n: usize): void {
  let sumsA = v128.load(a, SUM), sumsB = v128.load(b, SUM);
  let p = load<usize>(a, NEXT);
  const toB = load<usize>(b, NEXT) - p;
  for (const end = p + n; p < end; p += 8) {
    sumsA = both(sumsA, p);
    sumsB = both(sumsB, p + toB);
  }
  store<usize>(a, p, NEXT);
  store<usize>(b, p + toB, NEXT);
  v128.store(a, sumsA, SUM);
  v128.store(b, sumsB, SUM);
}

/** As {@link sumOne}, of three runs. */
function sumThree(a: usize, b: usize, c: usize, n: usize): void {
  let sumsA = v128.load(a, SUM), sumsB = v128.load(b, SUM), sumsC = v128.load(c, SUM);
  let p = load<usize>(a, NEXT);
  const toB = load<usize>(b, NEXT) - p, toC = load<usize>(c, NEXT) - p;
  for (const end = p + n; p < end; p += 8) {
    sumsA = both(sumsA, p);
    sumsB = both(sumsB, p + toB);
    sumsC = both(sumsC, p + toC);
  }
  store<usize>(a, p, NEXT);
  store<usize>(b, p + toB, NEXT);
  store<usize>(c, p + toC, NEXT);
  v128.store(a, sumsA, SUM);
  v128.store(b, sumsB, SUM);
  v128.store(c, sumsC, SUM);
}

/** As {@link sumOne}, of four runs. */
function sumFour(a: usize, b: usize, c: usize, d: usize, n: usize): void {
  let sumsA = v128.load(a, SUM), sumsB = v128.load(b, SUM);
  let sumsC = v128.load(c, SUM), sumsD = v128.load(d, SUM);
  let p = load<usize>(a, NEXT);
  const toB = load<usize>(b, NEXT) - p, toC = load<usize>(c, NEXT) - p;
  const toD = load<usize>(d, NEXT) - p;
  for (const end = p + n; p < end; p += 8) {
    sumsA = both(sumsA, p);
    sumsB = both(sumsB, p + toB);
    sumsC = both(sumsC, p + toC);
    sumsD = both(sumsD, p + toD);
  }
  store<usize>(a, p, NEXT);
  store<usize>(b, p + toB, NEXT);
  store<usize>(c, p + toC, NEXT);
  store<usize>(d, p + toD, NEXT);
  v128.store(a, sumsA, SUM);
  v128.store(b, sumsB, SUM);
  v128.store(c, sumsC, SUM);
  v128.store(d, sumsD, SUM);
}

/** Bytes of a run that are not summed up yet. */
@inline
function leftOf(run: usize): usize {
  return load<usize>(run, END) - load<usize>(run, NEXT);
}

/** The run after another one if it goes on with the same window, which begins where that one ends. */
@inline
function nextOf(run: usize): usize {
  const next = run + ROW;
  if (load<u32>(run, GOES_ON) == 0) return 0;
  store<f64>(next, load<f64>(run, TOTAL), TOTAL);
  return next;
}

/** The first run at or behind another one that begins a window. */
@inline
function firstOf(run: usize, end: usize): usize {
  while (run < end && load<u32>(run - ROW, GOES_ON) != 0) run += ROW;
  return run;
}

/** Sums up all runs in `[row, end)`, of four windows at a time as long as there are as many. */
function sumAll(row: usize, end: usize): void {
  // Those under way; the ones that are there come first.
  let a: usize = row, b: usize = 0, c: usize = 0, d: usize = 0;
  row += ROW;
  while (true) {
    if (a == 0 && (row = firstOf(row, end)) < end) { a = row; row += ROW; }
    if (b == 0 && (row = firstOf(row, end)) < end) { b = row; row += ROW; }
    if (c == 0 && (row = firstOf(row, end)) < end) { c = row; row += ROW; }
    if (d == 0 && (row = firstOf(row, end)) < end) { d = row; row += ROW; }
    if (a == 0) return;
    if (b == 0) sumOne(a, leftOf(a));
    else if (c == 0) sumTwo(a, b, min(leftOf(a), leftOf(b)));
    else if (d == 0) sumThree(a, b, c, min(min(leftOf(a), leftOf(b)), leftOf(c)));
    else {
      const n = min(min(leftOf(a), leftOf(b)), min(leftOf(c), leftOf(d)));
      sumFour(a, b, c, d, n);
      if (leftOf(d) == 0) d = nextOf(d);
    }
    if (c != 0 && leftOf(c) == 0 && (c = nextOf(c)) == 0) { c = d; d = 0; }
    if (b != 0 && leftOf(b) == 0 && (b = nextOf(b)) == 0) { b = c; c = d; d = 0; }
    if (leftOf(a) == 0 && (a = nextOf(a)) == 0) { a = b; b = c; c = d; d = 0; }
  }
}

/** The first value of zero, whose sign a plain loop keeps. */
function firstZero(p: usize): f64 {
  while (load<f64>(p) != 0) p += 8;
  return load<f64>(p);
}

/** Smallest, largest, mean and squares of a run of `n` values that begins at `p`. */
function finish(row: usize, p: usize, n: usize): void {
  const from = p, end = p + (n << 3);
  const mean = load<f64>(row, SUM) / <f64>n;
  const center = f64x2.splat(mean);
  let low = v128.load64_splat(p), high = low;
  let ab = f64x2.splat(0), cd = ab;
  for (; p + 32 <= end; p += 32) {
    const x = v128.load(p), y = v128.load(p, 16);
    low = f64x2.pmin(low, f64x2.pmin(x, y));
    high = f64x2.pmax(high, f64x2.pmax(x, y));
    const e = f64x2.sub(x, center), f = f64x2.sub(y, center);
    ab = f64x2.add(ab, f64x2.mul(e, e));
    cd = f64x2.add(cd, f64x2.mul(f, f));
  }
  let smallest = f64x2.extract_lane(low, 0), largest = f64x2.extract_lane(high, 0);
  const otherLow = f64x2.extract_lane(low, 1), otherHigh = f64x2.extract_lane(high, 1);
  if (otherLow < smallest) smallest = otherLow;
  if (otherHigh > largest) largest = otherHigh;
  let first = f64x2.extract_lane(ab, 0);
  for (; p < end; p += 8) {
    const value = load<f64>(p);
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
    const distance = value - mean;
    first += distance * distance;
  }
  if (smallest == 0) smallest = firstZero(from);
  if (largest == 0) largest = firstZero(from);
  const squares = first + f64x2.extract_lane(ab, 1) +
    (f64x2.extract_lane(cd, 0) + f64x2.extract_lane(cd, 1));
  store<f64>(row, <f64>n, COUNT);
  store<f64>(row, smallest, MIN);
  store<f64>(row, mean, MEAN);
  store<f64>(row, largest, MAX);
  store<f64>(row, squares, M2);
}

/** Set in the end of a run with which the next one shares a window. */
const SHARED: u32 = 1 << 31;

/**
 * Statistics of `n >= 1` runs of values, one after the other.
 *
 * @param ends u32: index behind the last value of each run, ascending; no run is empty. The highest
 *   bit is set if the next run is of the same window.
 * @param before Sum of the values of the first one's window so far.
 * @param nothing Sum of no values: 0 or −0.
 * @param out Rows, 64 bytes each.
 */
export function windowRuns(
  values: usize,
  ends: usize,
  n: u32,
  before: f64,
  nothing: f64,
  out: usize,
): void {
  const last = out + <usize>n * ROW;
  let p = values;
  for (let row = out; row < last; row += ROW, ends += 4) {
    const code = load<u32>(ends);
    const end = values + (<usize>(code & ~SHARED) << 3);
    store<usize>(row, p, NEXT);
    store<usize>(row, end, END);
    store<u32>(row, code & SHARED, GOES_ON);
    store<f64>(row, 0, SUM);
    store<f64>(row, before, TOTAL);
    before = nothing;
    p = end;
  }
  sumAll(out, last);
  p = values;
  for (let row = out; row < last; row += ROW) {
    const end = load<usize>(row, END);
    finish(row, p, (end - p) >> 3);
    p = end;
  }
}
