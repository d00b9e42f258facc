/**
 * Lines around the header of a table: those before it, and rows of units and types below.
 *
 * @module
 */

import { type CellNotation, isName, isNumber } from "./cell_kind.ts";
import type { TextRecord } from "./records.ts";
import type { LayoutWishes } from "./table_layout.ts";

/** Words of rows that say the type of each column. */
const TYPE_WORD =
  /^(double|float|float64|float32|int|int64|long|string|text|datetime|timestamp|number|numeric|bool|boolean|varchar|object|date)$/i;
/** Rows between the header and the data, at most. */
const MAX_EXTRA_ROWS = 4;

/** Lines before the table: those to skip, `sep=;`, comments. */
export function prefixOf(head: string, wishes: LayoutWishes): {
  text: string;
  lines: number;
  comment: string | undefined;
  delimiter: string | undefined;
  header: string | undefined;
} {
  let text = head.replace(/^\uFEFF/, "");
  let lines = 0;
  const drop = (): string => {
    const end = text.indexOf("\n");
    const line = end < 0 ? text : text.slice(0, end);
    text = end < 0 ? "" : text.slice(end + 1);
    lines++;
    return line.replace(/\r$/, "");
  };
  for (let i = 0; i < wishes.skipLines && text !== ""; i++) drop();
  const sep = /^"?sep=(.)"?\r?\n/i.exec(text);
  if (sep !== null) drop();
  const comment = wishes.comment ?? (/^[ \t]*#/.test(text) ? "#" : undefined);
  let header: string | undefined;
  while (comment !== undefined) {
    const blanks = text.length - text.trimStart().length;
    if (!text.startsWith(comment, blanks)) break;
    // Lines without anything go with the comment below them.
    const left = text.length - blanks;
    let line = "";
    while (text.length >= left) line = drop();
    header = line.trim().slice(comment.length).trim();
  }
  return { text, lines, comment, delimiter: sep?.[1], header };
}

/** Rows of units, types and descriptions between the header and the first row of numbers. */
export function extraRows(below: readonly TextRecord[], look: CellNotation): number {
  for (let i = 0; i < Math.min(below.length, MAX_EXTRA_ROWS + 1); i++) {
    const { cells } = below[i]!;
    if (cells.some((cell) => isNumber(cell, look) || /\d[-./:]\d/.test(cell))) return i;
    if (cells.every((cell) => cell === "")) continue;
    if (!cells.some((cell) => isName(cell, look) || /[%°Ω]/.test(cell))) return i;
  }
  return 0;
}

/** Units from the rows below the header: the third line of JSIS-CSV, or a row that is no types. */
export function unitsOf(rows: readonly TextRecord[], columns: number): (string | null)[] {
  const types = (cells: readonly string[]): boolean =>
    cells.some((cell) => TYPE_WORD.test(cell)) &&
    cells.every((cell) => cell === "" || TYPE_WORD.test(cell));
  const row = rows.length === 3 ? rows[1] : rows.find(({ cells }) => !types(cells));
  return Array.from({ length: columns }, (_, i) => {
    const unit = row?.cells[i]?.replace(/^[([](.*)[)\]]$/, "$1").trim();
    return unit === undefined || unit === "" || unit === "-" ? null : unit;
  });
}
