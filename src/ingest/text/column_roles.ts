/**
 * The use of each column of a table: time, values, or none.
 *
 * @module
 */

import { columnOf } from "../column_of.ts";
import { optionError } from "../errors.ts";
import type { OmittedColumn } from "../source.ts";
import { isBtrdbTable } from "./btrdb_table.ts";
import { type CellNotation, isNumber, isValue } from "./cell_kind.ts";
import type { LayoutWishes, TableLayout } from "./table_layout.ts";

/** Columns that an error names. */
const SHOWN_COLUMNS = 5;
const STATISTIC = / \((Min|Mean|Max|Count)\)$/;
/** Commas before groups of three digits, and a decimal point. */
const GROUPED_NUMBER = /^[+-]?\d{1,3}(?:,\d{3})+\.\d*$/;
const COMMA_NUMBER = /^[+-]?\d+,\d+$/;

/**
 * Chooses the columns that are stored, and says why others are not.
 *
 * @throws {ImportError} If none is, or numbers are written in another way than options say.
 */
export function chooseRoles(
  names: readonly string[],
  rows: readonly string[][],
  time: readonly number[],
  look: CellNotation,
  wishes: LayoutWishes,
  by: number | undefined,
): { roles: TableLayout["roles"]; omitted: OmittedColumn[] } {
  const wanted = new Set(wishes.columns.map((text) => columnOf(names, text, "--column")));
  const omitted: OmittedColumn[] = [];
  let commas = false;
  const lastNamed = names.findLastIndex((name) => name !== "");
  const roles = names.map((name, i): TableLayout["roles"][number] => {
    if (time.includes(i)) return "time";
    if (i === by) return "skip";
    if (wanted.size > 0) return wanted.has(i) ? "value" : "skip";
    if (isBtrdbTable(names)) return i === 1 ? "skip" : "value";
    if (name === "") {
      const empty = rows.every((row) => (row[i] ?? "") === "");
      if (!empty) omitted.push({ name: `column${i + 1}`, reason: "it has no name" });
      return i > lastNamed ? "spare" : "skip";
    }
    const cells = rows.map((row) => row[i] ?? "");
    // The name again is the header of another table behind this one.
    const strange = cells.filter((cell) => !isValue(cell, look) && cell !== name);
    // Some text among numbers is a mistake, which the parser reports with its line.
    const numbers = cells.filter((cell) => isNumber(cell, look));
    // Digits with marks are numbers of another notation, not text: left to the parser.
    const notation = look.decimal === "," ? /^[+-]?\d[\d.]*(?:,\d*)?$/ : GROUPED_NUMBER;
    const marked = strange.every((cell) => notation.test(cell));
    if (strange.length === 0 || numbers.length > strange.length || marked) return "value";
    if (look.decimal === "." && strange.every((cell) => COMMA_NUMBER.test(cell))) commas = true;
    omitted.push({ name, reason: `text, such as ${JSON.stringify(strange[0]!.slice(0, 30))}` });
    return "skip";
  });
  if (wanted.size === 0 && names.some((name) => STATISTIC.test(name))) {
    throw optionError(
      "Cannot import windows: statistics cannot be turned back into points",
      "to store one of the columns as points anyway, name it with --column",
    );
  }
  if (commas) {
    throw optionError(
      "Cannot import: numbers like 1,5 have a decimal comma",
      "say --decimal , or take only other columns with --column",
    );
  }
  if (!roles.includes("value")) {
    const left = omitted.slice(0, SHOWN_COLUMNS).map(({ name, reason }) => `${name} is ${reason}`);
    if (omitted.length > left.length) left.push(`and ${omitted.length - left.length} more`);
    const why = left.length === 0 ? "" : `: ${left.join(", ")}`;
    const isMarked = omitted.some(({ reason }) =>
      /"[+-]?\d{1,3}(?:[,'’_ \u00a0\u202f]\d{3})+/.test(reason)
    );
    throw optionError(
      `Cannot import: there is no column of values${why}`,
      isMarked ? "see --thousands, --column and --delimiter" : "see --column and --delimiter",
    );
  }
  return { roles, omitted };
}
