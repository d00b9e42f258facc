/**
 * Durations as arguments: ns, text, or `Temporal.Duration`.
 *
 * @module
 */

import { invalidType, outOfRange } from "./argument_error.ts";
import { describe } from "./describe.ts";
import { tryDuration } from "./duration_text.ts";

/** A duration that carries its own parts, as `Temporal.Duration` does. */
export interface DurationParts {
  /** Calendar years, which have no fixed length: must be 0. */
  readonly years: number;
  /** Calendar months, which have no fixed length: must be 0. */
  readonly months: number;
  /** Weeks of 7 days. */
  readonly weeks: number;
  /** Days of 24 hours. */
  readonly days: number;
  /** Hours, any number. */
  readonly hours: number;
  /** Minutes, any number. */
  readonly minutes: number;
  /** Seconds, any number. */
  readonly seconds: number;
  /** Milliseconds, any number. */
  readonly milliseconds: number;
  /** Microseconds, any number. */
  readonly microseconds: number;
  /** Nanoseconds, any number. */
  readonly nanoseconds: number;
}

/**
 * A duration: ns as a `bigint` or a safe integer, text such as `"90d"` or `"1h30m"`,
 * or a `Temporal.Duration` of weeks and smaller parts. A day is 24 hours and a week 7 days.
 */
export type DurationLike = bigint | number | string | DurationParts;

/** ns in each part of a duration that has a fixed length. */
const PARTS = [
  ["weeks", 604_800_000_000_000n],
  ["days", 86_400_000_000_000n],
  ["hours", 3_600_000_000_000n],
  ["minutes", 60_000_000_000n],
  ["seconds", 1_000_000_000n],
  ["milliseconds", 1_000_000n],
  ["microseconds", 1_000n],
  ["nanoseconds", 1n],
] as const;

/**
 * A duration in ns, exactly.
 *
 * @param action Name of the call, for the error: `"set the retention"`.
 * @param duration Duration to convert.
 * @param name Name of the argument, for the error.
 * @returns ns; may be negative.
 * @throws {TypeError} If it is of no type that names a duration.
 * @throws {RangeError} If it is of the right type and names none: other text, a `number` that is not
 * a safe integer, or calendar years and months.
 */
export function toDuration(action: string, duration: DurationLike, name: string): bigint {
  const refused = `Cannot ${action}: ${name} is ${describe(duration)}`;
  if (typeof duration === "bigint") return duration;
  if (typeof duration === "number") {
    if (Number.isSafeInteger(duration)) return BigInt(duration);
    throw outOfRange(`${refused}, expected a bigint or safe integer of ns`);
  }
  if (typeof duration === "string") {
    const ns = tryDuration(duration);
    if (ns !== undefined) return ns;
    throw outOfRange(`${refused}, expected a duration such as "90d", "12h" or "1h30m"`);
  }
  if (!isParts(duration)) {
    throw invalidType(
      `${refused}, expected a bigint of ns, text such as "90d", or a Temporal.Duration`,
    );
  }
  if (duration.years !== 0 || duration.months !== 0) {
    throw outOfRange(
      `Cannot ${action}: ${name} is ${duration}, expected weeks or smaller parts: years and months ` +
        `have no fixed length`,
    );
  }
  return PARTS.reduce((sum, [part, ns]) => sum + BigInt(duration[part]) * ns, 0n);
}

function isParts(value: unknown): value is DurationParts {
  if (typeof value !== "object" || value === null) return false;
  const parts = value as Partial<Record<string, unknown>>;
  return [...PARTS.map(([part]) => part), "years", "months"].every((part) =>
    Number.isInteger(parts[part])
  );
}
