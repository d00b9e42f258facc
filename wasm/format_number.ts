// Doubles as decimal text, straight into bytes.
//
// writeFixed6: C's `%f`, six decimals, correctly rounded, exact ties to even. Infinity and NaN are
// written as BTrDB's server writes them: `+Inf`, `-Inf`, `NaN` (docs/protocol.md, "CSV").
// writeShortest: the shortest text that reads back to the same double, laid out as ECMAScript's
// Number::toString does; by Schubfach (Giulietti, "The Schubfach way to render doubles", 2021).
//
// Both return the address after the last character and may touch up to 16 bytes beyond it. The
// longest texts are 317 and 24 characters.

import { bigDiv, bigFrom, bigRemainder, bigShiftLeft, LIMBS } from "./bignum";
import { spread8, write8, writeU64, writeUpTo8 } from "./digits";
import { isExact, log2Pow10, pow10 } from "./pow10";
import { mulHigh } from "./mul_high";

const BIG: usize = memory.data(LIMBS << 2, 16);
const CHUNKS: usize = memory.data(40 << 2, 16);

/** Below this, x · 10^6 is computed with an error of at most 2^−9. */
const FAST_BOUND: f64 = 17592186044416.0; // 2^44
const EXPONENT: u64 = 0x7ff0000000000000;
const FRACTION: u64 = 0x000fffffffffffff;

/** `text` of up to eight characters, packed, `n` of them. */
// @ts-ignore: decorator
@inline
function writeWord(text: u64, n: usize, out: usize): usize {
  store<u64>(out, text);
  return out + n;
}

/** q / 10^6 with six decimals. */
// @ts-ignore: decorator
@inline
function writeMillionths(q: u64, out: usize): usize {
  let high: u64;
  let low: u32;
  if (q >> 32 == 0) {
    const small = <u32>q / 100000000;
    low = <u32>q - small * 100000000;
    high = small;
  } else {
    high = q / 100000000;
    low = <u32>(q - high * 100000000);
  }
  // The last eight digits: two before the point, six behind it.
  const digits = spread8(low) | 0x3030303030303030;
  if (high != 0) {
    out = writeU64(high, out);
    store<u16>(out, <u16>digits);
    out += 2;
  } else if (low >= 10000000) {
    store<u16>(out, <u16>digits);
    out += 2;
  } else {
    store<u8>(out, <u8>(digits >> 8));
    out += 1;
  }
  store<u8>(out, 46);
  store<u64>(out, digits >> 16, 1);
  return out + 7;
}

/** C's `%f` of `x`. */
export function writeFixed6(x: f64, out: usize): usize {
  const bits = reinterpret<u64>(x);
  if (<i64>bits < 0) {
    store<u8>(out, 45);
    out++;
  }
  x = abs(x);
  const scaled = x * 1e6;
  if (scaled < FAST_BOUND) {
    const rounded = nearest(scaled);
    // The rounding is certain unless the exact product may lie on the other side of the middle.
    if (abs(scaled - rounded) < 0.49609375) return writeMillionths(<u64><i64>rounded, out);
  }
  return writeFixed6Exact(x, bits, out);
}

/** The same for x ≥ 0 by integer arithmetic; the sign is already written. */
function writeFixed6Exact(x: f64, bits: u64, out: usize): usize {
  if ((bits & EXPONENT) == EXPONENT) return writeNotFinite(bits, out);
  if (x < 1.0) return writeMillionths(millionthsBelow1(bits), out);
  if (x >= 9223372036854775808.0) return writeHuge(bits, out);
  let whole = <u64>x;
  const fraction = <u64>((x - <f64>whole) * 4503599627370496.0); // 52 bits hold all of it
  let product = fraction * 1000;
  let part = (product >> 52) * 1000;
  product = (product & FRACTION) * 1000;
  part += product >> 52;
  const rest = product & FRACTION;
  const half: u64 = 1 << 51;
  if (rest > half || (rest == half && (part & 1) != 0)) part++;
  if (part == 1000000) {
    whole++;
    part = 0;
  }
  out = writeU64(whole, out);
  const last = load<u8>(out - 1);
  write8(<u32>part, out - 1);
  store<u8>(out - 1, last);
  store<u8>(out, 46);
  return out + 7;
}

