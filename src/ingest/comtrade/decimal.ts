/**
 * Exact decimals: rates and factors as files write them.
 *
 * @module
 */

/** A fraction, exactly. */
export interface Fraction {
  /** Has the sign. */
  readonly numerator: bigint;
  /** Above 0. */
  readonly denominator: bigint;
}

/** Most characters of a number: each sample is divided by all its digits. */
const MAX_CHARACTERS = 64;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Parses a decimal number.
 *
 * @returns `undefined` if the text is none, or has more than 64 characters.
 */
export function parseFraction(text: string): Fraction | undefined {
  const number = text.trim();
  const match = number.length > MAX_CHARACTERS ? null : DECIMAL.exec(number);
  if (match === null) return undefined;
  const [, sign, whole = "", part = "", exponent = "0"] = match;
  if (whole === "" && part === "") return undefined;
  const digits = BigInt(`${whole}${part}`);
  const scale = Number(exponent) - part.length;
  const signed = sign === "-" ? -digits : digits;
  return scale >= 0
    ? { numerator: signed * 10n ** BigInt(scale), denominator: 1n }
    : { numerator: signed, denominator: 10n ** BigInt(-scale) };
}

/** `a / b` rounded to the nearest integer, halves up; `b` is above 0. */
export function divideRounded(a: bigint, b: bigint): bigint {
  const doubled = 2n * a + b;
  const quotient = doubled / (2n * b);
  return doubled < 0n && doubled % (2n * b) !== 0n ? quotient - 1n : quotient;
}
