// Decimal digits as text to their number, up to sixteen at a time. Bytes beyond the digits are read, 16
// from their beginning on, and do not matter.

const IOTA: v128 = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

/** Sixteen bytes less the byte of a zero: those below 10 are digits. */
// @ts-ignore: decorator
@inline
export function digitsAt(p: usize): v128 {
  return i8x16.sub(v128.load(p), i8x16.splat(48));
}

/** Marks those of sixteen bytes that are no digit: a bit for each, and one more behind them. */
// @ts-ignore: decorator
@inline
export function othersOf(digits: v128): i32 {
  return i8x16.bitmask(i8x16.ge_u(digits, i8x16.splat(10))) | 0x10000;
}

/** The number of sixteen digits. */
// @ts-ignore: decorator
@inline
export function numberOf16(digits: v128): u64 {
  const tens = i16x8.mul(v128.and(digits, i16x8.splat(0xff)), i16x8.splat(10));
  const pairs = i16x8.add(tens, i16x8.shr_u(digits, 8));
  const fours = i32x4.dot_i16x8_s(pairs, i32x4.splat(0x10064));
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(fours, fours), i32x4.splat(0x12710));
  const both = <u64>i64x2.extract_lane(eights, 0);
  return (both & 0xffffffff) * 100000000 + (both >> 32);
}

/** The number of the first `count` digits, at most 16; the byte at `gap` is none of them. */
// @ts-ignore: decorator
@inline
export function numberOfDigits(digits: v128, count: i32, gap: i32): u64 {
  const from = i8x16.add(IOTA, i8x16.splat(<i8>(count - 16)));
  const behind = i8x16.ge_s(from, i8x16.splat(<i8>gap));
  return numberOf16(i8x16.swizzle(digits, i8x16.sub(from, behind)));
}
