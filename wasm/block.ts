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

/** The bits that any of the doubles of {@link survey} has. */
let anyBits: u64 = 0;
/** The bits in which any of them differs from the first. */
let otherBits: u64 = 0;
/** The largest of their sizes. */
let highest: f64 = 0;
/** Tells whether a −0 is among them. */
let hasMinusZero: bool = false;

/** Looks at `n` doubles, behind which the last one stands again where their number is odd. */
function survey(at: usize, n: u32): void {
  const first = v128.load64_splat(at), minus = i64x2.splat(<i64>SIGN);
  let any = i64x2.splat(0), other = any, zeros = any;
  let high = f64x2.splat(0);
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 16) {
    const value = v128.load(p);
    any = v128.or(any, value);
    other = v128.or(other, v128.xor(value, first));
    zeros = v128.or(zeros, i64x2.eq(value, minus));
    high = f64x2.pmax(high, f64x2.abs(value));
  }
  anyBits = <u64>(i64x2.extract_lane(any, 0) | i64x2.extract_lane(any, 1));
  otherBits = <u64>(i64x2.extract_lane(other, 0) | i64x2.extract_lane(other, 1));
  highest = max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1));
  hasMinusZero = v128.any_true(zeros);
}

/** Doubles to integers in the same order, less `zeros` trailing bits; as doubles where they are small. */
function fromBits(at: usize, n: u32, zeros: u32, small: bool, out: usize): void {
  const magnitude = i64x2.splat(~SIGN), zero = i64x2.splat(0);
  const magic = f64x2.splat(MAGIC), magicBits = i64x2.splat(MAGIC_BITS);
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 16, out += 16) {
    const bits = v128.load(p);
    const size = i64x2.shr_u(v128.and(bits, magnitude), zeros);
    const integer = v128.xor(size, i64x2.lt_s(bits, zero));
    v128.store(out, small ? f64x2.sub(i64x2.add(integer, magicBits), magic) : integer);
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
 * Writes the values times 10^k, which are integers, as doubles; whether every one is exact. None may be
 * −0, and of an odd number the last one stands there twice.
 */
function fromDecimal(at: usize, n: u32, k: u32, out: usize): bool {
  const power = v128.load64_splat(POWERS + (<usize>k << 3)), most = f64x2.splat(MAX_EXACT);
  let high = f64x2.splat(0);
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 16, out += 16) {
    const value = v128.load(p);
    const scaled = f64x2.nearest(f64x2.mul(value, power));
    const size = f64x2.abs(scaled);
    const same = i64x2.eq(f64x2.div(scaled, power), value);
    if (!i64x2.all_true(v128.and(same, f64x2.lt(size, most)))) return false;
    high = f64x2.pmax(high, size);
    v128.store(out, scaled);
  }
  largest = max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1));
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

/** Fewest decimals that make every value an integer, of those up to `most`; -1 if there are none. */
function decimals(at: usize, n: u32, most: u32, out: usize): i32 {
  for (let k: u32 = 0; k <= most; k++) {
    if (fromDecimal(at, n, k, out)) return k;
  }
  return -1;
}

/** Zeros behind the last binary place of {@link binaries}: those of the values, where it is negative. */
let spareZeros: u32 = 0;

/**
 * Fewest binary places that make every value an integer below 2^53, after {@link survey}; -1 if there
 * are too many.
 */
function binaries(at: usize, n: u32): i32 {
  spareZeros = 0;
  largest = highest;
  if (anyBits == 0) return 0;
  if (highest == 0 || !(highest < MAX_EXACT)) return -1;
  const most = min(1075 - <i32>(reinterpret<u64>(highest) >> 52), MAX_BINARY);
  const power = f64x2.splat(<f64>(<u64>1 << most));
  const two52 = f64x2.splat(TWO_52);
  let any = i64x2.splat(0);
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 16) {
    const scaled = f64x2.mul(v128.load(p), power);
    if (!i64x2.all_true(f64x2.eq(f64x2.nearest(scaled), scaled))) return -1;
    // The integer's last 52 bits are those of the double once it is 2^52 or more.
    const size = f64x2.abs(scaled);
    any = v128.or(any, f64x2.add(size, v128.and(f64x2.lt(size, two52), two52)));
  }
  const bits = i64x2.extract_lane(any, 0) | i64x2.extract_lane(any, 1);
  const places = most - <i32>ctz(bits | (1 << 52));
  if (places < 0) spareZeros = -places;
  largest = highest * <f64>(<u64>1 << max(places, 0));
  return max(places, 0);
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

