// Points as compressed bytes, without loss: what the engine keeps in its leaves and its journal.
//
//   block    = count: u32, times: run, mode: u8, parameter: u8, values: run
//
// Runs are packed integers (packed_run.ts). Values become integers in one of three ways, whichever is
// shortest:
//
//   mode 0   the bits of the double, in order of value, less `parameter` trailing zero bits
//   mode 1   the value times 10^parameter, where that is exact
//   mode 2   the value times 2^parameter, where that is exact
//
// The idea of trying decimals is that of Afroozeh, Kuffo and Boncz, "ALP: Adaptive Lossless
// floating-Point Compression" (2023).

import { packRun, unpackRun } from "./packed_run";
import { MINI, ROW, runBits, shortestOrder, shortestOrderOfDoubles } from "./run_order";

const MODE_BITS: u8 = 0;
const MODE_DECIMAL: u8 = 1;
const MODE_BINARY: u8 = 2;
const MAX_DECIMALS: u32 = 12;
const MAX_BINARY: i32 = 60;
const MAX_EXACT: f64 = 9007199254740992;
/** Integers below this as doubles: their second differences are exact, and so is adding MAGIC. */
const MAX_SMALL: f64 = 2251799813685248;
/** 1.5 · 2^52: the last bits of a sum with it are those of the other summand as an integer. */
const MAGIC: f64 = 6755399441055744;
const MAGIC_BITS: i64 = 0x4338000000000000;
/** 2^52, and its bits: an integer below it in the last of them makes their sum. */
const TWO_52: f64 = 4503599627370496;
const TWO_52_BITS: i64 = 0x4330000000000000;
const SIGN: u64 = 0x8000000000000000;

const POWERS = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]);

// ---- values as integers ----------------------------------------------------------------------

/** Trailing zero bits that all `n` doubles share, at most 52. */
function sharedZeros(at: usize, n: u32): u32 {
  let any: u64 = 1 << 52;
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) any |= load<u64>(p);
  return <u32>ctz(any);
}

/** Doubles to integers in the same order, less `zeros` trailing bits. */
function fromBits(at: usize, n: u32, zeros: u32, out: usize): void {
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8, out += 8) {
    const bits = load<u64>(p);
    const magnitude = <i64>((bits & ~SIGN) >> zeros);
    store<i64>(out, <i64>bits < 0 ? ~magnitude : magnitude);
  }
}

/** Undoes `fromBits`, in place. */
function toBits(at: usize, n: u32, zeros: u32): void {
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) {
    const v = load<i64>(p);
    const sign = v >> 63;
    store<u64>(p, (<u64>(v ^ sign) << zeros) | (<u64>sign & SIGN));
  }
}

/** Largest absolute integer of the last {@link fromDecimal} or {@link binaries}, as a double. */
let largest: f64 = 0;

/**
 * Writes the values times 10^k, which are integers, as doubles; whether every one is exact. An integer
 * has no −0.
 */
function fromDecimal(at: usize, n: u32, k: u32, out: usize): bool {
  const one = load<f64>(POWERS + (<usize>k << 3));
  const power = f64x2.splat(one), most = f64x2.splat(MAX_EXACT), minus = i64x2.splat(<i64>SIGN);
  let high = f64x2.splat(0);
  const last = at + (<usize>(n - 1) << 3);
  for (let p = at; p < last; p += 16, out += 16) {
    const value = v128.load(p);
    const scaled = f64x2.nearest(f64x2.mul(value, power));
    const size = f64x2.abs(scaled);
    const same = i64x2.eq(f64x2.div(scaled, power), value);
    const good = v128.and(v128.andnot(same, i64x2.eq(value, minus)), f64x2.lt(size, most));
    if (!i64x2.all_true(good)) return false;
    high = f64x2.pmax(high, size);
    v128.store(out, scaled);
  }
  largest = max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1));
  if ((n & 1) == 0) return true;
  const value = load<f64>(last);
  const scaled = nearest(value * one);
  if (!(abs(scaled) < MAX_EXACT)) return false;
  if (reinterpret<u64>(scaled / one) != reinterpret<u64>(value)) return false;
  if (reinterpret<u64>(value) == SIGN) return false;
  largest = max(largest, abs(scaled));
  store<f64>(out, scaled);
  return true;
}

