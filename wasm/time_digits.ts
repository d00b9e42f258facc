// Digits of times: fields of one or more digits, and fractions of a second.

import { noteFiner } from "./parsed_time";

const POWERS: usize = memory.data<i64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
]);

/** True if a comma may stand before a fraction of a second. */
let commaFraction: bool = false;

/** Sets whether commas may stand before fractions. */
export function setFractionComma(comma: bool): void {
  commaFraction = comma;
}

/** 10^n, n at most 9. */
// @ts-ignore: decorator
@inline
export function powerOfTen(n: i32): i64 {
  return load<i64>(POWERS + (<usize>n << 3));
}

/** The digit at `p`; above 9 if it is none. */
// @ts-ignore: decorator
@inline
export function digitAt(p: usize): u32 {
  return <u32>load<u8>(p) - 48;
}

/** `digits` digits at `p`, or −1. */
export function fixedDigits(p: usize, digits: i32): i32 {
  let v = 0;
  for (let i = 0; i < digits; i++) {
    const digit = digitAt(p + i);
    if (digit > 9) return -1;
    v = v * 10 + <i32>digit;
  }
  return v;
}

/** The number that {@link numberAt} read. */
export let field: i32 = 0;

/** A number of one to `most` digits; the address behind it, or 0. */
export function numberAt(p: usize, most: i32): usize {
  let v = 0;
  let n = 0;
  let digit = digitAt(p);
  while (digit < 10 && n < most) {
    v = v * 10 + <i32>digit;
    digit = digitAt(p + ++n);
  }
  field = v;
  return n == 0 ? 0 : p + n;
}

/** The ns that {@link fractionAt} read. */
export let fraction: i64 = 0;

/** Sets a fraction of 0, for texts without one. */
export function clearFraction(): void {
  fraction = 0;
}

/** Reads the digits behind the point; the address behind them, or 0. */
export function fractionAt(p: usize): usize {
  let v: i64 = 0;
  let n = 0;
  let digit = digitAt(p);
  if (digit > 9) return 0;
  while (digit < 10) {
    if (n < 9) {
      v = v * 10 + digit;
      n++;
    } else if (digit != 0) {
      noteFiner();
    }
    digit = digitAt(++p);
  }
  fraction = v * powerOfTen(9 - n);
  return p;
}

/** Tells whether the mark of a fraction of a second is at `p`, with a digit behind it. */
// @ts-ignore: decorator
@inline
export function isPoint(p: usize): bool {
  const c = load<u8>(p);
  return (c == 46 || c == 44 && commaFraction) && digitAt(p + 1) < 10;
}
