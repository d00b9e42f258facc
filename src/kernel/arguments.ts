/**
 * Argument checks of the public kernel functions: mistakes are a `TypeError` or a
 * `RangeError` that names the argument, its value and what was expected.
 *
 * @module
 */

import { checkObject } from "../core/check_object.ts";
import { describe } from "../core/describe.ts";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

/** Times are signed 64-bit integers. */
const MIN_INT64 = -(1n << 63n);
const MAX_INT64 = (1n << 63n) - 1n;

type Column = BigInt64Array | BigUint64Array | Float64Array;

/**
 * Tells whether the buffer was transferred away, or shrunk so that the column has no place in it.
 */
function isDetached(column: Column): boolean {
  if (column.byteLength > 0) return false;
  try {
    column.at(0);
    return false;
  } catch {
    return true;
  }
}

/** Checks the type of a column, that its buffer is attached, and its length if one is given. */
export function checkColumn(
  action: string,
  name: string,
  column: unknown,
  kind: { readonly prototype: Column; readonly name: string },
  length: number | undefined,
): void {
  if (!Object.prototype.isPrototypeOf.call(kind.prototype, column as object)) {
    throw invalidType(
      `Cannot ${action}: ${name} is ${describe(column)}, expected a ${kind.name}`,
    );
  }
  const array = column as Column;
  if (isDetached(array)) {
    throw invalidType(
      `Cannot ${action}: the buffer of ${name} is detached, expected it attached`,
    );
  }
  if (length !== undefined && array.length !== length) {
    throw outOfRange(
      `Cannot ${action}: ${name} has ${array.length} elements, expected ${length} as times has`,
    );
  }
}

/** Checks a mode of windows. */
export function checkMode(action: string, mode: unknown): void {
  if (mode === undefined || mode === "sparse" || mode === "dense") return;
  throw outOfRange(
    `Cannot ${action}: mode is ${describe(mode)}, expected "sparse" or "dense"`,
  );
}

/** Checks raw points or windows; whether they are raw points. */
export function checkPoints(action: string, columns: RawColumns | StatColumns): boolean {
  checkObject(action, "columns", columns);
  const raw = isRaw(columns);
  if (raw) checkRaw(action, columns);
  else checkStat(action, columns);
  return raw;
}

/** Tells whether columns are raw ones. */
export function isRaw(columns: RawColumns | StatColumns): columns is RawColumns {
  return (columns as RawColumns).values !== undefined;
}

/** Checks times. */
export function checkTimes(action: string, times: unknown, name = "times"): void {
  checkColumn(action, name, times, BigInt64Array, undefined);
}

/** Checks the columns of raw points. */
export function checkRaw(action: string, columns: RawColumns): void {
  checkObject(action, "columns", columns);
  checkTimes(action, columns.times);
  checkColumn(action, "values", columns.values, Float64Array, columns.times.length);
}

/** Checks the columns of windows. */
export function checkStat(action: string, columns: StatColumns): void {
  checkObject(action, "columns", columns);
  checkTimes(action, columns.times);
  const { length } = columns.times;
  checkColumn(action, "min", columns.min, Float64Array, length);
  checkColumn(action, "mean", columns.mean, Float64Array, length);
  checkColumn(action, "max", columns.max, Float64Array, length);
  checkColumn(action, "count", columns.count, BigUint64Array, length);
  if (columns.stddev !== undefined) {
    checkColumn(action, "stddev", columns.stddev, Float64Array, length);
  }
}

/** Checks a bigint. */
export function checkBigint(
  action: string,
  name: string,
  value: unknown,
  min: bigint,
  max: bigint,
  expected: string,
): void {
  if (typeof value !== "bigint") {
    throw invalidType(`Cannot ${action}: ${name} is ${describe(value)}, expected a bigint`);
  }
  if (value < min || value > max) {
    throw outOfRange(`Cannot ${action}: ${name} is ${value}, expected ${expected}`);
  }
}

/** Checks a time in ns. */
export function checkTime(action: string, name: string, value: unknown): void {
  checkBigint(action, name, value, MIN_INT64, MAX_INT64, "-2^63 to 2^63 - 1");
}

/** Checks a number that must be an integer. */
export function checkInteger(
  action: string,
  name: string,
  value: unknown,
  min: number,
  max: number,
): void {
  if (typeof value !== "number") {
    throw invalidType(`Cannot ${action}: ${name} is ${describe(value)}, expected a number`);
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(
      `Cannot ${action}: ${name} is ${value}, expected an integer from ${min} to ${max}`,
    );
  }
}

/** Checks a range of times, start not after end. */
export function checkRange(action: string, start: unknown, end: unknown): void {
  checkTime(action, "start", start);
  checkBigint(action, "end", end, MIN_INT64, MAX_INT64 + 1n, "-2^63 to 2^63");
  if ((start as bigint) > (end as bigint)) {
    throw outOfRange(
      `Cannot ${action}: start is ${start}, expected at most end, which is ${end}`,
    );
  }
}
