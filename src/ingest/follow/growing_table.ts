/**
 * Rows of a table of text that still grows, read from a place on.
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import type { RawColumns } from "../../core/columns.ts";
import { CsvError, type TableParser } from "../../kernel/mod.ts";
import { ImportError } from "../errors.ts";
import type { Position } from "../source.ts";
import { positionOf, withoutLines } from "../text/csv_batches.ts";
import { BATCH_BYTES, parserOf } from "../text/csv_table.ts";
import type { TableLayout } from "../text/table_layout.ts";
import { noRemarks, noteRemarks, type TableRemarks } from "../text/table_remarks.ts";

/** Longest row; beyond it this is no text. */
const MAX_ROW_BYTES = 64 << 20;
const LF = 10;
const BOM = [0xef, 0xbb, 0xbf];

/** Rows that are complete. */
export interface GrownRows {
  /** Points of each column of values. */
  readonly columns: RawColumns[];
  /** Their bytes, as they are in the file. */
  readonly raw: Uint8Array;
  /** Place behind them; its offset counts bytes of the file, whatever its encoding. */
  readonly next: Position;
  /** Rows and cells left out or changed. */
  readonly remarks: TableRemarks;
}

/**
 * Reads the next complete rows of a file, at most a batch of them.
 *
 * @param file The file.
 * @param layout Layout of the table.
 * @param from Place of the first row.
 * @param end Offset behind the last row; by default all that is there.
 * @returns `undefined` if there is no complete row, or none that ends at `end`.
 * @throws {CsvError} If the first row cannot be read; the rows before a later one are returned.
 */
export async function readRows(
  file: FileHandle,
  layout: TableLayout,
  from: Position,
  end?: number,
): Promise<GrownRows | undefined> {
  for (let size = BATCH_BYTES;; size *= 4) {
    const wanted = end === undefined ? size : end - from.offset;
    const raw = await readFrom(file, from.offset, wanted);
    const length = wholeLines(raw, layout.encoding);
    if (end !== undefined && length < wanted) return undefined;
    const rows = length === 0 ? undefined : parseRows(raw.subarray(0, length), layout, from);
    if (rows !== undefined || end !== undefined || raw.length < size) return rows;
    if (size >= MAX_ROW_BYTES) {
      throw new ImportError(
        `Cannot import: the row in line ${from.lines + 1} has more than ${MAX_ROW_BYTES} bytes`,
        { hint: "is this a text file, or is a quotation mark not closed?" },
      );
    }
  }
}

/** Bytes behind the last line end of a file, which are not complete. */
export async function openEnd(
  file: FileHandle,
  layout: TableLayout,
  from: Position,
): Promise<number> {
  const raw = await readFrom(file, from.offset, BATCH_BYTES);
  return raw.length - wholeLines(raw, layout.encoding);
}

/** Bytes of a file; fewer at its end. */
export async function readFrom(
  file: FileHandle,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const { size } = await file.stat();
  const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
  let at = 0;
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, offset + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/** Bytes up to the last line end, in the encoding of the file. */
function wholeLines(raw: Uint8Array, encoding: string | undefined): number {
  if (encoding !== "utf-16le" && encoding !== "utf-16be") return raw.lastIndexOf(LF) + 1;
  const low = encoding === "utf-16le" ? 0 : 1;
  for (let at = (raw.length & ~1) - 2; at >= 0; at -= 2) {
    if (raw[at + low] === LF && raw[at + 1 - low] === 0) return at + 2;
  }
  return 0;
}

/** Parses whole lines; `undefined` if no row among them is complete. */
function parseRows(
  raw: Uint8Array,
  layout: TableLayout,
  from: Position,
): GrownRows | undefined {
  const text = bodyOf(raw, layout.encoding, from);
  const isFirst = from.offset === 0;
  const bytes = isFirst ? withoutLines(text, layout.headerLines) : text;
  if (bytes.length === 0) return undefined;
  const begun = isFirst ? { ...from, lines: layout.headerLines } : from;
  const { columns, parser } = parseReadable(bytes, layout, begun);
  if (parser.used === 0) return undefined;
  const length = raw.length - rawLength(raw, bytes.subarray(parser.used), layout.encoding);
  const remarks = noRemarks();
  noteRemarks(parser, remarks);
  return {
    columns,
    raw: raw.subarray(0, length),
    next: positionOf(parser, begun, from.offset + length),
    remarks,
  };
}

/** Parses rows up to the first one that cannot be read, unless that is the first of all. */
function parseReadable(
  bytes: Uint8Array,
  layout: TableLayout,
  from: Position,
): { columns: RawColumns[]; parser: TableParser } {
  const parser = parserOf(layout, from);
  try {
    return { columns: parser.parse(bytes, true), parser };
  } catch (error) {
    if (!(error instanceof CsvError) || error.line <= from.lines + 1) throw error;
    const before = bytes.length - withoutLines(bytes, error.line - 1 - from.lines).length;
    const again = parserOf(layout, from);
    const columns = again.parse(bytes.subarray(0, before), true);
    if (again.used === 0 || again.rows === 0) throw error;
    return { columns, parser: again };
  }
}

/** Text as UTF-8, without the mark at its beginning. */
function bodyOf(raw: Uint8Array, encoding: string | undefined, from: Position): Uint8Array {
  if (encoding === undefined) {
    const marked = from.offset === 0 && BOM.every((byte, i) => raw[i] === byte);
    return marked ? raw.subarray(BOM.length) : raw;
  }
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: from.offset > 0 });
  try {
    return new TextEncoder().encode(decoder.decode(raw));
  } catch (cause) {
    throw new ImportError(`Cannot import: it is not ${encoding} from line ${from.lines + 1} on`, {
      cause,
    });
  }
}

/** Bytes that the last lines of a text, given as UTF-8, have in the file. */
function rawLength(raw: Uint8Array, rest: Uint8Array, encoding: string | undefined): number {
  if (encoding === undefined) return rest.length;
  const unit = encoding.startsWith("utf-16") ? 2 : 1;
  let end = raw.length;
  for (const byte of rest) if (byte === LF) end = wholeLines(raw.subarray(0, end - unit), encoding);
  return raw.length - end;
}
