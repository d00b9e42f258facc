/**
 * Columns as options name them.
 *
 * @module
 */

import { didYouMean, nearest } from "../core/suggest.ts";
import { optionError } from "./errors.ts";

/** Index of the column of a name or of a number from 1. */
export function columnOf(names: readonly string[], text: string, option: string): number {
  const exact = names.indexOf(text);
  if (exact >= 0 && names.indexOf(text, exact + 1) < 0) return exact;
  if (exact >= 0) {
    const numbers = names.flatMap((name, i) => name === text ? [i + 1] : []);
    throw optionError(
      `Cannot use ${option} ${text}: columns ${numbers.join(" and ")} are called so`,
      `give the number, for example ${option} ${numbers[0]}`,
    );
  }
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= names.length) return number - 1;
  throw optionError(
    `Cannot use ${option} ${text}: there is no such column`,
    didYouMean(nearest(text, names), `columns are ${names.join(", ")}`),
  );
}
