/**
 * Texts of results, as `console.log` shows them.
 *
 * @module
 */

import { formatTime } from "../core/time.ts";
import { escapeJson } from "../core/unsafe_text.ts";

/** Rows shown at either end. */
const SHOWN = 3;

/** Columns of a batch, by name. */
export type NamedColumns = Readonly<Record<string, ArrayLike<number | bigint>>>;

/**
 * A batch as text: size, version, and its first and last rows.
 *
 * @param name Name of the class.
 * @param times Times of the rows, ns.
 * @param columns The other columns.
 * @param version Version, `major.minor`.
 */
export function batchText(
  name: string,
  times: BigInt64Array,
  columns: NamedColumns,
  version: string,
): string {
  const { length } = times;
  const head = `${name} { ${length} rows × ${1 + Object.keys(columns).length} columns, ` +
    `version ${version} }`;
  if (length === 0) return head;
  const row = (i: number): string[] => [
    formatTime(times[i]!),
    ...Object.values(columns).map((values) => String(values[i]!)),
  ];
  const rows = [["time", ...Object.keys(columns)]];
  for (let i = 0; i < length; i++) {
    if (i >= SHOWN && i < length - SHOWN) {
      if (i === SHOWN) rows.push(["…", ...Object.keys(columns).map(() => "…")]);
      i = length - SHOWN - 1;
      continue;
    }
    rows.push(row(i));
  }
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((cells) => cells[c]!.length)));
  const lines = rows.map((cells) =>
    cells.map((cell, c) => c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)).join("  ")
  );
  return [head, ...lines.map((line) => `  ${line.trimEnd()}`)].join("\n");
}

/** A thing as `Name { key: "value" }`; what is undefined is left out. */
export function objectText(
  name: string,
  values: Readonly<Record<string, string | number | null | undefined>>,
): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${escapeJson(JSON.stringify(value))}`);
  return `${name} { ${pairs.join(", ")} }`;
}
