/**
 * Checks of arguments: a mistake is a `TypeError` or a `RangeError` that names the argument, its
 * value and what is allowed, before anything is sent.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import { LAST_TIME, MAX_POINTWIDTH, MAX_TIME, MIN_TIME } from "../core/range.ts";
import { formatTime, type TimeLike, toNanoseconds } from "../core/time.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

const MAX_VERSION = (1n << 64n) - 1n;
const MAX_WIDTH = 1n << 63n;

/** A half-open range of time, ns. */
export interface TimeRange {
  start: bigint;
  end: bigint;
}

/**
 * A range of time inside the legal times.
 *
 * @param action Name of the call, for the error: `"read raw values"`.
 * @param start First moment.
 * @param end End, exclusive.
 * @throws {RangeError} If the range is empty or leaves `[MIN_TIME, MAX_TIME]`.
 */
export function timeRange(action: string, start: TimeLike, end: TimeLike): TimeRange {
  const range = { start: toNanoseconds(start, "start"), end: toNanoseconds(end, "end") };
  if (range.start < MIN_TIME) refuseTime(action, "start", range.start);
  if (range.end > MAX_TIME) refuseTime(action, "end", range.end);
  if (range.start >= range.end) {
    throw outOfRange(
      `Cannot ${action}: start is ${showTime(range.start)}, expected before end, which is ` +
        showTime(range.end),
    );
  }
  return range;
}

/**
 * A range as servers take it. No point can be stored at the last two moments before `MAX_TIME`, and
 * servers refuse `MAX_TIME` itself as an end, so the moment before it means the same.
 *
 * @param action Name of the call, for the error.
 * @param range The range.
 * @throws {RangeError} If it is nothing but the moment before `MAX_TIME`.
 */
export function servableRange(action: string, { start, end }: TimeRange): TimeRange {
  if (end !== MAX_TIME) return { start, end };
  if (start === LAST_TIME) {
    throw outOfRange(
      `Cannot ${action}: start is ${
        showTime(start)
      }, expected at most MAX_TIME − 2, the last time ` +
        `a point can have`,
    );
  }
  return { start, end: LAST_TIME };
}

/**
 * A moment inside the legal times.
 *
 * @param action Name of the call, for the error.
 * @param time The moment.
 * @throws {RangeError} If it is not in `[MIN_TIME, MAX_TIME)`.
 */
export function legalTime(action: string, time: TimeLike): bigint {
  const ns = toNanoseconds(time);
  if (ns < MIN_TIME || ns >= MAX_TIME) refuseTime(action, "time", ns);
  return ns;
}

/**
 * A version: 0 for the latest, or an explicit one.
 *
 * @param action Name of the call, for the error.
 * @param version The version.
 * @param name Name of the argument.
 * @throws {TypeError} If it is not a `bigint`.
 * @throws {RangeError} If it is not 0 to 2^64 − 1.
 */
export function versionNumber(action: string, version: bigint, name = "version"): bigint {
  if (typeof version !== "bigint") {
    throw invalidType(`Cannot ${action}: ${name} is ${describe(version)}, expected a bigint`);
  }
  if (version < 0n || version > MAX_VERSION) {
    throw outOfRange(`Cannot ${action}: ${name} is ${version}, expected 0 to 2^64 − 1`);
  }
  return version;
}

/**
 * An exponent: a pointwidth, a depth or a resolution.
 *
 * @param action Name of the call, for the error.
 * @param value The exponent.
 * @param name Name of the argument.
 * @throws {RangeError} If it is not an integer from 0 to 63.
 */
export function exponent(action: string, value: number, name: string): number {
  if (!Number.isInteger(value) || value < 0 || value > MAX_POINTWIDTH) {
    throw outOfRange(
      `Cannot ${action}: ${name} is ${
        describe(value)
      }, expected an integer from 0 to ${MAX_POINTWIDTH}`,
    );
  }
  return value;
}

