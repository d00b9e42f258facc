/**
 * Words for no value in cells of tables.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";

/** Words for no value, beside an empty cell. */
export const NULL_WORDS: readonly string[] = [
  "-",
  "--",
  "---",
  "?",
  "nan",
  "-nan",
  "+nan",
  "nan(ind)",
  "-nan(ind)",
  "1.#qnan",
  "-1.#qnan",
  "1.#ind",
  "-1.#ind",
  "1.#nan",
  "na",
  "n/a",
  "n.a.",
  "#n/a",
  "#na",
  "#n/a n/a",
  "<na>",
  "none",
  "null",
  "nil",
  "\\n",
  "bad",
  "no data",
  "nodata",
  "no value",
  "missing",
];

/** Tells whether a cell is one of the words for no value, or empty. */
export function isNullWord(cell: string, more: readonly string[] = []): boolean {
  if (typeof cell !== "string") {
    throw invalidType(`Cannot look for a null word: cell is ${describe(cell)}, expected a string`);
  }
  const text = cell.trim().toLowerCase();
  return text === "" || NULL_WORDS.includes(text) ||
    more.some((word) => word.toLowerCase() === text);
}
