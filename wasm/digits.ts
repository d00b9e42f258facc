// Decimal digits as ASCII, eight at a time within a 64-bit word: first byte in memory is the first
// digit. Writers return the address after what they wrote and may touch up to 8 bytes beyond it.

const ZEROS: u64 = 0x3030303030303030;

/** `v` < 10^8 as eight digits of value 0 to 9, one a byte, the first in the lowest byte. */
// @ts-ignore: decorator
@inline
export function spread8(v: u32): u64 {
  const high = v / 10000;
  const fours = <u64>high | (<u64>(v - high * 10000) << 32);
  const hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007f;
  const twos = hundreds | ((fours - hundreds * 100) << 16);
  const tens = ((twos * 103) >> 10) & 0x000f000f000f000f;
  return tens | ((twos - tens * 10) << 8);
}

/** `v` < 10^8 as exactly eight digits. */
// @ts-ignore: decorator
@inline
export function write8(v: u32, out: usize): usize {
  store<u64>(out, spread8(v) | ZEROS);
  return out + 8;
}

/** `v` < 10^8 without leading zeros. */
// @ts-ignore: decorator
@inline
export function writeUpTo8(v: u32, out: usize): usize {
  if (v < 10) {
    store<u8>(out, 48 + v);
    return out + 1;
  }
  const digits = spread8(v);
  const skip = ctz(digits) >> 3;
  store<u64>(out, (digits | ZEROS) >> (skip << 3));
  return out + 8 - <usize>skip;
}

/** `v` without leading zeros, at most 20 digits. */
export function writeU64(v: u64, out: usize): usize {
  if (v < 100000000) return writeUpTo8(<u32>v, out);
  const high = v / 100000000;
  const low = <u32>(v - high * 100000000);
  if (high < 100000000) return write8(low, writeUpTo8(<u32>high, out));
  const top = high / 100000000;
  return write8(low, write8(<u32>(high - top * 100000000), writeUpTo8(<u32>top, out)));
}

/** `v` in decimal, at most 20 characters. */
export function writeI64(v: i64, out: usize): usize {
  if (v >= 0) return writeU64(<u64>v, out);
  store<u8>(out, 45);
  return writeU64(<u64>-v, out + 1);
}

/** `v` < 10^9 as exactly nine digits. */
// @ts-ignore: decorator
@inline
export function write9(v: u32, out: usize): usize {
  const high = v / 10;
  write8(high, out);
  store<u8>(out, 48 + (v - high * 10), 8);
  return out + 9;
}