/** Doubles that are integers to integers, in place; `small` if all are below 2^51. */
function toIntegers(at: usize, n: u32, small: bool): void {
  const end = at + (<usize>n << 3);
  let p = at;
  if (small) {
    const magic = f64x2.splat(MAGIC), bits = i64x2.splat(MAGIC_BITS);
    for (; p + 8 < end; p += 16) {
      v128.store(p, i64x2.sub(f64x2.add(v128.load(p), magic), bits));
    }
  }
  for (; p < end; p += 8) store<i64>(p, <i64>load<f64>(p));
}

/** Writes the distances of integers from the first one as doubles; false if one is not in [0, 2^51). */
function fromFirst(at: usize, n: u32, out: usize): bool {
  const first = i64x2.splat(load<i64>(at));
  const bits = i64x2.splat(TWO_52_BITS), two52 = f64x2.splat(TWO_52);
  let any = i64x2.splat(0);
  const last = at + (<usize>(n - 1) << 3);
  for (let p = at; p < last; p += 16, out += 16) {
    const distance = i64x2.sub(v128.load(p), first);
    any = v128.or(any, distance);
    v128.store(out, f64x2.sub(v128.or(distance, bits), two52));
  }
  const distance = load<i64>(last) - load<i64>(at);
  store<f64>(out - <usize>((n & 1) == 0) * 8, <f64>distance);
  const all = i64x2.extract_lane(any, 0) | i64x2.extract_lane(any, 1) | distance;
  return <u64>all >> 51 == 0;
}

/** Fewest decimals that make every value an integer; -1 if there are too many. */
function decimals(at: usize, n: u32, out: usize): i32 {
  for (let k: u32 = 0; k <= MAX_DECIMALS; k++) {
    if (fromDecimal(at, n, k, out)) return k;
  }
  return -1;
}

/** Largest absolute value. */
function largestOf(at: usize, n: u32): f64 {
  let high = f64x2.splat(0);
  const last = at + (<usize>(n - 1) << 3);
  for (let p = at; p < last; p += 16) high = f64x2.pmax(high, f64x2.abs(v128.load(p)));
  return max(
    max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1)),
    abs(load<f64>(last)),
  );
}

/** Tells whether all values times 2^places are integers. */
function areIntegers(at: usize, n: u32, places: i32): bool {
  const one = <f64>(<u64>1 << places);
  const power = f64x2.splat(one);
  const last = at + (<usize>(n - 1) << 3);
  for (let p = at; p < last; p += 16) {
    const scaled = f64x2.mul(v128.load(p), power);
    if (!i64x2.all_true(f64x2.eq(f64x2.nearest(scaled), scaled))) return false;
  }
  const scaled = load<f64>(last) * one;
  return nearest(scaled) == scaled;
}

/** Fewest binary places that make every value an integer below 2^53; -1 if there are too many. */
function binaries(at: usize, n: u32): i32 {
  const high = largestOf(at, n);
  if (!(high < MAX_EXACT)) return -1;
  const room = 1075 - <i32>(reinterpret<u64>(high) >> 52);
  if (!areIntegers(at, n, min(room, MAX_BINARY))) return -1;
  let places: i32 = 0;
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) {
    const bits = load<u64>(p);
    if (bits == SIGN) return -1;
    if (bits == 0) continue;
    const exponent = <i32>((bits >> 52) & 0x7ff);
    if (exponent == 0) return -1;
    const zeros = <i32>ctz(bits | (1 << 52));
    places = max(places, 1075 - exponent - zeros);
    if (places > MAX_BINARY) return -1;
  }
  largest = high * <f64>(<u64>1 << places);
  return largest < MAX_EXACT ? places : -1;
}

/** Undoes scaling by `power`, in place. */
function unscale(at: usize, n: u32, power: f64): void {
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) store<f64>(p, <f64>load<i64>(p) / power);
}

/** Writes the values times 2^k, which are integers, as doubles. */
function fromBinary(at: usize, n: u32, k: i32, out: usize): void {
  const power = f64x2.splat(<f64>(<u64>1 << k));
  const end = at + (<usize>n << 3);
  // One more than there are is read and written where their number is odd.
  for (let p = at; p < end; p += 16, out += 16) {
    v128.store(out, f64x2.mul(v128.load(p), power));
  }
}

