/**
 * The count of whole numbers and decimals of a file that no double holds.
 *
 * @module
 */

/** Below it decimals of one scale have a double each, which is written as they are. */
const SURE_DIGITS = 2 ** 52;
/** Most digits that JavaScript writes behind the point of a double. */
const MOST_DIGITS = 100;

/** Makes doubles of numbers with more digits, and counts those that come out rounded. */
export class RoundedNumbers {
  /** Numbers so far that were rounded to the nearest double. */
  count = 0;

  /** A whole number; counted unless a double holds it. */
  integer(value: bigint): number {
    const n = Number(value);
    if (!Number.isSafeInteger(n) && BigInt(n) !== value) this.count++;
    return n;
  }

  /**
   * A decimal from its digits and its scale, rounded once; counted unless the double is exactly it,
   * or is it again when it is written with the fewest digits that tell it from others.
   *
   * @param scale Number of digits after the point, 0 to 76.
   */
  decimal(digits: bigint | number, scale: number): number {
    const n = Number(digits);
    const isSafe = Number.isSafeInteger(n);
    // Both are exact, so the quotient is rounded once (2^53; 10^22 is the last exact power of ten).
    const value = isSafe && scale <= 22 ? n / 10 ** scale : Number(`${digits}e${-scale}`);
    const isSure = isSafe && (scale === 0 || Math.abs(n) < SURE_DIGITS);
    if (!isSure && !isHeld(value, BigInt(digits), scale)) this.count++;
    return value;
  }
}

/** Tells whether a double is exactly a decimal, or is written as it with the fewest digits. */
function isHeld(value: number, digits: bigint, scale: number): boolean {
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const fewest = mantissa.replace(".", "");
  const point = mantissa.includes(".") ? mantissa.length - mantissa.indexOf(".") - 1 : 0;
  const zeros = Number(exponent) - point + scale;
  const isWritten = zeros >= 0
    ? BigInt(fewest) * 10n ** BigInt(zeros) === digits
    : BigInt(fewest) === digits * 10n ** BigInt(-zeros);
  if (isWritten) return true;
  // Doubles from 2^53 on are whole, and those from 10^21 on are not written with all digits.
  if (Math.abs(value) >= 2 ** 53) return BigInt(value) * 10n ** BigInt(scale) === digits;
  const all = BigInt(value.toFixed(MOST_DIGITS).replace(".", ""));
  return all === digits * 10n ** BigInt(MOST_DIGITS - scale);
}
