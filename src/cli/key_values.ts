/**
 * `KEY=VALUE` on the command line.
 *
 * @module
 */

import { splitOnce } from "./args.ts";
import { usageError } from "./errors.ts";

/**
 * Reads `KEY=VALUE` words.
 *
 * @param words What was typed.
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
