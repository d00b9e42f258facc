/**
 * Times of frames, exact or on the grid of the data rate.
 *
 * @module
 */

import type { Configuration } from "./configuration.ts";

/** Nanoseconds in a second. */
const NS = 1_000_000_000n;

/**
 * Time of a frame as its fraction says: seconds + fraction / timeBase, rounded to a nanosecond.
 *
 * @param soc Seconds since the Unix epoch.
 * @param fraction Fraction of the second, less than `timeBase`.
 * @param timeBase Units of a second.
 * @returns ns since the Unix epoch.
 */
export function exactTime(soc: number, fraction: number, timeBase: number): bigint {
  const base = BigInt(timeBase);
  return BigInt(soc) * NS + (2n * BigInt(fraction) * NS + base) / (2n * base);
}

/**
 * Time of a frame on the grid k / rate within the second, where the fraction is less than one unit of
 * `timeBase` away from it, so that rows of PMUs with other units join; else the exact time.
 *
 * @param soc Seconds since the Unix epoch.
 * @param fraction Fraction of the second, less than `timeBase`.
 * @param configuration Units of a second, and the data rate.
 * @returns ns since the Unix epoch.
 */
export function gridTime(
  soc: number,
  fraction: number,
  { timeBase, dataRate }: Pick<Configuration, "timeBase" | "dataRate">,
): bigint {
  const rate = dataRate < 0 ? 1 : dataRate;
  // All products are below 2^53, so that the comparison is exact.
  const tick = Math.round(fraction * rate / timeBase);
  const distance = Math.abs(fraction * rate - tick * timeBase);
  if (rate === 0 || distance >= rate) return exactTime(soc, fraction, timeBase);
  return BigInt(soc) * NS + BigInt(Math.round(tick * 1e9 / rate));
}
