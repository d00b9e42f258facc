/**
 * Parquet files as columns of any type.
 *
 * @module
 */

import { type AsyncBuffer, type FileMetaData, parquetMetadata, type RowGroup } from "hyparquet";
import {
  bigintsOf,
  type ColumnarBatch,
  type ColumnarField,
  type ColumnarFile,
  type ColumnarValues,
} from "./columnar_file.ts";
import { checkParquetMetadata, readFooter } from "./parquet_metadata.ts";
import { isNumber } from "./parquet_values.ts";
import { ParquetColumn } from "./parquet_column.ts";
import { checkPages } from "./parquet_pages.ts";
import { CREATED_BY } from "./parquet_write.ts";
import { openSource, type ParquetSource } from "./byte_source.ts";
import { CODECS } from "./parquet_codecs.ts";
import { type Reading, type ReadingColumn, readingsOf, withDurations } from "./parquet_readings.ts";

/** Most rows of a batch. */
const MAX_BATCH_ROWS = 1 << 20;
/** Most rows of a batch of a row group with less than a byte for each: it unpacks to much more. */
const MAX_DENSE_ROWS = 1 << 16;
/**
 * The same where pages of as many values as are read at once cannot be kept for the next batch, as
 * there are many columns: each batch decompresses them again.
 */
const MAX_AGAIN_ROWS = 1 << 18;
/** Most values of a batch, but for batches of a few rows. */
const MAX_BATCH_VALUES = 1 << 23;
const MIN_BATCH_ROWS = 1 << 10;
/** Bytes of the longest page of numbers that is not read in pieces. */
const MAX_NUMBER_BYTES = 16 << 20;
/** Most bytes of pages that are kept for the next batch, of all columns. */
const MAX_HELD_BYTES = 64 << 20;
/** Most bytes of pages of each column that are kept, however many columns there are. */
const MIN_HELD_BYTES = 2 << 20;

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
    const metadata = parquetMetadata(await readFooter(file), { geoparquet: false });
    checkParquetMetadata(metadata, file.byteLength);
    const readings = await withDurations(readingsOf(metadata), metadata);
    return new ParquetFile(file, metadata, readings, close);
  } catch (error) {
    await close();
    throw error;
  }
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
  /** Checked columns of a row group, by name. */
  readonly #checked = new Map<string, ParquetColumn>();
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
   * Reads columns, at most a row group or 1,048,576 rows at a time.
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
    const most = Math.max(MIN_BATCH_ROWS, Math.floor(MAX_BATCH_VALUES / Math.max(1, names.length)));
    const held = Math.max(MIN_HELD_BYTES, MAX_HELD_BYTES / Math.max(1, names.length));
    const columns = names.map((name) => {
      const { column, values } = this.#readings.get(name)!;
      return { name, column: column!, values: exact.includes(name) ? bigintsOf : values };
    });
    const isOfNumbers = columns.every(({ column }) => isNumber(column.element));
    let first = 0;
    for (const group of this.#metadata.row_groups) {
      const end = first + Number(group.num_rows);
      const isSparse = isOfNumbers && !isDense(group);
      const dense = isOfNumbers && held < MAX_NUMBER_BYTES ? MAX_AGAIN_ROWS : MAX_DENSE_ROWS;
      const step = Math.min(most, isSparse ? MAX_BATCH_ROWS : dense);
      if (end > fromRow) this.#checked.clear();
      for (let start = first; start < end; start += step) {
        const rowStart = Math.max(start, fromRow);
        const rows = Math.min(start + step, end) - rowStart;
        if (rows <= 0) continue;
        const found: ColumnarValues[] = [];
        for (const { name, column, values } of columns) {
          const data = await this.#open(name, column, group);
          found.push(values(await data.read(rowStart - first, rows)));
          if (data.held > held) data.release();
        }
        yield { rowStart, rows, columns: found };
      }
      first = end;
    }
  }

  /** Checks the pages of a column of a row group, once, and opens them. */
  async #open(
    name: string,
    { element, leaf, from }: ReadingColumn,
    { columns, num_rows }: RowGroup,
  ): Promise<ParquetColumn> {
    const known = this.#checked.get(name);
    if (known !== undefined) return known;
    const meta = columns[leaf]!.meta_data!;
    const chunk = { meta, element, rows: Number(num_rows), from };
    const unpack = meta.codec === "UNCOMPRESSED" ? undefined : CODECS[meta.codec];
    if (unpack === undefined && meta.codec !== "UNCOMPRESSED") {
      throw new RangeError(
        `Cannot read Parquet: column ${JSON.stringify(name)} is compressed with ` +
          `${meta.codec ?? "an unknown codec"}, which is not read`,
      );
    }
    await checkPages(this.#file, chunk, unpack);
    const opened = new ParquetColumn(this.#file, chunk, unpack);
    this.#checked.set(name, opened);
    return opened;
  }

  /** Closes the file. Closing twice does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** Tells whether a row group has less than a byte for each row. */
function isDense({ columns, num_rows }: RowGroup): boolean {
  let bytes = 0n;
  for (const { meta_data } of columns) bytes += meta_data!.total_compressed_size;
  return bytes < num_rows;
}
