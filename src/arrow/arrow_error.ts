/**
 * The error of Arrow data that cannot be read.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";

/** The error of bytes or templates that are not valid Arrow. */
export function invalid(what: string, cause?: unknown): BTrDBError {
  return new BTrDBError(`Cannot read Arrow data: ${what}`, {
    code: ErrorCode.InvalidParameter,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Longest name of a column in an error, and most names in one. */
const MAX_NAME = 100;
const MAX_NAMES = 8;

/** The name of a column in an error, which comes from whoever made the bytes: cut. */
export function quotedName(name: unknown): string {
  const text = String(name);
  return JSON.stringify(text.length > MAX_NAME ? `${text.slice(0, MAX_NAME)}…` : text);
}

/** Names of columns in an error: the first ones, and the number of the others. */
export function quotedNames(names: readonly unknown[]): string {
  if (names.length === 0) return "none";
  const first = names.slice(0, MAX_NAMES).map(quotedName).join(", ");
  const others = names.length - MAX_NAMES;
  return others > 0 ? `${first} and ${others} more` : first;
}
