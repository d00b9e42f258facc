/**
 * Errors of table cells.
 *
 * @module
 */

import { formatTime } from "../core/time.ts";
import { CsvError } from "./csv_error.ts";

/** Position and contents of a cell. */
export interface TableCell {
  /** Line of the file, from 1. */
  line: number;
  /** Number of the cell in its row, from 1. */
  column: number;
  /** Names of the columns, where there are any. */
  names: readonly string[];
  /** Number of columns. */
  columns: number;
  /** Bytes of the rows, and where in them the cell begins. */
  bytes: Uint8Array;
  at: number;
  /** The byte between cells. */
  delimiter: number;
  /** Smallest and largest time, ns. */
  limits: { readonly first: bigint; readonly last: bigint };
  /** Form of the times: a unit, a pattern or another name. */
  timeFormat: string;
}

/** By the codes of `wasm/table_outcome.ts`. */
const WORDS: Readonly<Record<number, (text: string, cell: TableCell) => string>> = {
  1: (text, { timeFormat }) => `${text} is not a time of the form ${formWords(timeFormat)}`,
  2: (text) => `${text} is a time beyond 64 bits of nanoseconds`,
  3: (text) => `${text} is not a number`,
  4: (text) => `${text} is too large for a double`,
  5: (_, { columns, column }) => `the row has ${column} columns, expected ${columns}`,
  6: (_, { columns }) => `the row has more than ${columns} columns`,
  8: (text) => `${text} has a point, the decimal mark is ,`,
  9: (text) => `${text} is not closed`,
  11: (text) =>
    `${text} does not exist: the clocks were set forward over it, or the zone is another one`,
  12: (text, { limits: { first, last } }) =>
    `${text} is not within ${formatTime(first)} to ${formatTime(last)}`,
  13: () => "the line before is empty, and times are counted by rows: is one missing there?",
  10: (text) => `${text} has thousands marks that do not stand before three digits each`,
  7: (text) => `${text} is not closed, or not followed by a delimiter`,
};

function formWords(format: string): string {
  if (format === "rfc3339") return "2026-03-01T00:00:00Z";
  return format.includes("%") ? JSON.stringify(format) : `${format} (a number)`;
}

/** Marks that nobody sees: of the order of bytes, of directions, blanks of no or another width. */
const UNSEEN = /[\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u205f-\u206f\ufeff]/g;

/** The error of a cell, from the code of the kernel. */
export function tableError(code: number, cell: TableCell): CsvError {
  const { line, column, names } = cell;
  const label = names[column - 1];
  const name = label === undefined ? "" : ` (${JSON.stringify(label)})`;
  const text = cellText(cell);
  const words = WORDS[code]?.(text, cell) ?? "it is not valid";
  const place = { line, column, cell: text, ...(label === undefined ? {} : { label }) };
  return new CsvError(`Cannot parse table: line ${line}, column ${column}${name}: ${words}`, place);
}

const LF = 10;
const CR = 13;
const QUOTE = 34;
/** Bytes of a cell that a message shows. */
const SHOWN = 40;

/** The cell in quotes, cut if it is long. */
function cellText({ bytes, at, delimiter }: TableCell): string {
  let end = at;
  let isQuoted = bytes[at] === QUOTE;
  while (end < bytes.length && end - at <= SHOWN) {
    const byte = bytes[end]!;
    if (byte === QUOTE && end > at) isQuoted = false;
    if (!isQuoted && (byte === delimiter || byte === LF || byte === CR)) break;
    end++;
  }
  const cut = end - at > SHOWN;
  // A mark of the order of bytes is there because files were put behind one another.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    bytes.subarray(at, cut ? at + SHOWN : end),
  );
  const shown = JSON.stringify(text).replace(
    UNSEEN,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return shown + (cut ? "…" : "");
}
