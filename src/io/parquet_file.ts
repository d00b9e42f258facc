/**
 * Parquet files as columns of any type.
 *
 * @module
 */

import type { AsyncBuffer, FileMetaData, RowGroup } from "hyparquet";
import { socketsSeen } from "../core/event_loop.ts";
import {
  bigintsOf,
  type ColumnarBatch,
  type ColumnarField,
  type ColumnarFile,
  type ColumnarValues,
} from "./columnar_file.ts";
import { checkParquetMetadata, metadataOf, readFooter } from "./parquet_metadata.ts";
import { ParquetColumn } from "./parquet_column.ts";
import { checkPages } from "./parquet_pages.ts";
import { CREATED_BY } from "./parquet_write.ts";
import { freeValues } from "./page_memory.ts";
import { openSource, type ParquetSource } from "./byte_source.ts";
import { CODECS } from "./parquet_codecs.ts";
import { type Reading, type ReadingColumn, readingsOf, withDurations } from "./parquet_readings.ts";

/** Most values of a batch. */
const MAX_BATCH_VALUES = 1 << 18;
/**
 * Most values that are read at once where pages of a row group are too long to be kept: some of them
 * are decompressed again each time.
 */
const MAX_READ_VALUES = 1 << 21;
/** Most rows of a batch with values that are objects. */
const MAX_OBJECT_ROWS = 1 << 16;
const MIN_BATCH_ROWS = 64;
/** Most bytes of pages and dictionaries that are kept for the next batch, of all columns. */
const MAX_HELD_BYTES = 48 << 20;

/**
 * Opens a Parquet file.
 *
 * @param source The file; a path is opened with `node:fs`.
 * @throws {RangeError} If its metadata do not fit to it.
 * @throws {Error} If it is no Parquet file.
 */
