// How often a run of integers is differenced before it is packed (packed_run.ts): all three ways are
// looked at in one pass, and given up once they are longer than what is known already.
//
// What is found goes to a table, a row for each miniblock: for each order the base (i64) and the width
// (u64), so that packing does not have to look again.

/** Integers of a miniblock. */
export const MINI: u32 = 64;
/** Bytes of a row of the table, and those for each order. */
export const ROW: usize = 48;
export const ROW_ORDER: usize = 16;

/** Bytes that hold `v`. */
// @ts-ignore: decorator
@inline
export function byteWidth(v: u64): u32 {
  return (71 - <u32>clz(v)) >> 3;
}

// @ts-ignore: decorator
@inline
export function zigzag(v: i64): u64 {
  return (<u64>v << 1) ^ <u64>(v >> 63);
}

/** Size of the last run that was looked at, bits; at least the limit if it was given up. */
export let runBits: u64 = 0;

/** Bits so far, and the base before, for each order. */
const BITS: usize = memory.data(24, 16);
const BASES: usize = memory.data(24, 16);

function begin(n: u32): u32 {
  const most: u32 = n > 2 ? 2 : n - 1;
  for (let k: u32 = 0; k < 3; k++) {
    store<u64>(BITS + (<usize>k << 3), k > most ? u64.MAX_VALUE : 64 * k);
    store<i64>(BASES + (<usize>k << 3), 0);
  }
  return most;
}

/** Notes the extent of a miniblock of `m` integers. */
// @ts-ignore: decorator
@inline
function note(k: u32, row: usize, low: i64, high: i64, m: u32): void {
  const at = <usize>k << 3;
  const width: u64 = 64 - clz(<u64>(high - low));
  const step = zigzag(low - load<i64>(BASES + at));
  store<u64>(BITS + at, load<u64>(BITS + at) + width * m + 16 + 8 * byteWidth(step));
  store<i64>(BASES + at, low);
  store<i64>(row + <usize>k * ROW_ORDER, low);
  store<u64>(row + <usize>k * ROW_ORDER, width, 8);
}

/** The order with the fewest bits, the smaller one of two; those bits in `runBits`. */
// @ts-ignore: decorator
@inline
function shortest(): u8 {
  let order: u8 = 0;
  runBits = load<u64>(BITS);
  for (let k: u8 = 1; k < 3; k++) {
    const bits = load<u64>(BITS + (<usize>k << 3));
    if (bits < runBits) {
      runBits = bits;
      order = k;
    }
  }
  return order;
}

/** The integer at `p` of a run differenced `k` times. */
// @ts-ignore: decorator
@inline
function differenced<T>(p: usize, k: u32): T {
  const a = load<T>(p);
  if (k == 0) return a;
  const b = load<T>(p, 8);
  if (k == 1) return (b - a) as T;
  return ((load<T>(p, 16) - b) - (b - a)) as T;
}

/** Notes the miniblocks from the i-th integer on, where not all orders have 64 more. */
// @ts-ignore: decorator
@inline
function noteLast<T>(at: usize, n: u32, i: u32, most: u32, row: usize, shift: i64): void {
  for (let k: u32 = 0; k <= most && i + k < n; k++) {
    const m = min(MINI, n - k - i);
    let p = at + (<usize>i << 3);
    const end = p + (<usize>m << 3);
    let low = differenced<T>(p, k);
    let high = low;
    for (p += 8; p < end; p += 8) {
      const v = differenced<T>(p, k);
      low = v < low ? v : low;
      high = v > high ? v : high;
    }
    const base = k == 0 ? shift : 0;
    note(k, row, <i64>low + base, <i64>high + base, m);
  }
}

