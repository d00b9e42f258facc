/**
 * Records of a table of text (RFC 4180), for looking at the first of them.
 *
 * @module
 */

import { MAX_COLUMNS } from "../../kernel/table_settings.ts";

/** Cells of a record that are looked at. */
const MAX_CELLS = MAX_COLUMNS + 1;

const QUOTE = 0x22;

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
  let isOdd = false;
  for (let at = from; at < end; at++) if (text.charCodeAt(at) === QUOTE) isOdd = !isOdd;
  return isOdd;
}

/** The cells of a record, without quotes and padding: one more than a table may have, at most. */
export function splitCells(record: string, delimiter: string, blanks = false): string[] {
  if (blanks) {
    const cells = record.trim().split(/[ \t]+/, MAX_CELLS);
    return cells.map((cell) => cell.replace(/^"(.*)"$/, "$1"));
  }
  const cells: string[] = [];
  /** The quoted part at the beginning of a cell. */
  let quoted = "";
  /** Beginning of what is behind that. */
  let from = 0;
  /** A quote in the middle of a cell is a character as others are. */
  let isText = false;
  for (let i = 0; i < record.length; i++) {
    const c = record[i]!;
    if (c === '"' && !isText) {
      isText = record.slice(from, i).trim() !== "";
      if (isText) continue;
      const end = closingQuote(record, i + 1);
      // `replaceAll` takes four times as long where millions are doubled.
      quoted = record.slice(i + 1, end).split(`""`).join(`"`);
      isText = quoted.trim() !== "";
      i = end;
      from = end + 1;
    } else if (c === delimiter) {
      cells.push((quoted + record.slice(from, i)).trim());
      if (cells.length === MAX_CELLS) return cells;
      quoted = "";
      from = i + 1;
      isText = false;
    }
  }
  return [...cells, (quoted + record.slice(from)).trim()];
}

/** Index of the quote that closes those open at an index, past doubled ones; the end if there is none. */
function closingQuote(record: string, from: number): number {
  for (let at = from; at < record.length; at++) {
    if (record.charCodeAt(at) !== QUOTE) continue;
    if (record.charCodeAt(at + 1) !== QUOTE) return at;
    at++;
  }
  return record.length;
}