/** Number of powers of ten, less one, that are at most four times 2^places. */
function mostDecimals(places: i32): u32 {
  const most = <f64>(<u64>1 << (places + 2));
  let k: u32 = 0;
  while (k < MAX_DECIMALS && load<f64>(POWERS + (<usize>k << 3), 8) <= most) k++;
  return k;
}

/**
 * Encodes `n` points. `scratch` has room for 3·n + 6 integers and 3 tables of run_order.ts; `out` for
 * 32 + 17·n + n/4 bytes and 8 more; there are 8 bytes more behind `values`. Overwrites `times`. Returns
 * the number of bytes written.
 *
 * Forms that cannot be the shortest are not tried: of integers that are everywhere larger by a factor
 * all differences are larger too.
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
  let small = false, isPlainLonger = false;
  const behind = values + (<usize>n << 3);
  if ((n & 1) != 0) store<f64>(behind, load<f64>(behind - 8));
  survey(values, n);
  if (!hasMinusZero) {
    const places = binaries(values, n);
    const isEven = spareZeros == 0;
    const high = largest;
    const k = decimals(values, n, places < 0 ? MAX_DECIMALS : mostDecimals(places), decimal);
    if (k >= 0) {
      small = largest < MAX_SMALL;
      const order = orderOfScaled(decimal, n, bestBits, table);
      take(MODE_DECIMAL, k, order, decimal, table);
    }
    // Decimals that are much smaller integers are shorter.
    const isShorter = k >= 0 && (places == 0 ||
      4 * load<f64>(POWERS + (<usize>k << 3)) <= <f64>(<u64>1 << places));
    if (places >= 0 && !isShorter) {
      largest = high;
      fromBinary(values, n, places, binary);
      const order = orderOfScaled(binary, n, bestBits, table2);
      if (runBits < bestBits) {
        small = largest < MAX_SMALL;
        take(MODE_BINARY, places, order, binary, table2);
        // With one exponent the bits are the same integers, and a large one more.
        isPlainLonger = isEven && otherBits >> 52 == 0;
      }
    }
  }
  if (!isPlainLonger) {
    const zeros = <u32>ctz(anyBits | (1 << 52));
    const isSmall = zeros >= 12;
    fromBits(values, n, zeros, isSmall, plain);
    const limit = bestBits + <u64>(bestBits != u64.MAX_VALUE);
    const order = isSmall
      ? shortestOrderOfDoubles(plain, n, 0, limit, table3)
      : shortestOrder(plain, n, limit, table3);
    if (runBits <= bestBits) {
      small = isSmall;
      take(MODE_BITS, zeros, order, plain, table3);
    }
  }
  if (small) toIntegers(bestRun, n, true);
  store<u8>(at, bestMode);
  store<u8>(at, <u8>bestParameter, 1);
  return packRun(bestRun, n, bestOrder, bestTable, at + 2) - out;
}

/**
 * Decodes the block at `src` of `n` points, the number at its beginning. Its end; 0 if it is malformed or
 * does not end by `end`.
 */
function decodeBlock(src: usize, end: usize, n: u32, times: usize, values: usize): usize {
  const at = unpackRun(src + 4, end, n, times);
  if (at == 0 || at + 2 > end) return 0;
  const mode = load<u8>(at);
  const parameter: u32 = load<u8>(at, 1);
  const next = unpackRun(at + 2, end, n, values);
  if (mode == MODE_BITS && parameter <= 52) {
    toBits(values, n, parameter);
    return next;
  }
  if (mode == MODE_DECIMAL && parameter <= MAX_DECIMALS) {
    unscale(values, n, load<f64>(POWERS + (<usize>parameter << 3)));
    return next;
  }
  if (mode == MODE_BINARY && parameter <= <u32>MAX_BINARY) {
    unscale(values, n, <f64>(<u64>1 << parameter));
    return next;
  }
  return 0;
}

/**
 * Decodes the blocks in `[src, end)`, one behind the other, of `n` points together. True if they are well
 * formed and end there. Reads up to 8 bytes beyond `end`.
 */
export function decodeBlocks(src: usize, end: usize, n: u32, times: usize, values: usize): bool {
  while (n > 0 && src + 4 <= end) {
    const points = load<u32>(src);
    if (points == 0 || points > n) return false;
    src = decodeBlock(src, end, points, times, values);
    if (src == 0) return false;
    n -= points;
    times += <usize>points << 3;
    values += <usize>points << 3;
  }
  return n == 0 && src == end;
}
