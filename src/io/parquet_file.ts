/**
 * Parquet files as columns of any type.
 *
 * @module
 */

import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  type ParquetScan,
  parquetScan,
} from "hyparquet";
import {
  bigintsOf,
  type ColumnarBatch,
  type ColumnarField,
  type ColumnarFile,
  type ColumnarValues,
} from "./columnar_file.ts";
import { checkParquetMetadata } from "./parquet_metadata.ts";
import { ParquetColumn } from "./parquet_column.ts";
import { checkPages } from "./parquet_pages.ts";
import { CREATED_BY } from "./parquet_write.ts";
import { openSource, type ParquetSource } from "./byte_source.ts";
import { CODECS } from "./parquet_codecs.ts";
import { type Reading, readingsOf, withDurations } from "./parquet_readings.ts";

/** Most rows of a batch. */
const MAX_BATCH_ROWS = 1 << 20;
/** Most rows of a batch of a row group with less than a byte for each: it unpacks to much more. */
const MAX_DENSE_ROWS = 1 << 16;
/** Most values of a batch, but for batches of a few rows. */
const MAX_BATCH_VALUES = 1 << 23;
const MIN_BATCH_ROWS = 1 << 10;
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
    const metadata = await parquetMetadataAsync(file);
    checkParquetMetadata(metadata, file.byteLength);
    const readings = await withDurations(readingsOf(metadata), metadata);
    const columns = readings.filter(({ field }) => field.kind !== "other")
      .map(({ field }) => field.name);
    const scan = await parquetScan({
      file,
      metadata,
      columns,
      compressors: CODECS,
      parsers: { timestampFromNanoseconds: (ns) => ns },
      geoparquet: false,
      utf8: false,
    });
    return new ParquetFile(file, scan, readings, close);
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
  readonly #scan: ParquetScan;
  /** Checked columns of row groups, by name; `undefined` for one that is no numbers. */
  readonly #checked = new Map<string, ParquetColumn | undefined>();
  /** Number of the row group that they are of. */
  #group = -1;
  readonly #readings: Map<string, Reading>;
  readonly #close: () => Promise<void>;

  /** @ignore Made by {@linkcode openParquetFile}. */
  constructor(
    file: AsyncBuffer,
    scan: ParquetScan,
    readings: readonly Reading[],
    close: () => Promise<void>,
  ) {
    this.#file = file;
    this.fields = readings.map(({ field }) => field);
    this.rows = Number(scan.metadata.num_rows);
    this.rowGroups = scan.metadata.row_groups.length;
    this.isOwn = scan.metadata.created_by === CREATED_BY;
    this.#scan = scan;
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
    const steps = batchRows(this.#scan.metadata);
    const most = Math.max(MIN_BATCH_ROWS, Math.floor(MAX_BATCH_VALUES / Math.max(1, names.length)));
    const held = Math.max(MIN_HELD_BYTES, MAX_HELD_BYTES / Math.max(1, names.length));
    for (const range of this.#scan.ranges) {
      const step = Math.min(most, steps.get(range.rowStart) ?? MAX_DENSE_ROWS);
      for (let start = range.rowStart; start < range.rowEnd; start += step) {
        const rowStart = Math.max(start, fromRow);
        const rowEnd = Math.min(start + step, range.rowEnd);
        if (rowStart >= rowEnd) continue;
        const columns: ColumnarValues[] = [];
        for (const name of names) {
          const values = exact.includes(name) ? bigintsOf : this.#readings.get(name)!.values;
          columns.push(values(await this.#data(name, rowStart, rowEnd, held)));
        }
        yield { rowStart, rows: rowEnd - rowStart, columns };
      }
    }
  }

  async #data(
    column: string,
    rowStart: number,
    rowEnd: number,
    held: number,
  ): Promise<ArrayLike<unknown>> {
    const { first, numbers } = await this.#open(column, rowStart);
    const rows = rowEnd - rowStart;
    if (numbers !== undefined) {
      const data = await numbers.read(rowStart - first, rows);
      if (numbers.held > held) numbers.release();
      return data;
    }
    const data = await this.#scan.readColumn({ column, rowStart, rowEnd });
    if (data.length !== rows) {
      throw new RangeError(
        `Cannot read Parquet: column ${JSON.stringify(column)} has ${data.length} values in rows ` +
          `${rowStart} to ${rowEnd - 1}, expected ${rows}: the file is damaged`,
      );
    }
    return data;
  }

  /** Checks the pages of a column of the row group that a row is in, once, and opens them. */
  async #open(
    column: string,
    row: number,
  ): Promise<{ first: number; numbers: ParquetColumn | undefined }> {
    const { row_groups, schema } = this.#scan.metadata;
    let group = 0;
    let first = 0;
    for (; group < row_groups.length; group++) {
      const rows = Number(row_groups[group]!.num_rows);
      if (row < first + rows) break;
      first += rows;
    }
    if (this.#group !== group) this.#checked.clear();
    this.#group = group;
    if (this.#checked.has(column)) return { first, numbers: this.#checked.get(column) };
    const { columns, num_rows } = row_groups[group]!;
    const isMeant = ({ path_in_schema: path }: { path_in_schema: string[] }) =>
      path.length === 1 && path[0] === column;
    const meta = columns.map(({ meta_data }) => meta_data!).find(isMeant)!;
    const element = schema.find(({ name, type }) => name === column && type !== undefined)!;
    const chunk = { meta, element, rows: Number(num_rows) };
    const unpack = meta.codec === "UNCOMPRESSED" ? undefined : CODECS[meta.codec];
    let numbers: ParquetColumn | undefined;
    if (unpack !== undefined || meta.codec === "UNCOMPRESSED") {
      const isOfNumbers = await checkPages(this.#file, chunk, unpack);
      if (isOfNumbers) numbers = new ParquetColumn(this.#file, chunk, unpack);
    }
    this.#checked.set(column, numbers);
    return { first, numbers };
  }

  /** Closes the file. Closing twice does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** Most rows of a batch of each row group, by its first row. */
function batchRows({ row_groups }: FileMetaData): Map<number, number> {
  const steps = new Map<number, number>();
  let rows = 0;
  for (const { columns, num_rows } of row_groups) {
    const bytes = columns.reduce(
      (sum, { meta_data }) => sum + meta_data!.total_compressed_size,
      0n,
    );
    steps.set(rows, bytes < num_rows ? MAX_DENSE_ROWS : MAX_BATCH_ROWS);
    rows += Number(num_rows);
  }
  return steps;
}
