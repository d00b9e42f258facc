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
  type SchemaElement,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import * as zlib from "node:zlib";
import {
  bigintsOf,
  type ColumnarBatch,
  type ColumnarField,
  type ColumnarFile,
  type ColumnarValues,
  decimalOf,
} from "./columnar_file.ts";
import { checkParquetMetadata } from "./parquet_metadata.ts";
import { ParquetColumn } from "./parquet_column.ts";
import { checkPages } from "./parquet_pages.ts";
import { CREATED_BY } from "./parquet_write.ts";

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

const MS = 1_000_000n;
const DAY = 86_400_000n * MS;

/** ns of the units of logical and of converted types. */
const UNITS: Readonly<Record<string, bigint>> = {
  MILLIS: MS,
  MICROS: 1000n,
  NANOS: 1n,
  TIMESTAMP_MILLIS: MS,
  TIMESTAMP_MICROS: 1000n,
  TIME_MILLIS: MS,
  TIME_MICROS: 1000n,
};

/** A field, and values from what is read of it. */
interface Reading {
  readonly field: ColumnarField;
  values(data: ArrayLike<unknown>): ColumnarValues;
}

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

type Decompress = (input: Uint8Array, length: number) => Uint8Array;

/** Decompressors; a page of nulls alone has no bytes, which some of them do not take. */
const CODECS: Readonly<Record<string, Decompress>> = Object.fromEntries(
  Object.entries({
    ...compressors,
    ZSTD: unpackZstd,
    GZIP: unpackGzip,
    BROTLI: (input: Uint8Array, length: number) =>
      zlib.brotliDecompressSync(input, { maxOutputLength: length }),
  }).map(([name, decompress]) => [
    name,
    (input: Uint8Array, length: number) =>
      length === 0 ? new Uint8Array(0) : (decompress as Decompress)(input, length),
  ]),
);

/** Some writers leave the head of gzip out. */
function unpackGzip(input: Uint8Array, length: number): Uint8Array {
  const hasHead = input[0] === 0x1f && input[1] === 0x8b;
  const unpack = hasHead ? zlib.gunzipSync : zlib.inflateRawSync;
  return unpack(input, { maxOutputLength: length });
}

function unpackZstd(input: Uint8Array, length: number): Uint8Array {
  if (typeof zlib.zstdDecompressSync === "function") {
    return zlib.zstdDecompressSync(input, { maxOutputLength: length });
  }
  return compressors.ZSTD!(input, length);
}

/** The columns at the top; those with a list or a struct below them cannot be points. */
function readingsOf({ schema }: FileMetaData): Reading[] {
  const readings: Reading[] = [];
  for (let i = 1; i < schema.length; i += sizeOf(schema, i)) {
    const element = schema[i]!;
    const isFlat = element.type !== undefined && element.repetition_type !== "REPEATED";
    readings.push(isFlat ? readingOf(element) : nothing(element.name, nestedType(element)));
  }
  return readings;
}

/**
 * Parquet has no durations: those of Arrow are plain integers, and the schema of Arrow that its
 * writers keep in the metadata says so.
 */
async function withDurations(
  readings: readonly Reading[],
  { key_value_metadata }: FileMetaData,
): Promise<Reading[]> {
  const schema = key_value_metadata?.find(({ key }) => key === "ARROW:schema")?.value;
  const isSure = schema === undefined || readings.every(({ field }) => field.whole !== true);
  if (isSure) return [...readings];
  const { arrowFields } = await import("./arrow_file.ts");
  let fields: ColumnarField[];
  try {
    fields = arrowFields(Uint8Array.from(atob(schema), (c) => c.charCodeAt(0)));
  } catch {
    // It is only a remark of the writer's.
    return [...readings];
  }
  return readings.map((reading) => {
    const said = fields.find(({ name }) => name === reading.field.name);
    const isDuration = said?.kind === "duration" && reading.field.whole === true;
    return isDuration ? { field: said, values: bigintsOf } : reading;
  });
}