// ---- blocks ----------------------------------------------------------------------------------

/** Bits of the shortest form so far, and what it is. */
let bestBits: u64 = 0;
let bestMode: u8 = 0;
let bestParameter: i32 = 0;
let bestOrder: u8 = 0;
let bestRun: usize = 0;
let bestTable: usize = 0;

/** Takes a form, if it is shorter. */
// @ts-ignore: decorator
@inline
function take(mode: u8, parameter: i32, order: u8, run: usize, table: usize): void {
  bestBits = runBits;
  bestMode = mode;
  bestParameter = parameter;
  bestOrder = order;
  bestRun = run;
  bestTable = table;
}

/** Order of `n` integers as doubles, which become integers where doubles are not enough. */
function orderOfScaled(at: usize, n: u32, limit: u64, table: usize): u8 {
  if (largest < MAX_SMALL) return shortestOrderOfDoubles(at, n, 0, limit, table);
  toIntegers(at, n, false);
  return shortestOrder(at, n, limit, table);
}

/**
 * Encodes `n` points. `scratch` has room for 3·n + 6 integers and 3 tables of run_order.ts; `out` for
 * 32 + 17·n + n/4 bytes and 8 more; there are 8 bytes more behind `values`. Overwrites `times`. Returns
 * the number of bytes written.
 */
export function encodeBlock(
  times: usize,
  values: usize,
  n: u32,
  scratch: usize,
  out: usize,
): usize {
  const bytes = (<usize>n << 3) + 16;
  const tableBytes = <usize>((n + MINI - 1) / MINI) * ROW;
  const decimal = scratch, binary = scratch + bytes, plain = scratch + 2 * bytes;
  const table = scratch + 3 * bytes, table2 = table + tableBytes, table3 = table2 + tableBytes;
  store<u32>(out, n);
  const timeOrder = fromFirst(times, n, decimal)
    ? shortestOrderOfDoubles(decimal, n, load<i64>(times), u64.MAX_VALUE, table)
    : shortestOrder(times, n, u64.MAX_VALUE, table);
  const at = packRun(times, n, timeOrder, table, out + 4);

  bestBits = u64.MAX_VALUE;
  let small = false;
  const k = decimals(values, n, decimal);
  if (k >= 0) {
    small = largest < MAX_SMALL;
    const order = orderOfScaled(decimal, n, bestBits, table);
    take(MODE_DECIMAL, k, order, decimal, table);
  }
  const places = binaries(values, n);
  if (places >= 0) {
    fromBinary(values, n, places, binary);
    const order = orderOfScaled(binary, n, bestBits, table2);
    if (runBits < bestBits) {
      small = largest < MAX_SMALL;
      take(MODE_BINARY, places, order, binary, table2);
    }
  }
  const zeros = sharedZeros(values, n);
  fromBits(values, n, zeros, plain);
  const order = shortestOrder(plain, n, bestBits + <u64>(bestBits != u64.MAX_VALUE), table3);
  if (runBits <= bestBits) take(MODE_BITS, zeros, order, plain, table3);
  else if (small) toIntegers(bestRun, n, true);
  store<u8>(at, bestMode);
  store<u8>(at, <u8>bestParameter, 1);
  return packRun(bestRun, n, bestOrder, bestTable, at + 2) - out;
}

/**
 * Decodes the block in `[src, end)` of `n` points, the number at its beginning. True if it is well
 * formed and ends there. Reads up to 8 bytes beyond `end`.
 */
export function decodeBlock(src: usize, end: usize, n: u32, times: usize, values: usize): bool {
  const at = unpackRun(src + 4, end, n, times);
  if (at == 0 || at + 2 > end) return false;
  const mode = load<u8>(at);
  const parameter: u32 = load<u8>(at, 1);
  if (unpackRun(at + 2, end, n, values) != end) return false;
  if (mode == MODE_BITS && parameter <= 52) {
    toBits(values, n, parameter);
    return true;
  }
  if (mode == MODE_DECIMAL && parameter <= MAX_DECIMALS) {
    unscale(values, n, load<f64>(POWERS + (<usize>parameter << 3)));
    return true;
  }
  if (mode == MODE_BINARY && parameter <= <u32>MAX_BINARY) {
    unscale(values, n, <f64>(<u64>1 << parameter));
    return true;
  }
  return false;
}
