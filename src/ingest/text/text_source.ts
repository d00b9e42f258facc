/**
 * Tables of text as a source.
 *
 * @module
 */

import type { ByteSource, ReadCounter } from "../bytes.ts";
import { ImportError } from "../errors.ts";
import type { FormatInput } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import type { OmittedColumn, Position, Source, SourceBatch, SourceColumn } from "../source.ts";
import { csvBatches, type CsvTable } from "./csv_batches.ts";
import { csvBatchesFromThread } from "./csv_thread.ts";
import { collectionIn } from "../stream_paths.ts";
import { detectLayout, isBtrdbTable, type TableLayout } from "./layout.ts";

/** Size of a file from which on it is worth a thread, bytes. */
const LARGE_BYTES = 16 << 20;

/** Opens a table of text. */
export function openText(
  input: FormatInput,
  options: SourceOptions,
  layout?: unknown,
): Promise<Source> {
  const { head, bytes } = input;
  if (head.includes(0)) {
    const wide = head[0] === 0xff || head[0] === 0xfe;
    throw new ImportError(`Cannot import ${bytes.name}: it is neither text nor Parquet`, {
      hint: wide ? "is it UTF-16? `iconv -f utf-16 -t utf-8` makes text of it" : undefined,
    });
  }
  const notices: string[] = [];
  const text = new TextDecoder().decode(head, { stream: true });
  const known = layout as TableLayout | undefined ??
    detectLayout(text, wishesOf(options), (notice) => notices.push(notice));
  const once = bytes.once ? input.all() : undefined;
  return Promise.resolve(
    new TextSource(bytes, known, notices, once, input.counter, options.threads !== false),
  );
}

function wishesOf(options: SourceOptions): Parameters<typeof detectLayout>[1] {
  const { start, interval } = options;
  return {
    delimiter: options.delimiter,
    decimal: options.decimal,
    header: options.header,
    skipLines: options.skipLines ?? 0,
    time: options.time,
    timeFormat: options.timeFormat,
    columns: options.columns ?? [],
    tz: options.tz ?? "UTC",
    times: start === undefined || interval === undefined
      ? undefined
      : { first: String(start), step: String(interval) },
  };
}

/** A table of text. */
class TextSource implements Source {
  readonly format = "csv";
  readonly columns: readonly SourceColumn[];
  readonly omitted: readonly OmittedColumn[] = [];
  readonly size: number | undefined;
  readonly #table: CsvTable;
  readonly #threads: boolean;
  readonly layout: TableLayout;
  readonly notices: readonly string[];
  readonly #once: AsyncIterable<Uint8Array> | undefined;
  readonly #counter: ReadCounter;

  constructor(
    bytes: ByteSource,
    layout: TableLayout,
    notices: readonly string[],
    once: AsyncIterable<Uint8Array> | undefined,
    counter: ReadCounter,
    threads: boolean,
  ) {
    this.layout = layout;
    this.notices = notices;
    this.#once = once;
    this.#counter = counter;
    this.#table = { bytes, layout };
    this.#threads = threads;
    const own = isBtrdbTable(layout.names);
    this.columns = layout.names.flatMap((name, i) =>
      layout.roles[i] === "value"
        ? [{ name, number: i + 1, ...(own ? { collection: collectionIn(name) } : {}) }]
        : []
    );
    this.size = bytes.size;
  }

  /** Bytes of the file read so far. */
  get bytesRead(): number {
    return this.#counter.bytes;
  }

  /** Reads from a position on; a large file in a thread of its own. */
  batches(from: Position): AsyncGenerator<SourceBatch, void, void> {
    const large = this.#once === undefined && (this.size ?? 0) >= LARGE_BYTES &&
      this.#table.bytes.path !== undefined;
    return large && this.#threads
      ? csvBatchesFromThread(this.#table, from, this.#counter)
      : csvBatches(this.#table, from, this.#counter, this.#once);
  }

  /** Has nothing to close. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
