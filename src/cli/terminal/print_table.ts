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
export function visibleWidth(text: string): number {
  return stringWidth(withoutColors(text));
}

/** Text filled up with blanks, at the left or at the right. */
export function padded(text: string, width: number, right = false): string {
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
  const pages = new TablePages(columns, style);
  return pages.header(cells) + pages.rows(cells);
}

/** A table whose rows come page by page: a column gets wider when a later page needs it. */
export class TablePages {
  readonly #columns: readonly Column[];
  readonly #style: Style;
  readonly #widths: number[];

  constructor(columns: readonly Column[], style: Style) {
    this.#columns = columns;
    this.#style = style;
    this.#widths = columns.map(({ title }) => visibleWidth(title));
  }

  /** Line of the titles, as wide as the first page needs it. */
  header(firstPage: readonly (readonly string[])[]): string {
    this.#fit(this.#escaped(firstPage));
    const titles = this.#line(this.#columns.map(({ title }) => title)).trimEnd();
    return `${this.#style.bold(titles)}\n`;
  }

  /** Lines of a page, each ended by `\n`. */
  rows(page: readonly (readonly string[])[]): string {
    const rows = this.#escaped(page);
    this.#fit(rows);
    return rows.map((row) => this.#line(row)).join("");
  }

  /** On a terminal a line end in a name would make a row of its own; elsewhere data stay as they are. */
  #escaped(page: readonly (readonly string[])[]): string[][] {
    return page.map((row) => row.map(lineOut));
  }

  #fit(rows: readonly (readonly string[])[]): void {
    for (const row of rows) {
      for (const [c, width] of this.#widths.entries()) {
        this.#widths[c] = Math.max(width, visibleWidth(row[c] ?? ""));
      }
    }
  }

  #line(cells: readonly string[]): string {
    return cells.map((cell, c) => padded(cell, this.#widths[c]!, this.#columns[c]!.right))
      .join("  ").trimEnd() + "\n";
  }
}

/** Names and values below each other, the values in one column. */
export function properties(pairs: readonly (readonly [string, string])[], style: Style): string {
  const names = pairs.map(([name]) => lineOut(name));
  const width = Math.max(0, ...names.map(visibleWidth));
  return pairs.map(([, value], i) => `${style.dim(padded(names[i]!, width))}  ${lineOut(value)}\n`)
    .join("");
}