/** +Inf, -Inf (the sign is written) or NaN. */
function writeNotFinite(bits: u64, out: usize): usize {
  if ((bits & FRACTION) != 0) {
    if (<i64>bits < 0) out--;
    return writeWord(0x4e614e, 3, out); // NaN
  }
  if (<i64>bits < 0) return writeWord(0x666e49, 3, out); // Inf
  return writeWord(0x666e492b, 4, out); // +Inf
}

/** Round-half-even of x · 10^6 for 0 ≤ x < 1 by a 128-bit product. */
function millionthsBelow1(bits: u64): u64 {
  const exponent = <i32>((bits & EXPONENT) >> 52);
  if (exponent < 1001) return 0; // x < 2^-22 < 10^-6 / 4
  const mantissa = (bits & FRACTION) | (FRACTION + 1);
  const shift = <u64>(1075 - exponent); // 53 to 74
  const high = mulHigh(mantissa, 1000000);
  const low = mantissa * 1000000;
  let q: u64;
  let rest: u64; // what is shifted out, its highest bit the highest of the word
  let sticky: bool = false;
  if (shift < 64) {
    q = (high << (64 - shift)) | (low >> shift);
    rest = low << (64 - shift);
  } else if (shift == 64) {
    q = high;
    rest = low;
  } else {
    q = high >> (shift - 64);
    rest = (high << (128 - shift)) | (low >> (shift - 64));
    sticky = low << (128 - shift) != 0;
  }
  const half: u64 = 1 << 63;
  if (rest > half || (rest == half && (sticky || (q & 1) != 0))) q++;
  return q;
}

/** `%f` of x ≥ 2^63: an integer of up to 309 digits. */
function writeHuge(bits: u64, out: usize): usize {
  const exponent = <i32>((bits & EXPONENT) >> 52);
  let n = bigFrom(BIG, (bits & FRACTION) | (FRACTION + 1));
  n = bigShiftLeft(BIG, n, exponent - 1075);
  let chunks = 0;
  while (n > 0) {
    n = bigDiv(BIG, n, 100000000);
    store<u32>(CHUNKS + (<usize>chunks << 2), bigRemainder());
    chunks++;
  }
  out = writeUpTo8(load<u32>(CHUNKS + (<usize>(chunks - 1) << 2)), out);
  for (let i = chunks - 2; i >= 0; i--) out = write8(load<u32>(CHUNKS + (<usize>i << 2)), out);
  return writeWord(0x3030303030302e, 7, out); // .000000
}

/** ECMAScript's Number::toString of `x`, but `-0` of −0, so that every number reads back. */
export function writeShortest(x: f64, out: usize): usize {
  const bits = reinterpret<u64>(x);
  if ((bits << 1) == 0) return bits == 0 ? writeWord(0x30, 1, out) : writeWord(0x302d, 2, out);
  if ((bits & EXPONENT) == EXPONENT && (bits & FRACTION) != 0) return writeWord(0x4e614e, 3, out);
  if (<i64>bits < 0) {
    store<u8>(out, 45);
    out++;
    x = -x;
  }
  if (x < 1e9 && x >= 1e-6) {
    // A decimal of at most 15 digits that reads back to x is the only one, so it is the shortest.
    const q = nearest(x * 1e6);
    if (q / 1e6 == x) return writeTrimmed(<u64><i64>q, out);
  } else if (x < 9007199254740992.0 && floor(x) == x) {
    return writeU64(<u64><i64>x, out);
  } else if ((bits & EXPONENT) == EXPONENT) {
    return writeWord(0x7974696e69666e49, 8, out); // Infinity
  }
  return schubfach(bits, out);
}

/** q / 10^6 without trailing zeros, 1 ≤ q < 10^15. */
// @ts-ignore: decorator
@inline
function writeTrimmed(q: u64, out: usize): usize {
  const end = writeMillionths(q, out);
  const digits = load<u64>(end - 8) >> 16; // the six decimals, the last one in byte 5
  const zeros = <usize>(clz((digits ^ 0x303030303030) << 16) >> 3);
  return zeros >= 6 ? end - 7 : end - zeros;
}

