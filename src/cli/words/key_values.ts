/**
 * Parses `KEY=VALUE` arguments of the command line.
 *
 * @module
 */

import { splitOnce } from "./parse_args.ts";
import { notFound, usageError } from "../errors.ts";
import { didYouMean, nearest } from "../../core/suggest.ts";

/**
 * Reads `KEY=VALUE` words.
 *
 * @param words Arguments from the command line.
 * @param name The option or argument, for the error.
 */
export function keyValues(words: readonly string[], name: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of words) {
    const [key, value] = splitOnce(word, "=");
    if (key === "" || value === undefined) {
      throw usageError(`Cannot use ${name} ${word}: expected KEY=VALUE`);
    }
    found[key] = value;
  }
  return found;
}

/**
 * Fails where a key that shall be removed is not there.
 *
 * @param keys Keys to remove.
 * @param known Names that exist.
 * @param what `"tag"` or `"annotation"`, for the error.
 */
export function checkKnown(
  keys: readonly string[],
  known: Readonly<Record<string, string | null>>,
  what: string,
): void {
  for (const key of keys) {
    if (Object.hasOwn(known, key)) continue;
    const names = Object.keys(known);
    const near = nearest(key, names);
    throw notFound(
      `There is no ${what} ${key}`,
      didYouMean(near, names.length > 0 ? `there are ${names.join(", ")}` : undefined),
    );
  }
}
