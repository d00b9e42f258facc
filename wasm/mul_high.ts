// 64 × 64 → 128 bit products from 32-bit halves; WebAssembly has no such instruction.

/** The high 64 bits of `a · b`; the low ones are `a * b`. */
// @ts-ignore: decorator
@inline
export function mulHigh(a: u64, b: u64): u64 {
  const al = a & 0xffffffff;
  const ah = a >> 32;
  const bl = b & 0xffffffff;
  const bh = b >> 32;
  const hl = ah * bl;
  const mid = ((al * bl) >> 32) + (hl & 0xffffffff) + al * bh;
  return ah * bh + (hl >> 32) + (mid >> 32);
}