/** Notes a miniblock of all orders. */
// @ts-ignore: decorator
@inline
function noteIntegers(at: usize, row: usize): void {
  let a = load<i64>(at), b = load<i64>(at, 8), c = load<i64>(at, 16);
  let d = b - a, e = c - b, f = e - d;
  let low0 = a, high0 = a, low1 = d, high1 = d, low2 = f, high2 = f;
  const end = at + (<usize>MINI << 3);
  for (let p = at + 8; p < end; p += 8) {
    a = b;
    b = c;
    c = load<i64>(p, 16);
    d = e;
    e = c - b;
    f = e - d;
    low0 = a < low0 ? a : low0;
    high0 = a > high0 ? a : high0;
    low1 = d < low1 ? d : low1;
    high1 = d > high1 ? d : high1;
    low2 = f < low2 ? f : low2;
    high2 = f > high2 ? f : high2;
  }
  note(0, row, low0, high0, MINI);
  note(1, row, low1, high1, MINI);
  note(2, row, low2, high2, MINI);
}

// @ts-ignore: decorator
@inline
function lowest(v: v128): i64 {
  const a = f64x2.extract_lane(v, 0), b = f64x2.extract_lane(v, 1);
  return <i64>(a < b ? a : b);
}

// @ts-ignore: decorator
@inline
function highest(v: v128): i64 {
  const a = f64x2.extract_lane(v, 0), b = f64x2.extract_lane(v, 1);
  return <i64>(a > b ? a : b);
}

/** As {@link noteIntegers}, of integers below 2^51 as doubles, to which `shift` is added. */
// @ts-ignore: decorator
@inline
function noteDoubles(at: usize, row: usize, shift: i64): void {
  let a = v128.load(at), b = v128.load(at, 8), c = v128.load(at, 16);
  let d = f64x2.sub(b, a);
  let f = f64x2.sub(f64x2.sub(c, b), d);
  let low0 = a, high0 = a, low1 = d, high1 = d, low2 = f, high2 = f;
  const end = at + (<usize>MINI << 3);
  for (let p = at + 16; p < end; p += 16) {
    a = c;
    b = v128.load(p, 8);
    c = v128.load(p, 16);
    d = f64x2.sub(b, a);
    f = f64x2.sub(f64x2.sub(c, b), d);
    low0 = f64x2.pmin(low0, a);
    high0 = f64x2.pmax(high0, a);
    low1 = f64x2.pmin(low1, d);
    high1 = f64x2.pmax(high1, d);
    low2 = f64x2.pmin(low2, f);
    high2 = f64x2.pmax(high2, f);
  }
  note(0, row, lowest(low0) + shift, highest(high0) + shift, MINI);
  note(1, row, lowest(low1), highest(high1), MINI);
  note(2, row, lowest(low2), highest(high2), MINI);
}

/**
 * Number of times to difference `n` integers that makes them shortest; {@link runBits} is their size then.
 * Gives up once they take `limit` bits. `table` has room for a row for each miniblock.
 */
export function shortestOrder(at: usize, n: u32, limit: u64, table: usize): u8 {
  const most = begin(n);
  let i: u32 = 0;
  for (; i + MINI + 2 <= n; i += MINI, table += ROW) {
    noteIntegers(at + (<usize>i << 3), table);
    const order = shortest();
    if (runBits >= limit) return order;
  }
  for (; i < n; i += MINI, table += ROW) noteLast<i64>(at, n, i, most, table, 0);
  return shortest();
}

/** As {@link shortestOrder}, of integers below 2^51 as doubles, to which `shift` is added. */
export function shortestOrderOfDoubles(
  at: usize,
  n: u32,
  shift: i64,
  limit: u64,
  table: usize,
): u8 {
  const most = begin(n);
  let i: u32 = 0;
  for (; i + MINI + 2 <= n; i += MINI, table += ROW) {
    noteDoubles(at + (<usize>i << 3), table, shift);
    const order = shortest();
    if (runBits >= limit) return order;
  }
  for (; i < n; i += MINI, table += ROW) noteLast<f64>(at, n, i, most, table, shift);
  return shortest();
}
