/**
 * Times of frames, exact or on the grid of the data rate.
 *
 * @module
 */

import { checkObject } from "../../core/check_object.ts";
import type { Configuration } from "./configuration.ts";
import { integerOption } from "./options.ts";

const ACTION = "read the time of a frame";

/** Nanoseconds in a second. */
const NS = 1_000_000_000n;

/**
 * Time of a frame as its fraction says: seconds + fraction / timeBase, rounded to a nanosecond.
 *
 * @param soc Seconds since the Unix epoch.
 * @param fraction Fraction of the second, less than `timeBase`.
 * @param timeBase Units of a second.
 * @returns ns since the Unix epoch.
 * @throws {RangeError} If a number is none that a frame can have.
 */
export function exactTime(soc: number, fraction: number, timeBase: number): bigint {
  checkNumbers(soc, fraction, timeBase);
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
 * @throws {RangeError} If a number is none that a frame can have.
 */
export function gridTime(
  soc: number,
  fraction: number,
  configuration: Pick<Configuration, "timeBase" | "dataRate">,
): bigint {
  checkObject(ACTION, "configuration", configuration);
  const { timeBase, dataRate } = configuration;
  checkNumbers(soc, fraction, timeBase);
  integerOption(ACTION, dataRate, "dataRate", -32_768, 32_767);
  const rate = dataRate < 0 ? 1 : dataRate;
  // All products are below 2^53, so that the comparison is exact.
  const tick = Math.round(fraction * rate / timeBase);
  const distance = Math.abs(fraction * rate - tick * timeBase);
  if (rate === 0 || distance >= rate) return exactTime(soc, fraction, timeBase);
  return BigInt(soc) * NS + BigInt(Math.round(tick * 1e9 / rate));
}

function checkNumbers(soc: number, fraction: number, timeBase: number): void {
  integerOption(ACTION, soc, "soc", 0, 0xffff_ffff);
  integerOption(ACTION, fraction, "fraction", 0, 0xff_ffff);
  integerOption(ACTION, timeBase, "timeBase", 1, 0xff_ffff);
}
