/**
 * Tables of text as a source.
 *
 * @module
 */

import { mayStartThreads } from "../threads.ts";
import type { ByteSource, ReadCounter } from "./bytes.ts";
import { csvBatches, type CsvTable, parserOf, withoutLines } from "./csv_batches.ts";
import { csvBatchesFromThread } from "./csv_thread.ts";
import type { TableLayout } from "./layout.ts";
import { type Position, type SourceBatch, START, type TableSource } from "./source.ts";

const LF = 10;

/** Size of a file from which on it is worth a thread, bytes. */
const LARGE_BYTES = 16 << 20;

/** A table of text. */
export class CsvSource implements TableSource {
  readonly layout: TableLayout;
  readonly labels: readonly string[];
  readonly numbers: readonly number[];
  readonly size: number | undefined;
  readonly #table: CsvTable;
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
    this.#table = { bytes, layout };
    this.#input = stdin;
    this.#counter = counter;
    this.layout = layout;
    this.labels = layout.names.filter((_, i) => layout.roles[i] === "value");
    this.numbers = layout.names.flatMap((_, i) => layout.roles[i] === "value" ? [i + 1] : []);
    this.size = bytes.size;
  }

  /** Reads the whole lines among the first bytes. */
  check(head: Uint8Array): void {
    const parser = parserOf(this.layout, START);
    const lines = head.subarray(0, head.lastIndexOf(LF) + 1);
    const rows = withoutLines(lines, this.layout.headerLines);
    parser.lines = this.layout.headerLines;
    parser.parse(rows);
  }

  /** Bytes of the file read so far. */
  get bytesRead(): number {
    return this.#counter.bytes;
  }

  /** Reads from a position on; a large file in a thread of its own. */
  batches(from: Position): AsyncGenerator<SourceBatch, void, void> {
    const large = this.#input === undefined && (this.size ?? 0) >= LARGE_BYTES;
    const inThread = large && mayStartThreads();
    return inThread
      ? csvBatchesFromThread(this.#table, from, this.#counter)
      : csvBatches(this.#table, from, this.#counter, this.#input);
  }
}
