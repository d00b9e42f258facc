/**
 * Errors of CSV input.
 *
 * @module
 */

import { TIME_NAMES } from "./csv_text.ts";

/** Position in a CSV. */
export interface CsvErrorPlace {
  /** Line of the file, from 1; the first line of the row. */
  line: number;
  /** Number of the cell in its row, from 1. */
  column?: number;
  /** Label of the column, where it has one. */
  label?: string;
  /** Text of the cell as the message shows it: in quotes, cut if it is long. */
  cell?: string;
}

/** The CSV is not what BTrDB writes: the message, and the properties, say where. */
export class CsvError extends SyntaxError {
  /** Line of the file, from 1; the first line of the row. */
  readonly line: number;
  /** Number of the cell in its row, from 1. */
  readonly column: number | undefined;
  /** Label of the column, where it has one. */
  readonly label: string | undefined;
  /** Text of the cell as the message shows it: in quotes, cut if it is long. */
  readonly cell: string | undefined;

  /**
   * An error at a place.
   *
   * @param message Text of the error.
   * @param place Line and column of the error.
   */
  constructor(message: string, place: CsvErrorPlace) {
    super(message);
    this.name = "CsvError";
    this.line = place.line;
    this.column = place.column;
    this.label = place.label;
    this.cell = place.cell;
  }

  /**
   * The error of a cell, from what the kernel says about it.
   *
   * @param code Code of `wasm/parse_csv.ts`.
   * @param cell Place and content of the cell.
   */
  static ofCell(
    code: number,
    cell: { line: number; column: number; labels: readonly string[]; text: string },
  ): CsvError {
    const { line, column, labels, text } = cell;
    const label = labels[column - 3];
    const name = column <= 2 ? TIME_NAMES[column - 1] : label;
    const place = `line ${line}, column ${column}` +
      (name === undefined ? "" : ` (${JSON.stringify(name)})`);
    const words = WORDS[code]?.(text, labels.length + 2, column) ?? "it is not valid";
    const where = { line, column, cell: text, ...(label === undefined ? {} : { label }) };
    return new CsvError(`Cannot parse CSV: ${place}: ${words}`, where);
  }
}

type Words = (text: string, columns: number, column: number) => string;

/** By the codes of `wasm/parse_csv.ts`. */
const WORDS: Readonly<Record<number, Words>> = {
  1: (text) => `${text} is not a time, expected ns as an integer`,
  2: (text) => `${text} is not a time, expected ns from -2^63 to 2^63 - 1`,
  3: (text) => `${text} is not a number`,
  4: (text) => `${text} is too large for a double`,
  5: (_, columns, column) => `the row has ${column} of ${columns} columns`,
  6: (_, columns) => `the row has more than ${columns} columns`,
  7: (text) => `${text} is not followed by a comma or a line end`,
};

const COMMA = 44;
const LF = 10;
const CR = 13;
const QUOTE = 34;
/** Bytes of a cell that a message shows. */
const SHOWN = 40;

/**
 * The cell that begins at `at`, or what of it is on its first line, in quotes, cut if it is long.
 */
export function describeCell(bytes: Uint8Array, at: number): string {
  const hasQuotes = bytes[at] === QUOTE;
  let end = at;
  let isInside = false;
  while (end < bytes.length && end - at <= SHOWN) {
    const byte = bytes[end]!;
    if (hasQuotes && byte === QUOTE) isInside = !isInside;
    if (byte === LF || byte === CR || (byte === COMMA && !isInside)) break;
    end++;
  }
  const cut = end - at > SHOWN;
  const text = new TextDecoder().decode(bytes.subarray(at, cut ? at + SHOWN : end));
  return JSON.stringify(text) + (cut ? "…" : "");
}
