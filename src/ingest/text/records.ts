/**
 * Records of a table of text (RFC 4180), for looking at the first of them.
 *
 * @module
 */

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
    while (isOpen(text.slice(at, end)) && end < text.length) {
      const next = text.indexOf("\n", end + 1);
      end = next < 0 ? text.length : next;
      lines++;
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

function isOpen(text: string): boolean {
  let open = false;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) open = !open;
  return open;
}

/** The cells of a record, without quotes and padding. */
export function splitCells(record: string, delimiter: string, blanks = false): string[] {
  if (blanks) return record.trim().split(/[ \t]+/).map((cell) => cell.replace(/^"(.*)"$/, "$1"));
  const cells: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < record.length; i++) {
    const c = record[i]!;
    if (c === '"' && (quoted || cell.trim() === "")) {
      if (quoted && record[i + 1] === '"') cell += record[++i];
      else {
        if (!quoted) cell = "";
        quoted = !quoted;
      }
    } else if (c === delimiter && !quoted) {
      cells.push(cell.trim());
      cell = "";
    } else {
      cell += c;
    }
  }
  return [...cells, cell.trim()];
}
