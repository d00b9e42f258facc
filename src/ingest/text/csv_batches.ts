/**
 * Tables of text, read and parsed batch by batch.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { TableParser } from "../../kernel/mod.ts";
import { ImportError } from "../errors.ts";
import { type ByteSource, readBytes, type ReadCounter } from "../bytes.ts";
import type { TableLayout } from "./layout.ts";
import { lineBatches } from "./line_batches.ts";
import { fixedOffset, toUtc } from "./local_times.ts";
import type { Position, SourceBatch } from "../source.ts";

const LF = 10;

/** Bytes of a batch. Recorded positions depend on it: a batch must be found again. */
export const BATCH_BYTES: number = 8 << 20;

/** A table of text. */
export interface CsvTable {
  /** Where the text is. */
  readonly bytes: ByteSource;
  /** How it looks. */
  readonly layout: TableLayout;
}

/**
 * Reads a table.
 *
 * @param table The table.
 * @param from Where to begin.
 * @param counter Is told how far the file is read.
 * @param stdin The bytes of what can be read only once.
 */
export async function* csvBatches(
  { bytes: source, layout }: CsvTable,
  from: Position,
  counter: ReadCounter,
  stdin?: AsyncIterable<Uint8Array>,
): AsyncGenerator<SourceBatch, void, void> {
  const parser = parserOf(layout, from);
  const seekable = stdin === undefined;
  const chunks = stdin ?? readBytes(source, from.offset, counter);
  let left = seekable ? 0 : from.offset;
  let header = from.offset === 0 ? layout.headerLines : 0;
  for await (const batch of lineBatches(chunks, seekable ? from.offset : 0, BATCH_BYTES)) {
    let { bytes } = batch;
    if (left > 0) {
      left -= bytes.length;
      if (left >= 0) continue;
      throw new ImportError("Cannot resume: stdin is not what it was before");
    }
    for (; header > 0; header--) {
      bytes = withoutLines(bytes, 1);
      parser.lines++;
    }
    const columns = parser.parse(bytes).map((column) => inUtc(layout, column));
    yield {
      columns,
      next: { offset: batch.end, lines: parser.lines, rows: from.rows + parser.rows },
    };
  }
}

/** A parser of the rows from a position on. */
export function parserOf(layout: TableLayout, from: Position): TableParser {
  const { roles, names, delimiter, decimal, timeFormat, times, tz } = layout;
  const parser = new TableParser({
    columns: roles,
    names,
    delimiter,
    decimal,
    timeFormat,
    offset: fixedOffset(tz) ?? 0n,
    ...(times === undefined ? {} : {
      times: {
        first: BigInt(times.first) + BigInt(times.step) * BigInt(from.rows),
        step: BigInt(times.step),
      },
    }),
  });
  parser.lines = from.lines;
  return parser;
}

/** Bytes after the first `count` lines. */
export function withoutLines(bytes: Uint8Array, count: number): Uint8Array {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const end = bytes.indexOf(LF, at);
    if (end < 0) return bytes.subarray(bytes.length);
    at = end + 1;
  }
  return bytes.subarray(at);
}

/** Times of a zone with changing offsets come as if they were UTC. */
function inUtc({ tz, timeFormat }: TableLayout, column: RawColumns): RawColumns {
  const local = fixedOffset(tz) === undefined && !/^(ns|us|ms|s)$/.test(timeFormat) &&
    !timeFormat.includes("%z");
  return local ? { times: toUtc(column.times, tz), values: column.values } : column;
}