function nestedType({ converted_type, logical_type, repetition_type }: SchemaElement): string {
  const word = converted_type ?? logical_type?.type;
  if (word === "LIST" || repetition_type === "REPEATED") return "a list";
  return word === "MAP" ? "a map" : "a struct";
}

/** Number of schema elements an element and all below it take. */
function sizeOf(schema: readonly SchemaElement[], at: number): number {
  let size = 1;
  for (let child = schema[at]!.num_children ?? 0; child > 0; child--) {
    size += sizeOf(schema, at + size);
  }
  return size;
}

function nothing(name: string, type: string): Reading {
  return { field: { name, kind: "other", type }, values: () => [] };
}

/**
 * The field of a column. Its logical type is taken from the element, where the values are wanted as
 * they are stored: the reader would make objects or inexact numbers of them.
 */
function readingOf(element: SchemaElement): Reading {
  const { name, type, logical_type: logical, converted_type: converted, scale = 0 } = element;
  const plain = (): void => {
    delete element.logical_type;
    delete element.converted_type;
  };
  const word = logical?.type ?? converted;
  const time = (kind: ColumnarField["kind"], unit: bigint, utc: boolean): Reading => {
    plain();
    return { field: { name, kind, unit, utc, type: kind }, values: bigintsOf };
  };
  if (word === "DECIMAL" || converted === "DECIMAL") {
    plain();
    return {
      field: { name, kind: "number", type: "a decimal" },
      values: (data) => decimalsOf(data, scale),
    };
  }
  if (logical?.type === "TIMESTAMP") {
    return time("timestamp", UNITS[logical.unit]!, logical.isAdjustedToUTC);
  }
  if (logical?.type === "TIME") return time("clock", UNITS[logical.unit]!, false);
  if (word === "DATE") return time("date", DAY, false);
  if (/^TIMESTAMP_/.test(converted ?? "")) return time("timestamp", UNITS[converted!]!, true);
  if (/^TIME_/.test(converted ?? "")) return time("clock", UNITS[converted!]!, false);
  if (type === "INT96") {
    // Whatever it means by itself, those who write it write UTC.
    const field = { name, kind: "timestamp", unit: 1n, utc: true, type: "timestamp" } as const;
    return { field, values: bigintsOf };
  }
  if (word === "STRING" || converted === "UTF8" || word === "ENUM") {
    return { field: { name, kind: "text", type: "text" }, values: textsOf };
  }
  if (type === "BOOLEAN") {
    return { field: { name, kind: "number", type: "a boolean" }, values: doublesOf };
  }
  if (type === "DOUBLE" || type === "FLOAT" || logical?.type === "FLOAT16") {
    return { field: { name, kind: "number", type: "a number" }, values: doublesOf };
  }
  const integer = logical?.type === "INTEGER" || /^U?INT_(8|16|32|64)$/.test(converted ?? "");
  if ((type === "INT32" || type === "INT64") && (word === undefined || integer)) {
    const unsigned = converted === "UINT_64" ||
      logical?.type === "INTEGER" && logical.bitWidth === 64 && !logical.isSigned;
    return {
      field: { name, kind: "number", type: "an integer", whole: true },
      values: unsigned ? unsignedOf : doublesOf,
    };
  }
  return nothing(name, (word ?? type ?? "unknown").toLowerCase());
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

function unsignedOf(data: ArrayLike<unknown>): Float64Array {
  const values = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    values[i] = typeof value === "bigint" ? Number(BigInt.asUintN(64, value)) : NaN;
  }
  return values;
}

function decimalsOf(data: ArrayLike<unknown>, scale: number): Float64Array {
  const values = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (value instanceof Uint8Array) values[i] = decimalOf(bigEndian(value), scale);
    else values[i] = isPresent(value) ? decimalOf(value as number | bigint, scale) : NaN;
  }
  return values;
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** A signed integer of any length. */
function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = value << 8n | BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
}

function textsOf(data: ArrayLike<unknown>): ColumnarValues {
  return Array.from(data, (value) => isPresent(value) ? String(value) : null);
}
