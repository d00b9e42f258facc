/**
 * The count of whole numbers and decimals of a file that no double holds.
 *
 * @module
 */

/** Below it decimals of one scale have a double each, which is written as they are. */
const SURE_DIGITS = 2 ** 52;
/** Significant digits that every double holds, and most that one is written with. */
const SURE_LENGTH = 15;
const MOST_LENGTH = 17;
/** The last power of ten that is a double (5^22 is below 2^53). */
const EXACT_POWER = 22;

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
    const isShort = Number.isSafeInteger(n) && scale <= EXACT_POWER;
    // Both are exact, so the quotient is rounded once.
    if (isShort && (scale === 0 || Math.abs(n) < SURE_DIGITS)) return n / 10 ** scale;
    const all = BigInt(digits);
    const zeros = Math.floor(Math.log10(Math.abs(n))) + 1 - SURE_LENGTH;
    if (zeros > 0 && zeros < powersOf10.length && all % powersOf10[zeros]! === 0n) {
      const power = scale - zeros;
      const first = Number(all / powersOf10[zeros]!);
      if (power >= 0 && power <= EXACT_POWER) return first / 10 ** power;
      return Number(`${digits}e${-scale}`);
    }
    const value = isShort ? n / 10 ** scale : Number(`${digits}e${-scale}`);
    if (Number.isFinite(value) && !isHeld(value, all, scale)) this.count++;
    return value;
  }
}

/** Powers, so that none is computed for each value. */
const powersOf10 = Array.from({ length: 78 }, (_, n) => 10n ** BigInt(n));
const powersOf5 = Array.from({ length: 77 }, (_, n) => 5n ** BigInt(n));

/** Tells whether a double is exactly a decimal, or is written as it with the fewest digits. */
function isHeld(value: number, digits: bigint, scale: number): boolean {
  const five = powersOf5[scale]!;
  if (digits % five === 0n) {
    // What is left is divided by a power of two, which changes no digit of a double.
    const rest = digits / five;
    const nearest = Number(rest);
    if (Number.isFinite(nearest) && BigInt(nearest) === rest) return true;
  }
  if (digits % 10n !== 0n && Math.abs(Number(digits)) >= 10 ** (MOST_LENGTH + 1)) return false;
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const fewest = BigInt(mantissa.replace(".", ""));
  const behindPoint = mantissa.includes(".") ? mantissa.length - mantissa.indexOf(".") - 1 : 0;
  const power = Number(exponent) - behindPoint + scale;
  return power >= 0
    ? fewest * 10n ** BigInt(power) === digits
    : fewest === digits * 10n ** BigInt(-power);
}
