// The 128 leading bits of the powers of ten from 10^−342 to 10^324, rounded down:
// ⌊10^k · 2^(127 − ⌊log2 10^k⌋)⌋. Both directions of the conversion use them (format_number.ts,
// parse_number.ts). The table is made at the first use, in a fifth of a millisecond, rather than
// stored in the module: exact for positive powers by multiplying, for negative ones by dividing
// 2^960 by five again and again (⌊⌊x / 5⌋ / 5⌋ = ⌊x / 25⌋).

import { bigBits, bigDiv, bigFrom, bigLength, bigMulAdd, bigShiftLeft, LIMBS } from "./bignum";

const MIN: i32 = -342;
const MAX: i32 = 324;
const TABLE: usize = memory.data((MAX - MIN + 1) << 4, 16);
const WORK: usize = memory.data(LIMBS << 2, 16);
let made: bool = false;

/** Keeps the 128 leading bits of the number in WORK as the entry of 10^k. */
function keep(k: i32, n: i32): void {
  const entry = TABLE + (<usize>(k - MIN) << 4);
  const from = bigLength(WORK, n) - 128;
  store<u64>(entry, bigBits(WORK, n, from + 64));
  store<u64>(entry, bigBits(WORK, n, from), 8);
}

function make(): void {
  made = true;
  let n = bigFrom(WORK, 1);
  for (let k = 0; k <= MAX; k++) {
    keep(k, n);
    n = bigMulAdd(WORK, n, 5, 0);
  }
  n = bigShiftLeft(WORK, bigFrom(WORK, 1), 960);
  for (let k = -1; k >= MIN; k--) {
    n = bigDiv(WORK, n, 5);
    keep(k, n);
  }
}

/** Address of the entry of 10^k: the high 64 bits, then the low ones. */
// @ts-ignore: decorator
@inline
export function pow10(k: i32): usize {
  if (!made) make();
  return TABLE + (<usize>(k - MIN) << 4);
}

/** Tells whether the entry of 10^k is exact: 5^55 is the last that 128 bits hold. */
// @ts-ignore: decorator
@inline
export function isExact(k: i32): bool {
  return <u32>k <= 55;
}

/** ⌊log2(10^k)⌋ for |k| ≤ 1,233 (Giulietti, "The Schubfach way to render doubles", section 8.3). */
// @ts-ignore: decorator
@inline
export function log2Pow10(k: i32): i32 {
  return (k * 1741647) >> 19;
}
