/**
 * Times: nanoseconds since the Unix epoch, UTC, as `bigint`, and what people write for them. All
 * arithmetic is on integers, so every nanosecond survives.
 *
 * @module
 */

import { describe } from "./describe.ts";
import { invalidType, outOfRange } from "./argument_error.ts";

/**
 * One nanosecond, the unit of every time and duration.
 *
 * @example The smallest step
 * ```ts
 * import { NANOSECOND, toNanoseconds } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toNanoseconds("1970-01-01T00:00:00.000000001Z"), NANOSECOND);
 * ```
 */
export const NANOSECOND: bigint = 1n;
/**
 * One microsecond in ns.
 *
 * @example In smaller units
 * ```ts
 * import { MICROSECOND, NANOSECOND } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(MICROSECOND, 1000n * NANOSECOND);
 * ```
 */
export const MICROSECOND: bigint = 1_000n;
/**
 * One millisecond in ns.
 *
 * @example In smaller units
 * ```ts
 * import { MICROSECOND, MILLISECOND } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(MILLISECOND, 1000n * MICROSECOND);
 * ```
 */
export const MILLISECOND: bigint = 1_000_000n;
/**
 * One second in ns.
 *
 * @example In smaller units
 * ```ts
 * import { MILLISECOND, SECOND } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(SECOND, 1000n * MILLISECOND);
 * ```
 */
export const SECOND: bigint = 1_000_000_000n;
/**
 * One minute in ns.
 *
 * @example In smaller units
 * ```ts
 * import { MINUTE, SECOND } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(MINUTE, 60n * SECOND);
 * ```
 */
export const MINUTE: bigint = 60n * SECOND;
/**
 * One hour in ns.
 *
 * @example In smaller units
 * ```ts
 * import { HOUR, MINUTE } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(HOUR, 60n * MINUTE);
 * ```
 */
export const HOUR: bigint = 60n * MINUTE;
/**
 * One day of 24 hours in ns.
 *
 * @example In smaller units
 * ```ts
 * import { DAY, HOUR } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(DAY, 24n * HOUR);
 * ```
 */
export const DAY: bigint = 24n * HOUR;

/** A time that carries its own nanoseconds: `Temporal.Instant`, `Temporal.ZonedDateTime`. */
export interface NanosecondClock {
  /** ns since the Unix epoch, UTC. */
  readonly epochNanoseconds: bigint;
}

/**
 * A time: ns since the Unix epoch as a `bigint`, a `Date`, an RFC 3339 string with
 * up to nine fractional digits, a `Temporal.Instant`, or a `number` of ns if it is a safe integer.
 */
export type TimeLike = bigint | Date | string | number | NanosecondClock;

const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;
const EXPECTED = "expected RFC 3339 such as 2026-01-02T03:04:05.123456789Z";

/**
 * Nanoseconds since the Unix epoch, exactly.
 *
 * A string must be a complete RFC 3339 date-time: date, `T` or a space, time, and `Z` or an offset.
 * A date alone is refused because it does not say in which zone its day begins; so are leap
 * seconds (`:60`), which do not exist on this axis, and fractions of more than nine digits.
 *
 * @param time Time to convert.
 * @param name Name of the argument, for the error.
 * @returns ns since the Unix epoch, UTC, −2^63 to 2^63 − 1.
 * @throws {TypeError} If `time` is of no type that names a moment.
 * @throws {RangeError} If it is of the right type but names none: not RFC 3339, an invalid `Date`,
 * a `number` that is not a safe integer, or outside 64 bits.
 *
 * @example Every form of the same moment
 * ```ts
 * import { toNanoseconds } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toNanoseconds("1970-01-01T00:00:01.000000001Z"), 1_000_000_001n);
 * assertEquals(toNanoseconds("1970-01-01T01:00:01+01:00"), 1_000_000_000n);
 * assertEquals(toNanoseconds(new Date(1000)), 1_000_000_000n);
 * assertEquals(toNanoseconds(1_000_000_000), 1_000_000_000n);
 * ```
 */
