// A seeded hash of bytes, for tables whose keys come from strangers: products of 128 bits folded
// into 64, as in wyhash (Wang Yi, 2019). Equal bytes are found by comparison, never by hash alone.
// Both functions may read, but never use, up to 16 bytes beyond the end.

import { mulHigh } from "./mul_high";

const P1: u64 = 0xa0761d6478bd642f;
const P2: u64 = 0xe7037ed1a0b428db;
const P3: u64 = 0x8ebc6af09c88c6e3;

// @ts-ignore: decorator
@inline
function fold(a: u64, b: u64): u64 {
  return (a * b) ^ mulHigh(a, b);
}

/** The first `n` < 8 bytes of a word. */
// @ts-ignore: decorator
@inline
function firstBytes(word: u64, n: usize): u64 {
  return word & (((<u64>1) << (<u64>n << 3)) - 1);
}

/** The hash of `length` bytes at `p`. */
export function hashBytes(p: usize, length: usize, seed: u64): u64 {
  let h = seed ^ P1;
  let n = length;
  while (n >= 16) {
    h = fold(load<u64>(p) ^ P2, load<u64>(p, 8) ^ h);
    p += 16;
    n -= 16;
  }
  let a: u64 = 0, b: u64 = 0;
  if (n >= 8) {
    a = load<u64>(p);
    b = firstBytes(load<u64>(p, 8), n - 8);
  } else {
    a = firstBytes(load<u64>(p), n);
  }
  return fold(fold(a ^ P2, b ^ h) ^ P3, <u64>length ^ P1);
}

/** Tells whether `n` bytes at `a` and `b` are the same. */
export function sameBytes(a: usize, b: usize, n: usize): bool {
  while (n >= 16) {
    if (v128.any_true(v128.xor(v128.load(a), v128.load(b)))) return false;
    a += 16;
    b += 16;
    n -= 16;
  }
  if (n >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    n -= 8;
  }
  return firstBytes(load<u64>(a) ^ load<u64>(b), n) == 0;
}
