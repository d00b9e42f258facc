/**
 * Colours, numbers and tables as people see them.
 *
 * @module
 */

import { sgr, withoutColors } from "../../plot/sgr.ts";
import { lineOut } from "./escape.ts";

/** Puts text in colours, or leaves it as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** A style with colours (SGR codes), or one without. */
export function makeStyle(color: boolean): Style {
  const between = (on: number, off: number) => (text: string): string =>
    color && text !== "" ? sgr(on, text, off) : text;
  return {
    bold: between(1, 22),
    dim: between(2, 22),
    red: between(31, 39),
    green: between(32, 39),
    yellow: between(33, 39),
    cyan: between(36, 39),
  };
}

/** A count with commas: `1,234,567`. */
export function grouped(count: bigint | number): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A quantity with three digits and a letter: `1.23 M`. */
export function rough(n: number): string {
  if (n < 1000) return String(Math.round(n));
  for (const [unit, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (n >= unit) return `${Number((n / unit).toPrecision(3))} ${letter}`;
  }
  return String(n);
}

/** Bytes for people: `1.5 MB`. */
export function bytesText(n: number): string {
  return n < 1000 ? `${n} B` : `${rough(n)}B`;
}

/** One of one thing, or several: `1 stream`, `2 streams`. */
export function plural(n: bigint | number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${Number(n) === 1 ? one : many}`;
}

/** A column of a table. */
export interface Column {
  title: string;
  /** Numbers stand at the right. */
  right?: boolean;
}

function visibleWidth(text: string): number {
  let width = 0;
  for (const _ of withoutColors(text)) width++;
  return width;
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
    cells.map((cell, c) => {
      const gap = " ".repeat(widths[c]! - visibleWidth(cell));
      return columns[c]!.right ? gap + cell : cell + gap;
    }).join("  ").trimEnd() + "\n";
  const header = line(columns.map(({ title }) => title)).trimEnd();
  return `${style.bold(header)}\n` + rows.map(line).join("");
}

/** Names and values below each other, the values in one column. */
export function properties(pairs: readonly (readonly [string, string])[], style: Style): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) =>
    `${style.dim(lineOut(name).padEnd(width))}  ${lineOut(value)}\n`
  )
    .join("");
}
