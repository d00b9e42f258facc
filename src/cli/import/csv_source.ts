/**
 * Tables of text as a source.
 *
 * @module
 */

import type { RawColumns } from "../../../mod.ts";
import { TableParser } from "../../kernel/mod.ts";
import { CliError } from "../errors.ts";
import { type ByteSource, readBytes, type ReadCounter } from "./bytes.ts";
import type { TableLayout } from "./layout.ts";
import { lineBatches } from "./line_batches.ts";
import { fixedOffset, toUtc } from "./local_times.ts";
import { type Position, type SourceBatch, START, type TableSource } from "./source.ts";

const LF = 10;

/** Bytes of a batch. Recorded positions depend on it: a batch must be found again. */
export const BATCH_BYTES: number = 8 << 20;

/** Bytes after the first `count` lines. */
function withoutLines(bytes: Uint8Array, count: number): Uint8Array {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const end = bytes.indexOf(LF, at);
    if (end < 0) return bytes.subarray(bytes.length);
    at = end + 1;
  }
  return bytes.subarray(at);
}

/** A table of text. */
export class CsvSource implements TableSource {
  readonly layout: TableLayout;
  readonly labels: readonly string[];
  readonly numbers: readonly number[];
  readonly size: number | undefined;
  readonly #bytes: ByteSource;
  readonly #input: AsyncIterable<Uint8Array> | undefined;
  readonly #counter: ReadCounter;

  /**
   * @param bytes Where the text is.
   * @param layout How it looks.
   * @param stdin The bytes of stdin, which can be read only once.
   * @param counter What counts the bytes of stdin.
   */
  constructor(
    bytes: ByteSource,
    layout: TableLayout,
    stdin?: AsyncIterable<Uint8Array>,
    counter: ReadCounter = { bytes: 0 },
  ) {
    this.#bytes = bytes;
    this.#input = stdin;
    this.#counter = counter;
    this.layout = layout;
    this.labels = layout.names.filter((_, i) => layout.roles[i] === "value");
    this.numbers = layout.names.flatMap((_, i) => layout.roles[i] === "value" ? [i + 1] : []);
    this.size = bytes.size;
  }

  /** Reads the whole lines among the first bytes. */
  check(head: Uint8Array): void {
    const parser = this.#parser(START);
    const lines = head.subarray(0, head.lastIndexOf(LF) + 1);
    const rows = withoutLines(lines, this.layout.headerLines);
    parser.lines = this.layout.headerLines;
    parser.parse(rows);
  }

  /** Bytes of the file read so far. */
  get bytesRead(): number {
    return this.#counter.bytes;
  }

  /** Reads from a position on. */
  async *batches(from: Position): AsyncGenerator<SourceBatch, void, void> {
    const parser = this.#parser(from);
    const seekable = this.#input === undefined;
    const chunks = this.#input ?? readBytes(this.#bytes, from.offset, this.#counter);
    let left = seekable ? 0 : from.offset;
    let header = from.offset === 0 ? this.layout.headerLines : 0;
    for await (const batch of lineBatches(chunks, seekable ? from.offset : 0, BATCH_BYTES)) {
      let { bytes } = batch;
      if (left > 0) {
        left -= bytes.length;
        if (left >= 0) continue;
        throw new CliError("Cannot resume: stdin is not what it was before");
      }
      for (; header > 0; header--) {
        bytes = withoutLines(bytes, 1);
        parser.lines++;
      }
      const columns = parser.parse(bytes).map((column) => this.#inUtc(column));
      yield {
        columns,
        next: { offset: batch.end, lines: parser.lines, rows: from.rows + parser.rows },
      };
    }
  }

  #parser(from: Position): TableParser {
    const { roles, names, delimiter, decimal, timeFormat, times, tz } = this.layout;
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

  /** Times of a zone with changing offsets come as if they were UTC. */
  #inUtc(column: RawColumns): RawColumns {
    const { tz, timeFormat } = this.layout;
    const local = fixedOffset(tz) === undefined && !/^(ns|us|ms|s)$/.test(timeFormat) &&
      !timeFormat.includes("%z");
    return local ? { times: toUtc(column.times, tz), values: column.values } : column;
  }
}
