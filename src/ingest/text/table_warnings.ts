/**
 * Remarks on a table that may be understood in another way than it is.
 *
 * @module
 */

import { isNullWord } from "../../kernel/mod.ts";

/** Zone at the end of a time: `Z`, an offset, or a name. */
const ZONE = /(?:[zZ]|[+-]\d{2}(?::?\d{2})?|\s(?![AP]M$)[A-Z]{2,5})$/;

/** A number that is the same with and without its mark, but for a factor of 1,000. */
const THREE_DIGITS = /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/;

/** A number with one mark. */
const MARKED = /^[+-]?\d*[.,]\d+$/;

/** Rows from which on such numbers can be no chance. */
const FEW_ROWS = 3;

/** Parts of a layout that are looked at. */
interface WarnedTable {
  readonly names: readonly string[];
  readonly roles: readonly string[];
  readonly timeOrder: readonly number[];
  readonly tz: string;
  readonly decimal: string;
  readonly thousands?: string;
  readonly nulls: readonly string[];
}

/**
 * Warnings about the first rows of a table.
 *
 * @param layout Layout of the table.
 * @param rows Cells of the rows looked at.
 */
export function tableWarnings(layout: WarnedTable, rows: readonly string[][]): string[] {
  return [...zoneWarnings(layout, rows), ...thousandsWarnings(layout, rows)];
}

/** Times of several zones, or some that do not say theirs. */
function zoneWarnings({ timeOrder, tz }: WarnedTable, rows: readonly string[][]): string[] {
  const zones = new Set<string>();
  for (const row of rows) {
    const text = timeOrder.map((i) => row[i] ?? "").join(" ").trim();
    if (!/\d[:.]\d\d/.test(text)) continue;
    zones.add(ZONE.exec(text)?.[0].trim().replace(/^z$/i, "UTC") ?? "");
  }
  if (zones.size < 2) return [];
  const named = [...zones].filter((zone) => zone !== "").sort();
  return [
    zones.has("")
      ? `Some times say their zone (${named.join(", ")}), others do not: these are of ${tz}`
      : `Times are of several zones: ${named.join(", ")}; each is read in its own`,
  ];
}

/** Columns in which every number could have a thousands mark instead of a decimal one. */
function thousandsWarnings(layout: WarnedTable, rows: readonly string[][]): string[] {
  const { roles, names, nulls, decimal, thousands } = layout;
  if (thousands !== undefined || hasDecimals(layout, rows)) return [];
  const suspicious = names.flatMap((name, i) => {
    if (roles[i] !== "value") return [];
    const cells = rows.map((row) => (row[i] ?? "").trim())
      .filter((cell) => cell !== "" && !isNullWord(cell, nulls));
    const isLike = cells.length >= FEW_ROWS && cells.every((cell) => THREE_DIGITS.test(cell)) &&
      new Set(cells).size > 1;
    return isLike ? [name || `column${i + 1}`] : [];
  });
  if (suspicious.length === 0) return [];
  const mark = decimal === "." ? "point" : "comma";
  return [
    `All numbers of ${
      suspicious.join(", ")
    } have three digits behind a ${mark}, which was taken as ` +
    `the decimal mark: if it stands before thousands, say --thousands ${decimal}`,
  ];
}

/** Tells whether a number, in any column, has the decimal mark where none of thousands could stand. */
function hasDecimals(
  { roles, timeOrder, decimal }: WarnedTable,
  rows: readonly string[][],
): boolean {
  const isNumber = (i: number) => roles[i] === "value" || timeOrder.includes(i);
  return rows.some((row) =>
    row.some((text, i) => {
      const cell = text.trim();
      return isNumber(i) && cell.includes(decimal) && MARKED.test(cell) && !THREE_DIGITS.test(cell);
    })
  );
}
