/**
 * Reading Parquet files.
 *
 * @module
 */

import { outOfRange } from "../core/argument_error.ts";
import type { ColumnarField, ColumnarValues } from "./columnar_file.ts";
import type { ParquetSource } from "./byte_source.ts";
import { openParquetFile, type ParquetFile } from "./parquet_file.ts";
import { type NamedPoints, pointsOf } from "./column_points.ts";

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

/** ns of the units that plain integers may be in. */
const UNITS: Readonly<Record<TimeUnit, bigint>> = {
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  ns: 1n,
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
  const file = await openParquetFile(source);
  try {
    return new ParquetInput(file, layoutOf(file.fields, options));
  } catch (error) {
    await file[Symbol.asyncDispose]();
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
  readonly #file: ParquetFile;
  readonly #unit: bigint;

  /** @ignore Made by {@linkcode openParquet}. */
  constructor(file: ParquetFile, layout: Layout) {
    this.labels = layout.values;
    this.time = layout.time;
    this.rows = file.rows;
    this.rowGroups = file.rowGroups;
    this.isOwn = file.isOwn;
    this.#file = file;
    this.#unit = layout.unit;
  }

  /**
   * Numbers of the columns of values read so far that no double holds, and which were rounded to the
   * nearest one: whole ones beyond 2^53, and decimals of more digits.
   */
  get roundedNumbers(): number {
    const { rounded } = this.#file;
    return this.labels.reduce((sum, label) => sum + (rounded.get(label) ?? 0), 0);
  }

  /**
   * The points, at most a row group or 262,144 rows at a time.
   *
   * @param fromRow Row to begin with, at the beginning of a batch: the file's earlier ones are not
   * read. A row inside a batch gives the rest of it.
   * @throws {RangeError} If a time is missing or does not fit into 64 bits, or a column has fewer or
   * more values than the file says.
   */
  async *batches(fromRow = 0): AsyncGenerator<ParquetBatch, void, void> {
    const names = [this.time, ...this.labels];
    for await (
      const { rowStart, rows, columns } of this.#file.read(names, fromRow, names.slice(0, 1))
    ) {
      const times = timesOf(columns[0]!, this.#unit, rowStart);
      yield {
        rowStart,
        rows,
        columns: this.labels.map((label, i) =>
          pointsOf(label, times, columns[i + 1] as Float64Array)
        ),
      };
    }
  }

  /** Closes the file. Closing twice does nothing. */
  async close(): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  /** As {@linkcode ParquetInput.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Roles of the columns. */
interface Layout {
  time: string;
  unit: bigint;
  values: string[];
}

function layoutOf(fields: readonly ColumnarField[], options: OpenParquetOptions): Layout {
  const names = fields.map(({ name }) => JSON.stringify(name)).join(", ");
  const time = options.time === undefined
    ? fields.find(({ name }) => name === "time") ?? fields.find(isTimestamp)
    : fields.find(({ name }) => name === options.time);
  if (time === undefined) {
    const wanted = options.time === undefined ? "of times" : JSON.stringify(options.time);
    throw outOfRange(`Cannot read Parquet: there is no column ${wanted}, there are ${names}`);
  }
  const unit = isTimestamp(time)
    ? time.unit
    : time.type === "an integer"
    ? UNITS[options.timeUnit ?? "ns"]
    : undefined;
  if (unit === undefined) {
    throw outOfRange(
      `Cannot read Parquet: column ${JSON.stringify(time.name)} is neither a timestamp nor int64`,
    );
  }
  const twice = fields.find(({ name }, i) => fields.findIndex((one) => one.name === name) < i);
  if (twice !== undefined) {
    throw outOfRange(
      `Cannot read Parquet: several columns are called ${JSON.stringify(twice.name)}`,
    );
  }
  const isValue = (field: ColumnarField): boolean => field !== time && field.kind === "number";
  const values = options.values === undefined
    ? fields.filter(isValue).map(({ name }) => name)
    : [...options.values];
  if (values.length === 0 && fields.length > 1) {
    throw outOfRange(`Cannot read Parquet: there is no column of numbers, there are ${names}`);
  }
  for (const name of values) {
    const found = fields.find((field) => field.name === name);
    if (found !== undefined && isValue(found)) continue;
    const what = found === undefined ? `there is no column ${JSON.stringify(name)}` : (
      `column ${JSON.stringify(name)} holds no numbers`
    );
    throw outOfRange(`Cannot read Parquet: ${what}, there are ${names}`);
  }
  return { time: time.name, unit, values };
}

function isTimestamp({ kind }: ColumnarField): boolean {
  return kind === "timestamp";
}

function timesOf(data: ColumnarValues, unit: bigint, rowStart: number): BigInt64Array {
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
