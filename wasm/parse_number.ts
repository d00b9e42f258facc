// Decimal text to the nearest double, ties to even: exactly what `Number(text)` gives.
//
// Accepted: [+-] digits [. digits] [e|E [+-] digits], where one of the two runs of digits may be
// empty. Up to 2^53 · 10^±22 one exact multiplication or division decides (Clinger); else the 128-bit product of Eisel
// and Lemire ("Number parsing at a gigabyte per second", 2021; no fallback is needed up to 19
// digits: Mushtak and Lemire, "Fast number parsing without fallback", 2023). More digits than 19
// are cut; if what was cut could matter, the decimal is compared with the middle between the two
// candidates in full.

import {
  bigCompare,
  bigFrom,
  bigMulAdd,
  bigMulPow5,
  bigShiftLeft,
  LIMBS,
} from "./bignum";
import { log2Pow10, pow10 } from "./pow10";
import { mulHigh } from "./mul_high";
import { digitsAt, numberOfDigits, othersOf } from "./read_digits";

/** Digits that can decide a comparison with the middle of two doubles: 767, rounded up. */
const MAX_DIGITS: i32 = 800;
/**
 * Beyond this an exponent means zero or infinity whatever the digits (a cell has less than 2^24).
 */
const MAX_EXPONENT: i32 = 100000000;
const FRACTION: u64 = 0x000fffffffffffff;

const LEFT: usize = memory.data(LIMBS << 2, 16);
const RIGHT: usize = memory.data(LIMBS << 2, 16);
/** The powers of ten that doubles hold, f64. */
export const POWERS: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
  1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]);

const SHORT: usize = memory.data(8, 16);

let stop: usize = 0;

/** Address after the text of the last {@link parseNumber}; 0 if it was no number. */
// @ts-ignore: decorator
@inline
export function parsedEnd(): usize {
  return stop;
}

// @ts-ignore: decorator
@inline
function digitAt(p: usize): u32 {
  return <u32>load<u8>(p) - 48;
}

/**
 * Parses the number at `p` to `to`, if it has at most 15 digits and no exponent; the address after it,
 * or 0. Reads up to 17 bytes from `p` on.
 */
// @ts-ignore: decorator
@inline
export function shortNumberEnd(p: usize, to: usize): usize {
  const sign = load<u8>(p);
  const start = p + <usize>(sign == 45 || sign == 43);
  const digits = digitsAt(start);
  const others = othersOf(digits);
  const whole = ctz(others);
  const point = <i32>(load<u8>(start + whole) == 46);
  const length = ctz(others & (others - point));
  const count = length - point;
  const after = load<u8>(start + length) | 32;
  if (length >= 16 || count == 0 || after == 101) return 0;
  const w = <f64><i64>numberOfDigits(digits, count, whole);
  const x = w / load<f64>(POWERS + (<usize>(count - whole) << 3));
  store<f64>(to, sign == 45 ? -x : x);
  return start + length;
}

/**
 * Parses the number at `p`, which must be followed by a byte that no number contains. Too large a
 * number gives Infinity. See {@link parsedEnd}.
 */
export function parseNumber(p: usize): f64 {
  const end = shortNumberEnd(p, SHORT);
  if (end != 0) {
    stop = end;
    return load<f64>(SHORT);
  }
  const sign = load<u8>(p);
  return parseAny(p + <usize>(sign == 45 || sign == 43), sign);
}

/** Parses any number whose digits, or a point, begin at `p`. */
function parseAny(p: usize, sign: u8): f64 {
  const start = p;
  let w: u64 = 0;
  let digit = digitAt(p);
  while (digit < 10) {
    w = w * 10 + digit;
    digit = digitAt(++p);
  }
  let digits = <i32>(p - start);
  let exponent: i32 = 0;
  if (digit == <u32>-2) { // the point
    const from = ++p;
    digit = digitAt(p);
    while (digit < 10) {
      w = w * 10 + digit;
      digit = digitAt(++p);
    }
    exponent = <i32>(from - p);
    digits -= exponent;
  }
  const mantissaEnd = p;
  stop = 0;
  if (digits == 0) return 0;
  if (digit == 53 || digit == 21) { // e, E
    const e = parseExponent(p + 1);
    if (stop == 0) return 0;
    p = stop;
    exponent += e;
  }
  stop = p;
  let x: f64;
  if (digits <= 19) {
    x = nearestDouble(w, exponent);
  } else {
    x = parseLong(start, mantissaEnd, exponent);
  }
  return sign == 45 ? -x : x;
}

/** The exponent at `p`, limited to ±MAX_EXPONENT; sets `stop` to its end if it has a digit. */
function parseExponent(p: usize): i32 {
  const sign = load<u8>(p);
  if (sign == 45 || sign == 43) p++;
  const from = p;
  let e: i32 = 0;
  let digit = digitAt(p);
  while (digit < 10) {
    if (e < MAX_EXPONENT) e = e * 10 + <i32>digit;
    digit = digitAt(++p);
  }
  if (p != from) stop = p;
  if (e > MAX_EXPONENT) e = MAX_EXPONENT;
  return sign == 45 ? -e : e;
}

