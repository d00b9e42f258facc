/**
 * Checks of the arguments of a rule.
 *
 * @module
 */

import { outOfRange } from "../../core/argument_error.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import type { RetentionRule } from "../../endpoint/retention.ts";
import { isValidCollection, quote } from "../../endpoint/checks_metadata.ts";

/** Shortest age, ns: what is less was most likely meant in another unit. */
const MIN_AGE = 1_000_000_000n;

/** Longest age, ns. */
const MAX_AGE = (1n << 63n) - 1n;

/**
 * A prefix as rules have it: without the slash at its end.
 *
 * @throws {BTrDBError} 407 if no collection can have it.
 */
export function rulePrefix(prefix: string): string {
  if (!isPrefix(prefix)) {
    throw new BTrDBError(`prefix ${quote(prefix)} is not a valid collection prefix`, {
      code: ErrorCode.InvalidCollection,
    });
  }
  return prefix.length > 1 && prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
}

/**
 * Checks an age.
 *
 * @throws {RangeError} If it is out of range.
 */
export function checkAge(maxAge: bigint): void {
  if (isAge(maxAge)) return;
  throw outOfRange(
    `Cannot set the retention: maxAge is ${maxAge} ns, expected 1 s (1000000000) to 2^63 − 1 ns`,
  );
}

/** Tells whether a rule that is kept could have been set. */
export function isPossibleRule({ prefix, maxAge }: RetentionRule): boolean {
  return isPrefix(prefix) && rulePrefix(prefix) === prefix && (maxAge === null || isAge(maxAge));
}

function isPrefix(prefix: string): boolean {
  return prefix === "" || isValidCollection(prefix);
}

function isAge(age: bigint): boolean {
  return age >= MIN_AGE && age <= MAX_AGE;
}
