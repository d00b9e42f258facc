/**
 * Reading Parquet files.
 *
 * @module
 */

import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  type ParquetScan,
  parquetScan,
  type SchemaElement,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import * as zlib from "node:zlib";
import { checkParquetMetadata } from "./parquet_metadata.ts";
import { CREATED_BY } from "./parquet_write.ts";
import { type NamedPoints, pointsOf } from "./points.ts";
import { outOfRange } from "../core/argument_error.ts";

/** Most rows of a batch. */
const MAX_BATCH_ROWS = 1 << 20;
/** Most rows of a batch of a row group with less than a byte for each: it unpacks to much more. */
const MAX_DENSE_ROWS = 1 << 16;

/** Reads slices of a file, from anywhere. */
export interface ByteSource {
  /** Bytes of the whole file. */
  readonly byteLength: number;
  /**
   * Reads a slice.
   *
   * @param start Its first byte.
   * @param end Its end, exclusive; absent: the end of the file.
   */
  slice(start: number, end?: number): ArrayBuffer | Promise<ArrayBuffer>;
}

/** A path, a `file:` URL, the bytes, or what reads slices of them. */
export type ParquetSource = string | URL | Uint8Array | ByteSource;

/** Unit of the integers of a time column. */
export type TimeUnit = "s" | "ms" | "us" | "ns";

/** Columns to read and options of reading them. */
export interface OpenParquetOptions {
  /**
   * Name of the column of times.
   *
   * @default {undefined} the one called `time`, else the first one that is a timestamp
   */
  time?: string | undefined;
  /** Names of the columns of values. @default {undefined} all other columns that hold numbers */
  values?: readonly string[] | undefined;
  /** Unit of the times, if they are plain integers. @default {"ns"} */
  timeUnit?: TimeUnit | undefined;
}

/** The points of one row group, or of some rows of a large one. */
export interface ParquetBatch {
  /** Number of its first row in the file, from 0. */
  rowStart: number;
  /** Number of rows. */
  rows: number;
  /** One for each label, in their order; null and NaN are no points. */
  columns: NamedPoints[];
}

const UNITS: Readonly<Record<string, bigint>> = {
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  ns: 1n,
  MILLIS: 1_000_000n,
  MICROS: 1000n,
  NANOS: 1n,
};

/**
 * Opens a Parquet file.
 *
 * @param source The file; a path is opened with `node:fs`.
 * @param options Columns to read.
 * @returns The file, to be closed after use.
 * @throws {RangeError} If it has no such columns, or its metadata do not fit to it.
 * @throws {Error} If it is no Parquet file.
 */