/** The double nearest to w · 10^e. */
// @ts-ignore: decorator
@inline
function nearestDouble(w: u64, e: i32): f64 {
  if (w >> 53 == 0) {
    if (<u32>-e <= 22) return <f64><i64>w / load<f64>(POWERS + (<usize>-e << 3));
    if (<u32>e <= 22) return <f64><i64>w * load<f64>(POWERS + (<usize>e << 3));
  }
  return eiselLemire(w, e);
}

/** The double nearest to w · 10^q, for all w and q. */
export function eiselLemire(w: u64, q: i32): f64 {
  if (w == 0 || q < -342) return 0;
  if (q > 308) return Infinity;
  const zeros = clz(w);
  w <<= zeros;
  const entry = pow10(q);
  // Negative powers are taken rounded up, as the proof wants them.
  const low5 = load<u64>(entry, 8) + <u64>(q < 0);
  const high5 = load<u64>(entry) + <u64>(q < 0 && low5 == 0);
  let low = w * high5;
  let high = mulHigh(w, high5);
  if ((high & 0x1ff) == 0x1ff) {
    const carried = mulHigh(w, low5);
    low += carried;
    high += <u64>(low < carried);
  }
  const upper = high >> 63;
  let mantissa = high >> (upper + 9);
  let power = log2Pow10(q) + 63 + <i32>upper - <i32>zeros + 1023;
  if (power <= 0) return subnormal(mantissa, power);
  // Exactly between two doubles: to even.
  if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << (upper + 9) == high) {
    mantissa--;
  }
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >> 53 != 0) {
    mantissa >>= 1;
    power++;
  }
  if (power >= 0x7ff) return Infinity;
  return reinterpret<f64>((mantissa & FRACTION) | (<u64>power << 52));
}

/** The double of a mantissa with one bit too many, `power` ≤ 0 below the normal range. */
function subnormal(mantissa: u64, power: i32): f64 {
  if (power <= -63) return 0;
  mantissa >>= <u64>(1 - power);
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  return reinterpret<f64>(mantissa); // a carry into bit 52 makes the smallest normal number
}

/** More than 19 digits, a point possibly among them; `e` is the exponent of the last one. */
function parseLong(start: usize, end: usize, e: i32): f64 {
  let p = start;
  while (p < end && (load<u8>(p) == 48 || load<u8>(p) == 46)) p++;
  const first = p;
  let w: u64 = 0;
  let taken: i32 = 0;
  while (p < end && taken < 19) {
    const digit = digitAt(p++);
    if (digit > 9) continue;
    w = w * 10 + digit;
    taken++;
  }
  let cut: i32 = 0;
  let matters = false;
  while (p < end) {
    const digit = digitAt(p++);
    if (digit > 9) continue;
    cut++;
    if (digit != 0) matters = true;
  }
  const low = nearestDouble(w, e + cut);
  if (!matters) return low;
  const high = nearestDouble(w + 1, e + cut);
  return low == high ? low : decide(first, end, e, low, high);
}

/** The nearer of two neighbours of the decimal at [first, end), its last digit 10^e. */
function decide(first: usize, end: usize, e: i32, low: f64, high: f64): f64 {
  let n = bigFrom(LEFT, 0);
  let taken: i32 = 0;
  let cut: i32 = 0;
  let sticky = false;
  for (let p = first; p < end; p++) {
    const digit = digitAt(p);
    if (digit > 9) continue;
    if (taken < MAX_DIGITS) {
      n = bigMulAdd(LEFT, n, 10, digit);
      taken++;
    } else {
      cut++;
      if (digit != 0) sticky = true;
    }
  }
  e += cut;
  if (sticky) {
    n = bigMulAdd(LEFT, n, 10, 1);
    e--;
  }
  const bits = reinterpret<u64>(low);
  const biased = <i32>(bits >> 52);
  const mantissa = biased != 0 ? (bits & FRACTION) | (FRACTION + 1) : bits;
  const order = compareWithMiddle(n, e, 2 * mantissa + 1, (biased != 0 ? biased - 1075 : -1074) - 1);
  if (order != 0) return order < 0 ? low : high;
  return (mantissa & 1) == 0 ? low : high;
}

/** Compares LEFT · 10^e with m · 2^q. */
function compareWithMiddle(n: i32, e: i32, m: u64, q: i32): i32 {
  let right = bigFrom(RIGHT, m);
  if (e >= 0) n = bigMulPow5(LEFT, n, e);
  else right = bigMulPow5(RIGHT, right, -e);
  const shift = e - q;
  if (shift >= 0) n = bigShiftLeft(LEFT, n, shift);
  else right = bigShiftLeft(RIGHT, right, -shift);
  return bigCompare(LEFT, n, RIGHT, right);
}
