// Natural numbers of any size, for what 128 bits cannot decide: the table of powers of ten, `%f` of
// doubles from 2^63 on, and decimals that lie next to the middle between two doubles.
// A number is a pointer to little-endian 32-bit limbs and a count of limbs without leading zeros;
// zero has none. Every function takes the count and returns the new one. The buffers belong to the
// caller; LIMBS says how long the longest number of this project becomes: 800 decimal digits
// (2,658 bits) times 2^1,100, or 2^54 · 5^1,142.

/** Limbs a buffer must hold. */
export const LIMBS: i32 = 144;

/** `v` into the buffer. */
export function bigFrom(at: usize, v: u64): i32 {
  store<u64>(at, v);
  return v == 0 ? 0 : v >> 32 == 0 ? 1 : 2;
}

/** Times `factor` plus `addend`. */
export function bigMulAdd(at: usize, n: i32, factor: u32, addend: u32): i32 {
  let carry: u64 = addend;
  for (let i = 0; i < n; i++) {
    const p = at + (<usize>i << 2);
    const v = <u64>load<u32>(p) * factor + carry;
    store<u32>(p, <u32>v);
    carry = v >> 32;
  }
  if (carry != 0) {
    store<u32>(at + (<usize>n << 2), <u32>carry);
    n++;
  }
  return n;
}

/** Times 5^e. */
export function bigMulPow5(at: usize, n: i32, e: i32): i32 {
  while (e >= 13) {
    n = bigMulAdd(at, n, 1220703125, 0);
    e -= 13;
  }
  let rest: u32 = 1;
  while (e > 0) {
    rest *= 5;
    e--;
  }
  return bigMulAdd(at, n, rest, 0);
}

/** The remainder of the last {@link bigDiv}. */
let remainder: u32 = 0;

/** The remainder of the last division. */
export function bigRemainder(): u32 {
  return remainder;
}

/** Divided by `divisor`, rounded down. */
export function bigDiv(at: usize, n: i32, divisor: u32): i32 {
  let rest: u64 = 0;
  for (let i = n - 1; i >= 0; i--) {
    const p = at + (<usize>i << 2);
    const v = (rest << 32) | load<u32>(p);
    const q = v / divisor;
    store<u32>(p, <u32>q);
    rest = v - q * divisor;
  }
  remainder = <u32>rest;
  while (n > 0 && load<u32>(at + (<usize>(n - 1) << 2)) == 0) n--;
  return n;
}

/** Times 2^bits. */
export function bigShiftLeft(at: usize, n: i32, bits: i32): i32 {
  if (n == 0) return 0;
  const limbs = bits >> 5;
  const rest = bits & 31;
  memory.copy(at + (<usize>limbs << 2), at, <usize>n << 2);
  memory.fill(at, 0, <usize>limbs << 2);
  n += limbs;
  if (rest == 0) return n;
  let carry: u32 = 0;
  for (let i = limbs; i < n; i++) {
    const p = at + (<usize>i << 2);
    const v = load<u32>(p);
    store<u32>(p, (v << rest) | carry);
    carry = v >> (32 - rest);
  }
  if (carry != 0) {
    store<u32>(at + (<usize>n << 2), carry);
    n++;
  }
  return n;
}

/** −1, 0 or 1 as `a` is less than, equal to or greater than `b`. */
export function bigCompare(a: usize, na: i32, b: usize, nb: i32): i32 {
  if (na != nb) return na < nb ? -1 : 1;
  for (let i = na - 1; i >= 0; i--) {
    const x = load<u32>(a + (<usize>i << 2));
    const y = load<u32>(b + (<usize>i << 2));
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

/** Bits `[from, from + 64)` of the number, zeros beyond both ends. */
export function bigBits(at: usize, n: i32, from: i32): u64 {
  let bits: u64 = 0;
  for (let i = 0; i < 64; i += 32) {
    const bit = from + i;
    bits |= (<u64>limbFrom(at, n, bit)) << i;
  }
  return bits;
}

/** Bits `[bit, bit + 32)`. */
function limbFrom(at: usize, n: i32, bit: i32): u32 {
  const limb = bit >> 5;
  const rest = bit & 31;
  const low: u64 = limb >= 0 && limb < n ? load<u32>(at + (<usize>limb << 2)) : 0;
  const next = limb + 1;
  const high: u64 = next >= 0 && next < n ? load<u32>(at + (<usize>next << 2)) : 0;
  return <u32>(((high << 32) | low) >> rest);
}

/** Number of bits; 0 for zero. */
export function bigLength(at: usize, n: i32): i32 {
  return n == 0 ? 0 : (n << 5) - clz(load<u32>(at + (<usize>(n - 1) << 2)));
}