export async function openParquetFile(source: ParquetSource): Promise<ParquetFile> {
  const { file, close } = await openSource(source);
  try {
    const metadata = metadataOf(await readFooter(file));
    checkParquetMetadata(metadata, file.byteLength);
    const readings = await withDurations(readingsOf(metadata), metadata);
    return new ParquetFile(file, metadata, readings, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** A column of a row group, and what is made of its values. */
interface OpenColumn {
  readonly data: ParquetColumn;
  values(data: ArrayLike<unknown>): ColumnarValues;
}

/** A Parquet file that is open. */
export class ParquetFile implements ColumnarFile {
  /** Its columns. */
  readonly fields: readonly ColumnarField[];
  /** Number of rows. */
  readonly rows: number;
  /** Number of row groups. */
  readonly rowGroups: number;
  /** True if this package wrote it. */
  readonly isOwn: boolean;
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;
  readonly #readings: Map<string, Reading>;
  readonly #close: () => Promise<void>;

  /** @ignore Made by {@linkcode openParquetFile}. */
  constructor(
    file: AsyncBuffer,
    metadata: FileMetaData,
    readings: readonly Reading[],
    close: () => Promise<void>,
  ) {
    this.#file = file;
    this.fields = readings.map(({ field }) => field);
    this.rows = Number(metadata.num_rows);
    this.rowGroups = metadata.row_groups.length;
    this.isOwn = metadata.created_by === CREATED_BY;
    this.#metadata = metadata;
    this.#readings = new Map(readings.map((reading) => [reading.field.name, reading]));
    this.#close = close;
  }

  /**
   * Reads columns, at most a row group or 262,144 rows at a time. The columns of a batch are freed
   * when the next one is asked for.
   *
   * @param names Of fields that are not of the kind `other`.
   * @param fromRow Row to begin with, at the beginning of a batch: the file's earlier ones are not
   * read. A row inside a batch gives the rest of it.
   * @param exact Names of whole numbers that are wanted as bigints.
   * @throws {RangeError} If a column has fewer or more values than the file says.
   */
  async *read(
    names: readonly string[],
    fromRow = 0,
    exact: readonly string[] = [],
  ): AsyncGenerator<ColumnarBatch, void, void> {
    const columns = names.map((name) => {
      const { column, values } = this.#readings.get(name)!;
      return { name, column: column!, values: exact.includes(name) ? bigintsOf : values };
    });
    let first = 0;
    for (const [number, group] of this.#metadata.row_groups.entries()) {
      const end = first + Number(group.num_rows);
      if (end > fromRow) {
        const opened: OpenColumn[] = [];
        for (const { name, column, values } of columns) {
          const place = `column ${JSON.stringify(name)} of row group ${number}`;
          opened.push({ values, data: await this.#open(place, column, group) });
        }
        yield* readGroup(opened, first, end, fromRow);
      }
      first = end;
    }
  }

  /** Checks the pages of a column of a row group, and opens them. */
  async #open(
    place: string,
    { element, leaf, from }: ReadingColumn,
    { columns, num_rows }: RowGroup,
  ): Promise<ParquetColumn> {
    const meta = columns[leaf]!.meta_data!;
    const chunk = { meta, element, rows: Number(num_rows), from, place };
    const unpack = meta.codec === "UNCOMPRESSED" ? undefined : CODECS[meta.codec];
    if (unpack === undefined && meta.codec !== "UNCOMPRESSED") {
      throw new RangeError(
        `Cannot read Parquet: ${place} is compressed with ` +
          `${meta.codec ?? "an unknown codec"}, which is not read`,
      );
    }
    const mostHeld = await checkPages(this.#file, chunk, unpack);
    return new ParquetColumn(this.#file, chunk, unpack, mostHeld);
  }

  /** Numbers read so far that no double holds, by the field. */
  get rounded(): ReadonlyMap<string, number> {
    const readings = [...this.#readings];
    return new Map(readings.map(([name, { rounded }]) => [name, rounded?.count ?? 0]));
  }

  /** Closes the file. Closing twice does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/**
 * Reads a row group in batches, whose columns are freed when they have been used.
 *
 * @param first Number of its first row.
 * @param end Number behind its last row.
 */
async function* readGroup(
  columns: readonly OpenColumn[],
  first: number,
  end: number,
  fromRow: number,
): AsyncGenerator<ColumnarBatch, void, void> {
  const count = Math.max(1, columns.length);
  const isKept = columns.reduce((sum, { data }) => sum + data.mostHeld, 0) <= MAX_HELD_BYTES;
  const isOfNumbers = columns.every(({ data }) => data.isOfNumbers);
  const most = Math.max(MIN_BATCH_ROWS, Math.floor(MAX_BATCH_VALUES / count));
  const step = isOfNumbers ? most : Math.min(most, MAX_OBJECT_ROWS);
  const atOnce = isKept || !isOfNumbers
    ? step
    : step * Math.max(1, Math.floor(MAX_READ_VALUES / count / step));
  let held = 0;
  for (let start = first; start < end; start += atOnce) {
    const from = Math.max(start, fromRow);
    const to = Math.min(start + atOnce, end);
    if (from >= to) continue;
    const found: ColumnarValues[] = [];
    for (const { data, values } of columns) {
      held -= data.held;
      const read = await data.read(from - first, to - from);
      const made = values(read);
      if (made !== read) freeValues(read);
      found.push(made);
      if (held + data.held > MAX_HELD_BYTES) data.release();
      held += data.held;
    }
    for (let rowStart = from; rowStart < to; rowStart += step) {
      const rows = Math.min(step, to - rowStart);
      const at = rowStart - from;
      yield { rowStart, rows, columns: found.map((one) => part(one, at, at + rows)) };
      // V8 frees the memory of what was made of the batch between two turns.
      await socketsSeen();
    }
    for (const one of found) freeValues(one);
  }
}

function part(values: ColumnarValues, from: number, to: number): ColumnarValues {
  return ArrayBuffer.isView(values) ? values.subarray(from, to) : values.slice(from, to);
}