/** The shortest digits of a finite x > 0 and their exponent, then the layout. */
function schubfach(bits: u64, out: usize): usize {
  const biased = <i32>((bits & EXPONENT) >> 52);
  const fraction = bits & FRACTION;
  const c = biased != 0 ? fraction | (FRACTION + 1) : fraction;
  const q = biased != 0 ? biased - 1075 : -1074;
  const odd = c & 1;
  // The lower neighbour of a power of two is nearer than the upper one.
  const closer = <u64>(fraction == 0 && biased > 1);
  const k = (q * 1262611 - (closer != 0 ? 524031 : 0)) >> 22;
  const h = <u64>(q + log2Pow10(-k) + 1);
  const entry = pow10(-k);
  const inexact = <u64>!isExact(-k);
  const low = load<u64>(entry, 8) + inexact;
  const high = load<u64>(entry) + (inexact & <u64>(low == 0));

  // g · 4c · 2^h in three words, and the interval's ends: half of g · 4 · 2^h above and below it (a
  // quarter below a power of two). Each is rounded to odd as section 9.9 of the paper says.
  const scaled = (4 * c) << h;
  const p0 = low * scaled;
  const carried = mulHigh(low, scaled);
  const p1 = high * scaled + carried;
  const p2 = mulHigh(high, scaled) + <u64>(p1 < carried);
  const plus = h + 1;
  const a0 = p0 + (low << plus);
  const a1 = p1 + ((high << plus) | (low >> (64 - plus)));
  const b1 = a1 + <u64>(a0 < p0);
  const a2 = p2 + (high >> (64 - plus)) + <u64>(a1 < p1) + <u64>(b1 < a1);
  const minus = plus - closer;
  const d1 = (high << minus) | (low >> (64 - minus));
  const s1 = p1 - d1;
  const t1 = s1 - <u64>(p0 < low << minus);
  const s2 = p2 - (high >> (64 - minus)) - <u64>(p1 < d1) - <u64>(s1 < t1);
  const below = (s2 | <u64>(t1 > 1)) + odd;
  const v = p2 | <u64>(p1 > 1);
  const above = (a2 | <u64>(b1 > 1)) - odd;
  const s = v >> 2;
  if (s >= 10) {
    const tens = s / 10;
    const downFits = below <= 40 * tens;
    const upFits = 40 * tens + 40 <= above;
    if (downFits != upFits) return writeDecimal(tens + <u64>upFits, k + 1, out);
  }
  const downFits = below <= 4 * s;
  const upFits = 4 * s + 4 <= above;
  if (downFits != upFits) return writeDecimal(s + <u64>upFits, k, out);
  const middle = 4 * s + 2;
  const up = v > middle || (v == middle && (s & 1) != 0);
  return writeDecimal(s + <u64>up, k, out);
}

/** digits · 10^k laid out as Number::toString does. */
function writeDecimal(digits: u64, k: i32, out: usize): usize {
  while (digits % 10 == 0) {
    digits /= 10;
    k++;
  }
  const end = writeU64(digits, out);
  const n = <i32>(end - out);
  const point = n + k; // digits before the point
  if (k >= 0 && point <= 21) {
    memory.fill(end, 48, k);
    return end + k;
  }
  if (point > 0 && point <= 21) {
    // Not more than 16 digits stand behind the point.
    v128.store(out + point + 1, v128.load(out + point));
    store<u8>(out + point, 46);
    return end + 1;
  }
  if (point > -6 && point <= 0) {
    memory.copy(out + 2 - point, out, n);
    memory.fill(out, 48, 2 - point);
    store<u8>(out, 46, 1);
    return end + 2 - point;
  }
  return writeExponent(point - 1, n, out);
}

/** d.ddde±x from the `n` digits at `out`. */
function writeExponent(exponent: i32, n: i32, out: usize): usize {
  let end = out + n;
  if (n > 1) {
    memory.copy(out + 2, out + 1, n - 1);
    store<u8>(out, 46, 1);
    end++;
  }
  store<u8>(end, 101);
  store<u8>(end, exponent < 0 ? 45 : 43, 1);
  return writeUpTo8(<u32>(exponent < 0 ? -exponent : exponent), end + 2);
}