export function toNanoseconds(time: TimeLike, name = "time"): bigint {
  if (typeof name !== "string") {
    throw invalidType(`Cannot use a time: name is ${describe(name)}, expected a string`);
  }
  if (typeof time === "bigint") return checked(time, time, name);
  if (typeof time === "string") {
    return checked(parseRfc3339(time, name), JSON.stringify(time), name);
  }
  if (typeof time === "number") {
    if (!Number.isSafeInteger(time)) {
      throw outOfRange(
        `Cannot use ${name}: ${time} is not a safe integer, expected a bigint of ns`,
      );
    }
    return BigInt(time);
  }
  if (time instanceof Date) {
    const ms = time.getTime();
    if (Number.isNaN(ms)) throw outOfRange(`Cannot use ${name}: the Date is invalid`);
    return checked(BigInt(ms) * MILLISECOND, time.toISOString(), name);
  }
  if (typeof time === "object" && time !== null && typeof time.epochNanoseconds === "bigint") {
    return checked(time.epochNanoseconds, time.epochNanoseconds, name);
  }
  throw invalidType(
    `Cannot use ${name}: it is ${describe(time)}, expected a bigint of ns, a Date, an RFC 3339 ` +
      `string or a Temporal.Instant`,
  );
}

/**
 * A moment as RFC 3339 in UTC with nine fractional digits; {@linkcode toNanoseconds} reads it back
 * exactly.
 *
 * @param time Time to format.
 * @returns Text such as `2026-01-02T03:04:05.123456789Z`, always 30 characters.
 * @throws {TypeError | RangeError} As {@linkcode toNanoseconds}.
 *
 * @example Before the epoch and after it
 * ```ts
 * import { formatTime } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatTime(1n), "1970-01-01T00:00:00.000000001Z");
 * assertEquals(formatTime(-1n), "1969-12-31T23:59:59.999999999Z");
 * ```
 */
export function formatTime(time: TimeLike): string {
  const ns = toNanoseconds(time);
  const fraction = ((ns % SECOND) + SECOND) % SECOND;
  const seconds = Number((ns - fraction) / SECOND);
  const text = new Date(seconds * 1000).toISOString();
  return `${text.slice(0, 19)}.${fraction.toString().padStart(9, "0")}Z`;
}

/**
 * Now, in ns since the Unix epoch, UTC, with the resolution of the clock of `Date` (1 ms).
 *
 * @example Now is after 2020
 * ```ts
 * import { currentTime, toNanoseconds } from "@btrdb/btrdb";
 * import { assert } from "@std/assert";
 *
 * assert(currentTime() > toNanoseconds("2020-01-01T00:00:00Z"));
 * ```
 */
export function currentTime(): bigint {
  return BigInt(Date.now()) * MILLISECOND;
}

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

function parseRfc3339(text: string, name: string): bigint {
  const match = RFC3339.exec(text);
  if (match === null) refuse(text, name, `is not a time, ${EXPECTED}`);
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = match;
  const date = { year: Number(year), month: Number(month), day: Number(day) };
  if (date.month < 1 || date.month > 12) refuse(text, name, "has no such month, expected 01 to 12");
  const days = daysInMonth(date.year, date.month);
  if (date.day < 1 || date.day > days) {
    refuse(text, name, `has no such day, expected 01 to ${days}`);
  }
  if (Number(hour) > 23) refuse(text, name, "has no such hour, expected 00 to 23");
  if (Number(minute) > 59) refuse(text, name, "has no such minute, expected 00 to 59");
  if (Number(second) > 59) refuse(text, name, "has no such second, expected 00 to 59");
  if (fraction.length > 9) {
    refuse(text, name, `has ${fraction.length} fractional digits, expected at most 9`);
  }
  const ofDay = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const seconds = dayNumber(date) * 86400 + ofDay - offsetSeconds(text, zone, name);
  return BigInt(seconds) * SECOND + BigInt(fraction.padEnd(9, "0"));
}

function offsetSeconds(text: string, zone: string, name: string): number {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) {
    refuse(text, name, "has no such offset, expected -23:59 to +23:59");
  }
  const seconds = hours * 3600 + minutes * 60;
  return zone[0] === "-" ? -seconds : seconds;
}

interface CivilDate {
  year: number;
  month: number;
  day: number;
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return leap ? 29 : 28;
}

/** Days from 1970-01-01 to a date; `Date.UTC` would read the years 0 to 99 as 1900 to 1999. */
function dayNumber({ year, month, day }: CivilDate): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 86_400_000;
}

function checked(ns: bigint, shown: bigint | string, name: string): bigint {
  if (ns < INT64_MIN || ns > INT64_MAX) {
    throw outOfRange(
      `Cannot use ${name}: ${shown} does not fit in 64 bits of ns, expected ` +
        `1677-09-21T00:12:43.145224192Z to 2262-04-11T23:47:16.854775807Z`,
    );
  }
  return ns;
}

function refuse(text: string, name: string, problem: string): never {
  throw outOfRange(`Cannot use ${name}: ${JSON.stringify(text)} ${problem}`);
}
