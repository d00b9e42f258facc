/**
 * Tables and lists of properties in plain text.
 *
 * @module
 */

import stringWidth from "string-width";
import { withoutColors } from "../../plot/sgr.ts";
import { lineOut } from "./escape.ts";
import type { Style } from "./style.ts";

/** A column of a table. */
export interface Column {
  title: string;
  /** Numbers stand at the right. */
  right?: boolean;
}

/** Columns of a terminal that a text takes: wide characters two, combining ones none. */
function visibleWidth(text: string): number {
  return stringWidth(withoutColors(text));
}

/** Text filled up with blanks, at the left or at the right. */
function padded(text: string, width: number, right = false): string {
  const gap = " ".repeat(width - visibleWidth(text));
  return right ? gap + text : text + gap;
}

/**
 * A table in plain text: a header, then the rows, columns two blanks apart.
 *
 * @returns Lines, each ended by `\n`.
 */
export function table(
  columns: readonly Column[],
  cells: readonly (readonly string[])[],
  style: Style,
): string {
  // On a terminal a line end in a name would make a row of its own; elsewhere data stay as they are.
  const rows = cells.map((row) => row.map(lineOut));
  const widths = columns.map(({ title }, c) =>
    rows.reduce((most, row) => Math.max(most, visibleWidth(row[c] ?? "")), visibleWidth(title))
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, c) => padded(cell, widths[c]!, columns[c]!.right)).join("  ").trimEnd() + "\n";
  const header = line(columns.map(({ title }) => title)).trimEnd();
  return `${style.bold(header)}\n` + rows.map(line).join("");
}

/** Names and values below each other, the values in one column. */
export function properties(pairs: readonly (readonly [string, string])[], style: Style): string {
  const names = pairs.map(([name]) => lineOut(name));
  const width = Math.max(0, ...names.map(visibleWidth));
  return pairs.map(([, value], i) => `${style.dim(padded(names[i]!, width))}  ${lineOut(value)}\n`)
    .join("");
}
