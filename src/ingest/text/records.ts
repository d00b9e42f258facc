/**
 * Records of a table of text (RFC 4180), for looking at the first of them.
 *
 * @module
 */

import { MAX_COLUMNS } from "../../kernel/table_settings.ts";

/** Cells of a record that are looked at. */
const MAX_CELLS = MAX_COLUMNS + 1;

/** A record. */
export interface TextRecord {
  /** Its cells, without quotes and padding. */
  readonly cells: string[];
  /** Lines before it. */
  readonly line: number;
}

/** The look of records. */
export interface RecordLook {
  readonly delimiter: string;
  /** True if runs of blanks and tabs are the delimiter. */
  readonly blanks: boolean;
  /** Beginning of lines that are no records. */
  readonly comment: string | undefined;
  /** Most records to read. */
  readonly limit: number;
}

/** The first records of a text; empty lines and comments are none. A cut one at its end is left out. */
export function readRecords(text: string, look: RecordLook): TextRecord[] {
  const records: TextRecord[] = [];
  let at = 0;
  let line = 0;
  while (at < text.length && records.length < look.limit) {
    let end = text.indexOf("\n", at);
    let lines = 1;
    if (end < 0) end = text.length;
    // A quote that is open at the end of a line goes on in the next one.
    for (let isOpen = hasOddQuotes(text, at, end); isOpen && end < text.length; lines++) {
      const next = text.indexOf("\n", end + 1);
      const from = end;
      end = next < 0 ? text.length : next;
      if (hasOddQuotes(text, from, end)) isOpen = false;
    }
    const record = text.slice(at, end).replace(/\r$/, "");
    const skip = record.trim() === "" ||
      (look.comment !== undefined && record.trimStart().startsWith(look.comment));
    if (!skip) records.push({ cells: splitCells(record, look.delimiter, look.blanks), line });
    at = end + 1;
    line += lines;
  }
  return records;
}

function hasOddQuotes(text: string, from: number, end: number): boolean {
  const part = text.slice(from, end);
  let isOdd = false;
  for (let at = part.indexOf('"'); at >= 0; at = part.indexOf('"', at + 1)) isOdd = !isOdd;
  return isOdd;
}

/** The cells of a record, without quotes and padding: one more than a table may have, at most. */
export function splitCells(record: string, delimiter: string, blanks = false): string[] {
  if (blanks) {
    const cells = record.trim().split(/[ \t]+/, MAX_CELLS);
    return cells.map((cell) => cell.replace(/^"(.*)"$/, "$1"));
  }
  const cells: string[] = [];
  let cell = "";
  /** Beginning of what is not in `cell` yet: characters are taken together, not one by one. */
  let from = 0;
  let quoted = false;
  for (let i = 0; i < record.length; i++) {
    const c = record[i]!;
    if (c === '"') {
      const before = cell + record.slice(from, i);
      if (!quoted && before.trim() !== "") continue;
      const isDoubled = quoted && record[i + 1] === '"';
      cell = quoted ? before : "";
      // Of two quotes in quotes the second one stays.
      from = ++i;
      if (!isDoubled) {
        quoted = !quoted;
        i--;
      }
    } else if (c === delimiter && !quoted) {
      cells.push((cell + record.slice(from, i)).trim());
      if (cells.length === MAX_CELLS) return cells;
      cell = "";
      from = i + 1;
    }
  }
  return [...cells, (cell + record.slice(from)).trim()];
}