export async function openParquet(
  source: ParquetSource,
  options: OpenParquetOptions = {},
): Promise<ParquetInput> {
  const { file, close } = await openSource(source);
  try {
    const metadata = await parquetMetadataAsync(file);
    checkParquetMetadata(metadata, file.byteLength);
    const layout = layoutOf(metadata, options);
    // Times are read as plain integers: their logical type would make objects of them.
    delete layout.time.logical_type;
    delete layout.time.converted_type;
    const columns = [layout.time.name, ...layout.values];
    const scan = await parquetScan({
      file,
      metadata,
      columns,
      compressors: { ...compressors, ZSTD: unpackZstd },
      parsers: { timestampFromNanoseconds: (ns) => ns },
      geoparquet: false,
    });
    return new ParquetInput(scan, layout, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** A Parquet file that is open. */
export class ParquetInput implements AsyncDisposable {
  /** Names of the columns of values. */
  readonly labels: readonly string[];
  /** Name of the column of times. */
  readonly time: string;
  /** Number of rows. */
  readonly rows: number;
  /** Number of row groups. */
  readonly rowGroups: number;
  /** True if {@linkcode writeParquet} made it: its labels are those of streams. */
  readonly isOwn: boolean;
  readonly #scan: ParquetScan;
  readonly #unit: bigint;
  readonly #close: () => Promise<void>;

  /** @ignore Made by {@linkcode openParquet}. */
  constructor(scan: ParquetScan, layout: Layout, close: () => Promise<void>) {
    this.labels = layout.values;
    this.time = layout.time.name;
    this.rows = Number(scan.metadata.num_rows);
    this.rowGroups = scan.ranges.length;
    this.isOwn = scan.metadata.created_by === CREATED_BY;
    this.#scan = scan;
    this.#unit = layout.unit;
    this.#close = close;
  }

  /**
   * The points, at most a row group or 1,048,576 rows at a time.
   *
   * @param fromRow Row to begin with, at the beginning of a batch: the file's earlier ones are not
   * read. A row inside a batch gives the rest of it.
   * @throws {RangeError} If a time is missing or does not fit into 64 bits, or a column has fewer or
   * more values than the file says.
   */
  async *batches(fromRow = 0): AsyncGenerator<ParquetBatch, void, void> {
    const steps = batchRows(this.#scan.metadata);
    for (const range of this.#scan.ranges) {
      const step = steps.get(range.rowStart) ?? MAX_DENSE_ROWS;
      for (let start = range.rowStart; start < range.rowEnd; start += step) {
        const rowStart = Math.max(start, fromRow);
        const rowEnd = Math.min(start + step, range.rowEnd);
        if (rowStart < rowEnd) yield await this.#batch(rowStart, rowEnd);
      }
    }
  }

  async #batch(rowStart: number, rowEnd: number): Promise<ParquetBatch> {
    const rows = rowEnd - rowStart;
    const read = async (column: string) => {
      const data = await this.#scan.readColumn({ column, rowStart, rowEnd });
      if (data.length === rows) return data;
      throw new RangeError(
        `Cannot read Parquet: column ${JSON.stringify(column)} has ${data.length} values in rows ` +
          `${rowStart} to ${rowEnd - 1}, expected ${rows}: the file is damaged`,
      );
    };
    const times = timesOf(await read(this.time), this.#unit, rowStart);
    const columns: NamedPoints[] = [];
    for (const label of this.labels) {
      columns.push(pointsOf(label, times, doublesOf(await read(label))));
    }
    return { rowStart, rows, columns };
  }

  /** Closes the file. Closing twice does nothing. */
  async close(): Promise<void> {
    await this.#close();
  }

  /** As {@linkcode ParquetInput.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Roles of the columns. */
interface Layout {
  time: SchemaElement;
  unit: bigint;
  values: string[];
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

/** Makes slices of the source; a file is opened until `close`. */
async function openSource(
  source: ParquetSource,
): Promise<{ file: AsyncBuffer; close: () => Promise<void> }> {
  const nothing = () => Promise.resolve();
  if (source instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = source;
    const whole = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    return { file: whole, close: nothing };
  }
  if (typeof source !== "string" && !(source instanceof URL)) {
    return { file: source, close: nothing };
  }
  const { open } = await import("node:fs/promises");
  const handle = await open(source, "r");
  const { size } = await handle.stat();
  let closed: Promise<void> | undefined;
  return {
    file: {
      byteLength: size,
      async slice(start, end = size) {
        const bytes = new Uint8Array(end - start);
        for (let at = 0; at < bytes.length;) {
          const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
          if (bytesRead === 0) throw new RangeError("Cannot read Parquet: the file became shorter");
          at += bytesRead;
        }
        return bytes.buffer;
      },
    },
    close: () => closed ??= handle.close(),
  };
}

function unpackZstd(input: Uint8Array, length: number): Uint8Array {
  if (typeof zlib.zstdDecompressSync === "function") {
    return zlib.zstdDecompressSync(input, { maxOutputLength: length });
  }
  return compressors.ZSTD!(input, length);
}

/** The columns at the top, those without a list or a struct around them. */
function flatColumns({ schema }: FileMetaData): SchemaElement[] {
  const columns: SchemaElement[] = [];
  for (let i = 1; i < schema.length; i += sizeOf(schema, i)) {
    const element = schema[i]!;
    if (element.type !== undefined && element.repetition_type !== "REPEATED") columns.push(element);
  }
  return columns;
}

/** Number of schema elements an element and all below it take. */
function sizeOf(schema: readonly SchemaElement[], at: number): number {
  let size = 1;
  for (let child = schema[at]!.num_children ?? 0; child > 0; child--) {
    size += sizeOf(schema, at + size);
  }
  return size;
}

function layoutOf(metadata: FileMetaData, options: OpenParquetOptions): Layout {
  const columns = flatColumns(metadata);
  const names = columns.map(({ name }) => JSON.stringify(name)).join(", ");
  const time = options.time === undefined
    ? columns.find(({ name }) => name === "time") ?? columns.find((c) => unitOf(c) !== undefined)
    : columns.find(({ name }) => name === options.time);
  if (time === undefined) {
    const wanted = options.time === undefined ? "of times" : JSON.stringify(options.time);
    throw outOfRange(`Cannot read Parquet: there is no column ${wanted}, there are ${names}`);
  }
  const unit = unitOf(time) ?? (isInteger64(time) ? UNITS[options.timeUnit ?? "ns"] : undefined);
  if (unit === undefined) {
    throw outOfRange(
      `Cannot read Parquet: column ${JSON.stringify(time.name)} is neither a timestamp nor int64`,
    );
  }
  const values = options.values === undefined
    ? columns.filter((c) => c !== time && isNumber(c)).map(({ name }) => name)
    : [...options.values];
  if (values.length === 0 && metadata.schema.length > 2) {
    throw outOfRange(`Cannot read Parquet: there is no column of numbers, there are ${names}`);
  }
  for (const name of values) {
    const found = columns.find((c) => c.name === name);
    if (found !== undefined && found !== time && isNumber(found)) continue;
    const what = found === undefined ? `there is no column ${JSON.stringify(name)}` : (
      `column ${JSON.stringify(name)} holds no numbers`
    );
    throw outOfRange(`Cannot read Parquet: ${what}, there are ${names}`);
  }
  return { time, unit, values };
}

/** ns in the unit of a timestamp; undefined if it is none. */
function unitOf({ type, logical_type, converted_type }: SchemaElement): bigint | undefined {
  if (logical_type?.type === "TIMESTAMP") return UNITS[logical_type.unit];
  if (converted_type === "TIMESTAMP_MILLIS") return UNITS.ms;
  if (converted_type === "TIMESTAMP_MICROS") return UNITS.us;
  return type === "INT96" ? 1n : undefined;
}

function isInteger64({ type, converted_type }: SchemaElement): boolean {
  return type === "INT64" && (converted_type === undefined || converted_type === "INT_64");
}

/** Tells whether values are plain numbers: no decimals, dates or times. */
function isNumber({ type, converted_type, logical_type }: SchemaElement): boolean {
  if (type === "DOUBLE" || type === "FLOAT") return true;
  const plain = logical_type === undefined || logical_type.type === "INTEGER";
  const integer = converted_type === undefined || /^U?INT_(8|16|32|64)$/.test(converted_type);
  return (type === "INT32" || type === "INT64") && plain && integer;
}

function timesOf(data: ArrayLike<unknown>, unit: bigint, rowStart: number): BigInt64Array {
  if (data instanceof BigInt64Array && unit === 1n) return data;
  const times = new BigInt64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const time = data[i];
    const ns = typeof time === "bigint" ? time * unit : undefined;
    if (ns === undefined || ns !== BigInt.asIntN(64, ns)) {
      const what = ns === undefined
        ? "has no time"
        : `is at ${ns} ns, which does not fit into 64 bits`;
      throw new RangeError(`Cannot read Parquet: row ${rowStart + i} ${what}`);
    }
    times[i] = ns;
  }
  return times;
}

/** Doubles, NaN for null; integers of 64 bits as the nearest double. */
function doublesOf(data: ArrayLike<unknown>): Float64Array {
  if (data instanceof Float64Array) return data.slice();
  const values = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    values[i] = value === null || value === undefined ? NaN : Number(value);
  }
  return values;
}
