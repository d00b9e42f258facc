/**
 * Parquet files as a source.
 *
 * @module
 */

import { openParquet, type ParquetInput, type TimeUnit } from "../io/parquet.ts";
import { optionError } from "./errors.ts";
import { type FormatInput, randomAccess } from "./format.ts";
import type { SourceOptions } from "./options.ts";
import type { OmittedColumn, Position, Source, SourceBatch, SourceColumn } from "./source.ts";
import { Spool } from "./spool.ts";
import { collectionIn } from "./stream_paths.ts";

/** Columns of a file that are read; plain data, because a record of interrupted work keeps it. */
interface ParquetLayout {
  time?: string;
  values?: readonly string[];
  timeUnit?: TimeUnit;
}

const UNITS: readonly string[] = ["ns", "us", "ms", "s"];

/** A Parquet file; a batch is a row group. */
export class ParquetSource implements Source {
  readonly format = "parquet";
  readonly layout: ParquetLayout;
  readonly columns: readonly SourceColumn[];
  readonly omitted: readonly OmittedColumn[] = [];
  readonly notices: readonly string[] = [];
  readonly size: number | undefined;
  readonly #file: ParquetInput;
  readonly #spool: Spool | undefined;
  #rows = 0;

  private constructor(
    file: ParquetInput,
    layout: ParquetLayout,
    size: number | undefined,
    spool: Spool | undefined,
  ) {
    this.#file = file;
    this.#spool = spool;
    this.layout = layout;
    this.size = size;
    // Labels of BTrDB's own files are paths of streams; a slash of others is one.
    this.columns = file.labels.map((name) =>
      file.isOwn ? { name, collection: collectionIn(name) } : { name }
    );
  }

  /**
   * Opens a file.
   *
   * @param input Where it is.
   * @param options Columns to read.
   * @param layout From a record; absent: as the options say.
   */
  static async open(
    input: FormatInput,
    options: SourceOptions,
    layout?: unknown,
  ): Promise<ParquetSource> {
    const known = layout as ParquetLayout | undefined ?? layoutOf(options);
    const access = await randomAccess(input);
    const spool = access instanceof Spool ? access : undefined;
    const size = spool?.byteLength ?? input.bytes.size;
    try {
      return new ParquetSource(await openParquet(access, known), known, size, spool);
    } catch (error) {
      await spool?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Bytes of the file read so far, by the rows read. */
  get bytesRead(): number {
    const all = this.#file.rows;
    return all === 0 ? this.size ?? 0 : Math.round((this.size ?? 0) * this.#rows / all);
  }

  /** Reads from a position on, whose offset is a row. */
  async *batches(from: Position): AsyncGenerator<SourceBatch, void, void> {
    this.#rows = from.offset;
    for await (const { rowStart, rows, columns } of this.#file.batches(from.offset)) {
      this.#rows = rowStart + rows;
      yield { columns, next: { offset: this.#rows, lines: 0, rows: this.#rows } };
    }
  }

  /** Closes the file. Closing twice does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
    await this.#spool?.[Symbol.asyncDispose]();
  }
}

function layoutOf(options: SourceOptions): ParquetLayout {
  const layout: ParquetLayout = {};
  if (options.time !== undefined) layout.time = options.time;
  if (options.columns !== undefined && options.columns.length > 0) layout.values = options.columns;
  const unit = options.timeFormat;
  if (unit !== undefined) {
    if (!UNITS.includes(unit)) {
      throw optionError(
        `Cannot use --time-format ${unit} with Parquet: expected ${UNITS.join(", ")}`,
      );
    }
    layout.timeUnit = unit as TimeUnit;
  }
  return layout;
}
