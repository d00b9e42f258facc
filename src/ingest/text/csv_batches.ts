/**
 * Tables of text, read and parsed batch by batch.
 *
 * @module
 */

import { TableParser } from "../../kernel/mod.ts";
import { type ByteSource, readBytes, type ReadCounter } from "../bytes.ts";
import { ImportError } from "../errors.ts";
import type { Position, SourceBatch } from "../source.ts";
import { clockChanges, fixedOffset, zoneNames } from "./clock_changes.ts";
import { toUtf8 } from "./encoding.ts";
import type { TableLayout } from "./layout.ts";
import { lineBatches } from "./line_batches.ts";

const LF = 10;

/** Bytes of a batch. Recorded positions depend on it: a batch must be found again. */
export const BATCH_BYTES: number = 8 << 20;

/** A table of text. */
export interface CsvTable {
  /** Bytes of the text. */
  readonly bytes: ByteSource;
  /** Layout of the text. */
  readonly layout: TableLayout;
}

/** Remarks on a table that was read: rows and cells left out, unclear times. */
export interface TableRemarks {
  /** Rows left out because they could not be read. */
  badRows: number;
  /** Cells left out because they are no number. */
  badCells: number;
  /** Clock times that come twice, where the rows around do not tell which one is meant. */
  unsure: number;
  /** Line of the first of them. */
  unsureLine?: number | undefined;
  /** Times with digits below a nanosecond, which were cut. */
  cut: number;
  /** Line of the first of them. */
  cutLine?: number | undefined;
  /** Number of the last line, if it was left out because it has no line end. */
  openLine?: number | undefined;
}

/** No remarks. */
export function noRemarks(): TableRemarks {
  return { badRows: 0, badCells: 0, unsure: 0, cut: 0 };
}

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
  { bytes: source, layout }: CsvTable,
  from: Position,
  counter: ReadCounter,
  stdin?: AsyncIterable<Uint8Array>,
  remarks: TableRemarks = noRemarks(),
): AsyncGenerator<SourceBatch, void, void> {
  const parser = parserOf(layout, from);
  const whole = stdin !== undefined || layout.encoding !== undefined;
  const raw = stdin ?? readBytes(source, whole ? 0 : from.offset, counter);
  const text = layout.encoding === undefined ? raw : toUtf8(raw, layout.encoding, source.name);
  const chunks = whole ? without(text, from.offset) : text;
  let header = from.offset === 0 ? layout.headerLines : 0;
  let end = from.offset;
  let first = from.offset === 0;
  let rest: Uint8Array = new Uint8Array(0);
  for await (const batch of lineBatches(chunks, from.offset, BATCH_BYTES)) {
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
    note(parser, remarks);
    yield { columns, next: positionOf(parser, from, batch.end - rest.length) };
  }
  if (rest.length > 0) {
    const columns = parser.parse(rest);
    note(parser, remarks);
    yield { columns, next: positionOf(parser, from, end) };
  }
}

function note(parser: TableParser, remarks: TableRemarks): void {
  remarks.badRows = parser.badRows;
  remarks.badCells = parser.badCells;
  remarks.unsure = parser.unsureTimes;
  remarks.unsureLine = parser.firstUnsureLine;
  remarks.cut = parser.cutTimes;
  remarks.cutLine = parser.firstCutLine;
}

function positionOf(parser: TableParser, from: Position, offset: number): Position {
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

/** A parser of the rows from a position on. */
export function parserOf(layout: TableLayout, from: Position): TableParser {
  const { times, tz, rate, base } = layout;
  const fixed = fixedOffset(tz);
  const parser = new TableParser({
    columns: layout.roles,
    names: layout.names.map((name, i) => name || `column${i + 1}`),
    delimiter: layout.delimiter,
    decimal: layout.decimal,
    timeFormat: layout.timeFormat,
    blanks: layout.blanks,
    nulls: layout.nulls,
    skipBadRows: layout.skipBadRows,
    skipBadCells: layout.skipBadCells,
    timeOrder: layout.timeOrder,
    offset: fixed ?? 0n,
    zoneNames: zoneNames(tz),
    ...(fixed === undefined ? { clockChanges: clockChanges(tz) } : {}),
    ...(layout.comment === undefined ? {} : { comment: layout.comment }),
    ...(layout.thousands === undefined ? {} : { thousands: layout.thousands }),
    ...(base === undefined ? {} : { base: BigInt(base) }),
    ...(rate === undefined ? {} : {
      rate: {
        rows: BigInt(rate.rows),
        seconds: BigInt(rate.seconds),
        fromBase: rate.fromBase,
      },
    }),
    ...(times === undefined ? {} : {
      times: {
        first: BigInt(times.first) + BigInt(times.step) * BigInt(from.rows),
        step: BigInt(times.step),
      },
    }),
  });
  parser.lines = from.lines;
  if (from.time !== undefined) {
    parser.lastTime = { time: BigInt(from.time), distance: BigInt(from.step ?? "0") };
  }
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
