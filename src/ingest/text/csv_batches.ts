/**
 * Tables of text, read and parsed batch by batch.
 *
 * @module
 */

import type { TableParser } from "../../kernel/table_parser.ts";
import { readBytes, type ReadCounter } from "../bytes.ts";
import { ImportError } from "../errors.ts";
import type { Position, SourceBatch } from "../source.ts";
import { BATCH_BYTES, type CsvTable, parserOf, textOf } from "./csv_table.ts";
import { noRemarks, noteRemarks, type TableRemarks } from "./table_remarks.ts";
import { lineBatches } from "./line_batches.ts";
import { withPauses } from "../with_pauses.ts";
import { longBatches } from "./long_table.ts";

const LF = 10;

/** Time without a byte after which rows that came are given on. */
const LIVE_PAUSE_MS = 100;

/**
 * Reads a table.
 *
 * @param table The table.
 * @param from Position of the first row.
 * @param counter Is told how far the file is read.
 * @param stdin The bytes of what can be read only once.
 * @param remarks Is told what was met.
 */
export async function* csvBatches(
  table: CsvTable,
  from: Position,
  counter: ReadCounter,
  stdin?: AsyncIterable<Uint8Array>,
  remarks: TableRemarks = noRemarks(),
): AsyncGenerator<SourceBatch, void, void> {
  const { bytes: source, layout } = table;
  const whole = stdin !== undefined || layout.encoding !== undefined;
  const text = textOf(table, stdin ?? readBytes(source, whole ? 0 : from.offset, counter));
  const chunks = whole ? without(text, from.offset) : text;
  if (layout.by !== undefined) return yield* longBatches(table, from, chunks, remarks);
  const pieces = table.live === true ? withPauses(chunks, LIVE_PAUSE_MS) : chunks;
  const parser = parserOf(layout, from);
  let header = from.offset === 0 ? layout.headerLines : 0;
  let end = from.offset;
  let first = from.offset === 0;
  let rest: Uint8Array = new Uint8Array(0);
  for await (const batch of lineBatches(pieces, from.offset, BATCH_BYTES)) {
    if (batch.open && !layout.complete) {
      remarks.openLine = parser.lines + header + 1;
      break;
    }
    let bytes = rest.length === 0 ? batch.bytes : joined(rest, batch.bytes);
    if (first && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      bytes = bytes.subarray(3);
    }
    first = false;
    end = batch.end;
    for (; header > 0; header--) {
      bytes = withoutLines(bytes, 1);
      parser.lines++;
    }
    const columns = parser.parse(bytes, true);
    rest = bytes.slice(parser.used);
    noteRemarks(parser, remarks);
    yield { columns, next: positionOf(parser, from, batch.end - rest.length) };
  }
  if (rest.length > 0) {
    const columns = parser.parse(rest);
    noteRemarks(parser, remarks);
    yield { columns, next: positionOf(parser, from, end) };
  }
}

/** Position behind the rows that a parser has read. */
export function positionOf(parser: TableParser, from: Position, offset: number): Position {
  const next: Position = { offset, lines: parser.lines, rows: from.rows + parser.rows };
  const last = parser.lastTime;
  return last === undefined
    ? next
    : { ...next, time: String(last.time), step: String(last.distance) };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** The bytes after the first `count`. */
async function* without(
  chunks: AsyncIterable<Uint8Array>,
  count: number,
): AsyncGenerator<Uint8Array, void, void> {
  let left = count;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
  if (left > 0) throw new ImportError("Cannot resume: the input is shorter than it was before");
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
