// Numbers of digits and a point alone, whose end is known: cells of tables, as programs write them.

import { mulHigh } from "./mul_high";
import { parsedEnd, parseNumber, POWERS } from "./parse_number";
import { log2Pow10, pow10 } from "./pow10";
import { numberOf16 } from "./read_digits";

/** From its n-th byte on: 16 bytes, the last n of which are set. */
const LAST: usize = memory.data<u64>([0, 0, -1, -1], 16);

const POINT: i8 = 46;
/** From here on whole numbers may have no double. */
const TWO_53: f64 = 9007199254740992;

/**
 * The last 16 of the digits before `end`, those before the last `count` 0. A point is left out where
 * it stands before the last `fraction` digits; 16: there is none.
 */
// @ts-ignore: decorator
@inline
function digitsBefore(end: usize, count: usize, fraction: usize): v128 {
  const behind = v128.load(LAST + fraction);
  const bytes = v128.bitselect(v128.load(end - 16), v128.load(end - 17), behind);
  return v128.and(i8x16.sub(bytes, i8x16.splat(48)), v128.load(LAST + count));
}

/** Marks those of 16 bytes that are no digits. */
// @ts-ignore: decorator
@inline
function others(digits: v128): v128 {
  return i8x16.gt_u(digits, i8x16.splat(9));
}

/** The number of the last four of 16 digits. */
// @ts-ignore: decorator
@inline
function lastFour(digits: v128): u64 {
  const four = i32x4.extract_lane(digits, 3);
  const pairs = four * 10 + (four >> 8);
  return <u64>((pairs & 0xff) * 100 + ((pairs >> 16) & 0xff));
}

/** The whole number that {@link wholeWithin} read. */
export let whole: u64 = 0;

/** Reads the one to 19 digits from `p` to `end`; false if they are something else. */
// @ts-ignore: decorator
@inline
export function wholeWithin(p: usize, end: usize): bool {
  const count = end - p;
  if (count - 1 >= 19) return false;
  const low = digitsBefore(end, min(count, 16), 16);
  if (v128.any_true(others(low))) return false;
  whole = numberOf16(low);
  if (count <= 16) return true;
  const high = digitsBefore(end - 16, count - 16, 16);
  if (v128.any_true(others(high))) return false;
  whole += lastFour(high) * 10000000000000000;
  return true;
}

/** Powers of ten from 10^0 to 10^-19 as {@link scaled} takes them: 128 bits, and the exponent of two. */
const ENTRY: usize = 24;
const DOWN: usize = memory.data(20 * 24, 16);
let made: bool = false;

/** Makes the powers of ten. */
export function makePowers(): void {
  if (made) return;
  made = true;
  for (let n = 0; n < 20; n++) {
    const entry = DOWN + <usize>n * ENTRY;
    // Negative powers are taken rounded up.
    const low = load<u64>(pow10(-n), 8) + <u64>(n > 0);
    store<u64>(entry, load<u64>(pow10(-n)) + <u64>(n > 0 && low == 0));
    store<u64>(entry, low, 8);
    store<u64>(entry, <u64>(log2Pow10(-n) + 63 + 1023), 16);
  }
}

/** The double nearest to w · 10^-n, n at most 19, w at least 1: eiselLemire without the cases that cannot be. */
// @ts-ignore: decorator
@inline
function scaled(w: u64, n: usize): f64 {
  const zeros = clz(w);
  w <<= zeros;
  const entry = DOWN + n * ENTRY;
  let high = mulHigh(w, load<u64>(entry));
  let carried: u64 = 0;
  if ((high & 0x1ff) == 0x1ff) {
    carried = mulHigh(w, load<u64>(entry, 8));
    high += <u64>(w * load<u64>(entry) + carried < carried);
  }
  const upper = high >> 63;
  let mantissa = high >> (upper + 9);
  // Exactly between two doubles: to even.
  if (
    n <= 4 && w * load<u64>(entry) + carried <= 1 && (mantissa & 3) == 1 &&
    mantissa << (upper + 9) == high
  ) mantissa--;
  const power = load<u64>(entry, 16) + upper - zeros;
  // The leading bit, and a carry into the one above it, go to the exponent.
  return reinterpret<f64>(((mantissa + (mantissa & 1)) >> 1) + ((power - 1) << 52));
}

/**
 * Parses the number from `p` to `end` to `to`; false if it is none, or may be a whole one that no
 * double holds.
 */
// @ts-ignore: decorator
@inline
export function numberWithin(p: usize, end: usize, to: usize): bool {
  const sign = load<u8>(p);
  const start = p + <usize>(sign == 45 || sign == 43);
  const length = end - start;
  const points = i8x16.bitmask(i8x16.eq(v128.load(start), i8x16.splat(POINT)));
  if (length <= 16) {
    const before = <usize>ctz(points | 1 << <i32>length);
    const point = <usize>(before < length);
    const count = length - point;
    const fraction = count - before;
    const digits = digitsBefore(end, count, point ? fraction : 16);
    if (count - 1 < 15 && !v128.any_true(others(digits))) {
      const x = <f64><i64>numberOf16(digits) / load<f64>(POWERS + (fraction << 3));
      store<f64>(to, sign == 45 ? -x : x);
      return true;
    }
  } else if (length <= 20 && points != 0) {
    const count = length - 1;
    const fraction = count - <usize>ctz(points);
    const low = digitsBefore(end, 16, min(fraction, 16));
    let w = numberOf16(low);
    let bad = others(low);
    if (count <= 17 && fraction < count) {
      const first = load<u8>(start) - 48;
      bad = v128.or(bad, i8x16.splat(<i8>(first > 9)));
      w += <u64>(count == 17 ? first : 0) * 10000000000000000;
    } else {
      const high = digitsBefore(end - 16, count - 16, fraction > 16 ? fraction - 16 : 0);
      bad = v128.or(bad, others(high));
      w += lastFour(high) * 10000000000000000;
    }
    if (w != 0 && !v128.any_true(bad)) {
      const x = scaled(w, fraction);
      store<f64>(to, sign == 45 ? -x : x);
      return true;
    }
  }
  return otherNumber(p, end, to);
}

/** Parses a number that is not of digits and a point alone, or has many. */
function otherNumber(p: usize, end: usize, to: usize): bool {
  const x = parseNumber(p);
  if (parsedEnd() != end || !(abs(x) < TWO_53)) return false;
  store<f64>(to, x);
  return true;
}
