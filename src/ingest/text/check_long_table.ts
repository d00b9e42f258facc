/**
 * Long tables that are taken for wide ones.
 *
 * @module
 */

import { optionError } from "../errors.ts";
import type { TableLayout } from "./table_layout.ts";

/** Refuses a table in which rows of one time differ by a column of text. */
export function checkLongTable(
  { roles, names, timeOrder }: TableLayout,
  rows: readonly string[][],
): void {
  if (timeOrder.length === 0 || rows.length < 4) return;
  const keyOf = (row: readonly string[]) => timeOrder.map((i) => row[i]).join(" ");
  const same = rows.filter((row, i) => i > 0 && keyOf(row) === keyOf(rows[i - 1]!)).length;
  if (same * 3 < rows.length) return;
  const column = names.findIndex((_, i) =>
    roles[i] === "skip" && names[i] !== "" &&
    rows.every((row, r) =>
      r === 0 || keyOf(row) !== keyOf(rows[r - 1]!) ||
      row[i] !== rows[r - 1]![i]
    )
  );
  if (column < 0) return;
  throw optionError(
    `Cannot import: rows of one time differ by column ${names[column]}, this is a long table`,
    `--by ${JSON.stringify(names[column])} makes a stream of each`,
  );
}