/**
 * The width of windows.
 *
 * @param action Name of the call, for the error.
 * @param width ns.
 * @throws {TypeError} If it is neither a `bigint` nor a `number`.
 * @throws {RangeError} If it is not 1 to 2^63, or a `number` that is not a safe integer.
 */
export function windowWidth(action: string, width: bigint | number): bigint {
  if (typeof width !== "bigint" && typeof width !== "number") {
    throw invalidType(`Cannot ${action}: width is ${describe(width)}, expected a bigint of ns`);
  }
  if (typeof width === "number" && !Number.isSafeInteger(width)) {
    throw outOfRange(`Cannot ${action}: width is ${width}, expected a bigint or safe integer`);
  }
  const ns = BigInt(width);
  if (ns < 1n || ns > MAX_WIDTH) {
    throw outOfRange(`Cannot ${action}: width is ${ns}, expected 1 to 2^63`);
  }
  return ns;
}

/**
 * A range rounded down to whole aligned windows.
 *
 * @param action Name of the call, for the error.
 * @param range The range.
 * @param pointwidth Windows of 2^pointwidth ns.
 * @throws {RangeError} If no window begins in it.
 */
export function alignedRange(action: string, range: TimeRange, pointwidth: number): TimeRange {
  const mask = ~((1n << BigInt(pointwidth)) - 1n);
  const start = range.start & mask;
  const end = range.end & mask;
  if (start >= end) {
    throw outOfRange(
      `Cannot ${action}: pointwidth is ${pointwidth}, expected one whose windows fit between start ` +
        `and end: both round down to ${showTime(start)}`,
    );
  }
  return { start, end };
}

/**
 * Number of whole windows in a range.
 *
 * @param action Name of the call, for the error.
 * @param range The range.
 * @param width ns.
 * @throws {RangeError} If there is none.
 */
export function windowCount(action: string, range: TimeRange, width: bigint | number): bigint {
  const length = range.end - range.start;
  const n = length / BigInt(width);
  if (n < 1n) {
    throw outOfRange(
      `Cannot ${action}: width is ${width}, expected at most ${length}, the length of the range`,
    );
  }
  return n;
}

/**
 * An integer option of at least 1.
 *
 * @param action Name of the call, for the error.
 * @param value The value.
 * @param name Name of the argument.
 * @throws {RangeError} If it is not one.
 */
export function positiveInteger(action: string, value: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw outOfRange(
      `Cannot ${action}: ${name} is ${describe(value)}, expected an integer from 1`,
    );
  }
  return value;
}

/**
 * One of some words.
 *
 * @param action Name of the call, for the error.
 * @param value The word.
 * @param name Name of the argument.
 * @param words Allowed values.
 * @throws {RangeError} If it is none of them.
 */
export function oneOf<T extends string>(
  action: string,
  value: T,
  name: string,
  words: readonly T[],
): T {
  if (!words.includes(value)) {
    const allowed = words.map((word) => `"${word}"`).join(", ");
    throw outOfRange(
      `Cannot ${action}: ${name} is ${describe(value)}, expected one of ${allowed}`,
    );
  }
  return value;
}

/**
 * A string.
 *
 * @param action Name of the call, for the error.
 * @param value The string.
 * @param name Name of the argument.
 * @throws {TypeError} If it is none.
 */
export function text(action: string, value: string, name: string): string {
  if (typeof value !== "string") {
    throw invalidType(`Cannot ${action}: ${name} is ${describe(value)}, expected a string`);
  }
  return value;
}

function showTime(ns: bigint): string {
  return `${ns} (${formatTime(ns)})`;
}

function refuseTime(action: string, name: string, ns: bigint): never {
  throw outOfRange(
    `Cannot ${action}: ${name} is ${showTime(ns)}, expected MIN_TIME (${
      formatTime(MIN_TIME)
    }) to ` +
      `MAX_TIME (${formatTime(MAX_TIME)})`,
  );
}
