/**
 * The first line of a BTrDB CSV.
 *
 * @module
 */

import { CsvError } from "./csv_error.ts";
import { TIME_NAMES, WINDOW_SUFFIXES } from "./csv_text.ts";

/** A complete header. */
export interface CsvHeader {
  /** Names of the columns after the two of the time. */
  labels: string[];
  /** Offset of the first byte after it. */
  end: number;
  /** Lines it takes: labels may contain line breaks. */
  lines: number;
}

const COMMA = 44;
const LF = 10;
const CR = 13;
const QUOTE = 34;

/**
 * Reads the header at the beginning of a file.
 *
 * @param bytes From the first byte of the file on, a byte order mark included.
 * @param last True if there are no more bytes.
 * @returns The header, or undefined if it is not complete.
 * @throws {CsvError} If it is not the header of raw values, or not complete although `last`.
 */
export function readHeader(bytes: Uint8Array, last: boolean): CsvHeader | undefined {
  const split = splitLine(bytes, skipMark(bytes));
  if (split === undefined) {
    if (!last) return undefined;
    throw new CsvError("Cannot parse CSV: line 1: a quote is not closed", { line: 1 });
  }
  const names = split.cells.map(decodeName);
  checkNames(names);
  return { labels: names.slice(2), end: split.end, lines: split.lines };
}

/** Offset after the byte order mark, if there is one. */
function skipMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** The cells of the line at `at` as they are written, or undefined if it does not end. */
function splitLine(
  bytes: Uint8Array,
  at: number,
): { cells: Uint8Array[]; end: number; lines: number } | undefined {
  const cells: Uint8Array[] = [];
  let from = at;
  let quoted = false;
  let lines = 1;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) quoted = !quoted;
    if (quoted) {
      if (byte === LF) lines++;
      continue;
    }
    if (byte === COMMA) {
      cells.push(bytes.subarray(from, at));
      from = at + 1;
    } else if (byte === LF) {
      cells.push(bytes.subarray(from, bytes[at - 1] === CR && at > from ? at - 1 : at));
      return { cells, end: at + 1, lines };
    }
  }
  return undefined;
}

/** A cell as text, without its quotes. */
function decodeName(cell: Uint8Array, index: number): string {
  const column = index + 1;
  const fail = (what: string) =>
    new CsvError(`Cannot parse CSV: line 1, column ${column}: the name ${what}`, {
      line: 1,
      column,
    });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(cell);
  } catch {
    throw fail("is not UTF-8");
  }
  if (!text.startsWith('"')) return text;
  if (!/^"(?:[^"]|"")*"$/.test(text)) throw fail("has text after its closing quote");
  return text.slice(1, -1).replaceAll('""', '"');
}

function checkNames(names: readonly string[]): void {
  TIME_NAMES.forEach((expected, i) => {
    if (names[i] === expected) return;
    const found = names[i] === undefined ? "missing" : JSON.stringify(names[i]);
    throw new CsvError(
      `Cannot parse CSV: line 1, column ${i + 1}: the name is ${found}, expected ` +
        JSON.stringify(expected),
      { line: 1, column: i + 1 },
    );
  });
  names.forEach((name, i) => {
    if (i < 2 || !WINDOW_SUFFIXES.some((suffix) => name.endsWith(suffix))) return;
    throw new CsvError(
      `Cannot parse CSV: line 1, column ${i + 1}: ${JSON.stringify(name)} is a statistic of ` +
        "windows, expected raw values: statistics cannot be turned back into points",
      { line: 1, column: i + 1, label: name },
    );
  });
}
