/**
 * Rates as fractions.
 *
 * @module
 */

/**
 * The simplest fraction whose quotient is exactly this double, by continued fractions: 29.97 is
 * 2997/100, and 1/86400 is one a day.
 *
 * @param rate A double, at least 2^-20.
 */
export function rateFraction(rate: number): { count: bigint; seconds: bigint } {
  let [p, q, beforeP, beforeQ] = [1n, 0n, 0n, 1n];
  // The double is a whole number of 2^-72; Euclid's steps on it are exact and come to an end.
  let [above, below] = [BigInt(rate * 2 ** 72), 1n << 72n];
  while (below > 0n) {
    const whole = above / below;
    [p, beforeP] = [whole * p + beforeP, p];
    [q, beforeQ] = [whole * q + beforeQ, q];
    if (Number(p) / Number(q) === rate) break;
    [above, below] = [below, above % below];
  }
  return { count: p, seconds: q };
}
