/**
 * Cells of a table as names, numbers and words for nothing.
 *
 * @module
 */

import { isNullWord } from "../../kernel/mod.ts";
import { isCalendar } from "./time_forms.ts";

/** A plain decimal number. */
export const NUMBER: RegExp = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** The way numbers and missing values are written. */
export interface CellNotation {
  readonly decimal: "." | ",";
  readonly thousands: string | undefined;
  readonly nulls: readonly string[];
}

/** Tells whether a cell of the first line can only be a name. */
export function isName(cell: string, look: CellNotation): boolean {
  return /\p{L}/u.test(cell) && !isValue(cell, look) && !isCalendar(cell) &&
    !/\d{1,2}:\d{2}/.test(cell) && !/^(inf|infinity)$/i.test(cell) &&
    !/^\d{1,2}[-. ][a-z]{3}[-. ]\d{2,4}/i.test(cell);
}

/** Tells whether a cell is a number or a word for nothing. */
export function isValue(cell: string, { decimal, thousands, nulls }: CellNotation): boolean {
  const text = cell.trim();
  if (isNullWord(text, nulls)) return true;
  const plain = thousands === undefined ? text : text.replaceAll(thousands, "");
  return NUMBER.test(decimal === "," ? plain.replace(",", ".") : plain);
}

/** Tells whether a cell is a number. */
export function isNumber(cell: string, look: CellNotation): boolean {
  return isValue(cell, look) && !isNullWord(cell, look.nulls);
}
