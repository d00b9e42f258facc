/**
 * Columnar files as a source.
 *
 * @module
 */

import type { ColumnarField, ColumnarFile } from "../../io/columnar_file.ts";
import { allocRaw, type RawColumns } from "../../core/columns.ts";
import { ImportError, optionError } from "../errors.ts";
import type { SourceOptions } from "../options.ts";
import type { OmittedColumn, Position, Source, SourceBatch, SourceColumn } from "../source.ts";
import { collectionIn } from "../../client/stream_paths.ts";
import { columnOf } from "../column_of.ts";
import { chooseTime } from "./choose_time.ts";
import { type RowTimes, type TimeLayout, TimeReader } from "./columnar_times.ts";
import { damagedFile } from "./damaged_file.ts";

/** Columns that are read; plain data, because a record of interrupted work keeps it. */
interface ColumnarLayout {
  readonly time: TimeLayout;
  readonly values: readonly string[];
  readonly skipBadRows: boolean;
  readonly skipBadCells: boolean;
}

/** Rows that are looked at to find out what columns of text and numbers are. */
const SAMPLE_ROWS = 200;
const SAMPLE_CHARACTERS = 1000;
/** Most columns that a warning names. */
const MAX_NAMED = 5;

/** A file, and how far its bytes are read. */
export interface OpenedFile {
  readonly file: ColumnarFile;
  /** Name of the format. */
  readonly format: "parquet" | "arrow";
  /** Size of the file, bytes. */
  readonly size: number | undefined;
  /** Compression of the file as a whole. */
  readonly compression: string;
  /** Bytes read so far; absent where only the rows are known. */
  bytesRead?(): number;
  /** Closes what the file was read from. */
  close(): Promise<void>;
}

/**
 * Makes a source of a columnar file.
 *
 * @param opened The file.
 * @param options Columns to read, and what their times mean.
 * @param layout From a record; absent: as the options say.
 */
export async function columnarSource(
  opened: OpenedFile,
  options: SourceOptions,
  layout?: unknown,
): Promise<Source> {
  try {
    checkNames(opened.file.fields);
    const known = layout as ColumnarLayout | undefined ?? await layoutOf(opened.file, options);
    return new ColumnarSource(opened, known);
  } catch (error) {
    await opened.file[Symbol.asyncDispose]();
    await opened.close();
    throw damagedFile(error, opened.format);
  }
}

function checkNames(fields: readonly ColumnarField[]): void {
  const seen = new Set<string>();
  const twice = fields.find(({ name }) => seen.size === seen.add(name).size)?.name;
  if (twice === undefined) return;
  throw new ImportError(`Cannot import: several columns are called ${JSON.stringify(twice)}`);
}

async function layoutOf(file: ColumnarFile, options: SourceOptions): Promise<ColumnarLayout> {
  const { fields } = file;
  const time = await chooseTime(fields, (name) => sample(file, name), options);
  const names = fields.map(({ name }) => name);
  const isValue = ({ name, kind }: ColumnarField) =>
    kind === "number" && !time.names.includes(name);
  const said = options.columns?.map((text) => {
    const field = fields[columnOf(names, text, "--column")]!;
    if (isValue(field)) return field.name;
    throw optionError(`Cannot use --column ${text}: the column is ${reasonOf(field)}, not numbers`);
  });
  const values = said ?? fields.filter(isValue).map(({ name }) => name);
  if (values.length === 0) {
    throw optionError(
      "Cannot import: there is no column of values",
      `columns are ${fields.map((field) => `${field.name} (${reasonOf(field)})`).join(", ")}`,
    );
  }
  return {
    time,
    values,
    skipBadRows: options.badRows === "skip",
    skipBadCells: options.badCells === "skip",
  };
}

/** The first values of a column as text, without nulls. */
async function sample(file: ColumnarFile, name: string): Promise<string[]> {
  const field = file.fields.find((one) => one.name === name)!;
  for await (const { columns } of file.read([name], 0, field.whole === true ? [name] : [])) {
    const cells: string[] = [];
    const values = columns[0]!;
    for (let i = 0; i < values.length && cells.length < SAMPLE_ROWS; i++) {
      const value = values[i];
      const isNothing = value === null || value === undefined || Number.isNaN(value);
      if (!isNothing) cells.push(String(value).slice(0, SAMPLE_CHARACTERS).trim());
    }
    if (cells.length > 0) return cells;
  }
  return [];
}

/** Kind of a column, for people. */
function reasonOf({ kind, type }: ColumnarField): string {
  if (kind === "timestamp" || kind === "date") return "other times";
  return kind === "clock" ? "a time of day" : kind === "duration" ? "a duration" : type;
}

class ColumnarSource implements Source {
  readonly format: string;
  readonly layout: ColumnarLayout;
  readonly columns: readonly SourceColumn[];
  readonly omitted: readonly OmittedColumn[];
  readonly notices: readonly string[];
  readonly size: number | undefined;
  readonly #opened: OpenedFile;
  readonly #times: TimeReader;
  #rows = 0;
  readonly #skipped = { rows: 0, cells: 0 };
  /** Numbers of each column that no double holds, as they were counted before the rows were read. */
  #roundedBefore: ReadonlyMap<string, number> = new Map();

  constructor(opened: OpenedFile, layout: ColumnarLayout) {
    const { file } = opened;
    this.#opened = opened;
    this.format = opened.format;
    this.layout = layout;
    this.size = opened.size;
    const { time, values } = layout;
    // Labels of BTrDB's own files are paths of streams; a slash of others is one.
    const numbers = new Map(file.fields.map(({ name }, i) => [name, i + 1]));
    this.columns = values.map((name) => {
      const number = numbers.get(name)!;
      return file.isOwn ? { name, number, collection: collectionIn(name) } : { name, number };
    });
    this.omitted = file.fields
      .filter(({ name, kind }) => kind !== "number" && !time.names.includes(name))
      .map((field) => ({ name: field.name, reason: reasonOf(field) }));
    const left = this.omitted.map(({ name, reason }) => `${name} (${reason})`);
    this.notices = left.length === 0 ? [] : [`Left out: ${left.join(", ")}`];
    const fields = time.names.map((name) => file.fields.find((field) => field.name === name)!);
    this.#times = new TimeReader(time, fields, layout.skipBadRows);
  }

  get skipped(): { rows: number; cells: number } {
    return { ...this.#skipped };
  }

  get warnings(): readonly string[] {
    const { unsure, cut, leaps } = this.#times;
    const found: string[] = [...this.#opened.file.warnings ?? []];
    if (unsure > 0) {
      found.push(
        `${unsure} times are in the hour that comes twice when clocks are set back, and the ` +
          "rows before do not say for certain which one is meant",
      );
    }
    if (cut > 0) found.push(`${cut} times have digits below a nanosecond, which were cut`);
    if (leaps > 0) {
      found.push(`${leaps} times are leap seconds, stored at the time of the second after`);
    }
    return [...found, ...this.#roundings()];
  }

  /** Warnings about numbers that no double holds, with the names of their columns. */
  #roundings(): string[] {
    const { file } = this.#opened;
    const { rounded } = file;
    return [true, false].flatMap((whole) => {
      const counts = file.fields.filter((field) => (field.whole === true) === whole)
        .map(({ name }) => ({
          name: JSON.stringify(name),
          count: rounded.get(name)! - (this.#roundedBefore.get(name) ?? 0),
        }))
        .filter(({ count }) => count > 0);
      if (counts.length === 0) return [];
      const sum = counts.reduce((all, { count }) => all + count, 0);
      const shown = counts.slice(0, MAX_NAMED).map(({ name }) => name).join(", ");
      const more = counts.length > MAX_NAMED ? ` and ${counts.length - MAX_NAMED} more` : "";
      const where = `(column${counts.length === 1 ? "" : "s"} ${shown}${more})`;
      return whole
        ? `${sum} whole numbers are beyond 2^53, where a double has not every one: they are ` +
          `rounded to the nearest ${where}`
        : `${sum} decimals have more digits than a double holds: they are rounded to the nearest ` +
          where;
    });
  }

  get about(): readonly (readonly [string, string])[] {
    const { names, format, start, tz } = this.layout.time;
    const fields = names.map((name) =>
      this.#opened.file.fields.find((field) => field.name === name)!
    );
    const how = format ?? fields.map(({ type }) => type).join(" and ");
    const utc = fields.some((field) => field.utc === true || field.kind === "number");
    return [
      ["compression", this.#opened.compression],
      ["time", `${names.join(" and ")}, ${how}${start === undefined ? "" : ", from --start"}`],
      ["zone", utc ? "UTC" : tz],
    ];
  }

  get bytesRead(): number {
    const { bytesRead, file } = this.#opened;
    if (bytesRead !== undefined) return bytesRead();
    const all = file.rows ?? 0;
    return all === 0 ? this.size ?? 0 : Math.round((this.size ?? 0) * this.#rows / all);
  }

  /** Reads from a position on, whose offset is a row. */
  async *batches(from: Position): AsyncGenerator<SourceBatch, void, void> {
    this.#rows = from.offset;
    this.#roundedBefore = this.#opened.file.rounded;
    const { time, values } = this.layout;
    const { file } = this.#opened;
    const fields = file.fields.filter(({ name }) => time.names.includes(name));
    const exact = fields.filter(({ whole }) => whole === true).map(({ name }) => name);
    const names = [...time.names, ...values];
    try {
      for await (const { rowStart, rows, columns } of file.read(names, from.offset, exact)) {
        const read = this.#times.read(columns.slice(0, time.names.length), rowStart);
        this.#skipped.rows += rows - read.times.length;
        const points = values.map((name, i) =>
          this.#points(name, read, columns[time.names.length + i] as Float64Array, rowStart)
        );
        this.#rows = rowStart + rows;
        yield { columns: points, next: { offset: this.#rows, lines: 0, rows: this.#rows } };
      }
    } catch (error) {
      throw damagedFile(error, this.#opened.format);
    }
  }

  /** The rows in which a column has a value. */
  #points(
    name: string,
    { times, rows }: RowTimes,
    all: Float64Array,
    rowStart: number,
  ): RawColumns {
    const values = rows === undefined ? all : Float64Array.from(rows, (i) => all[i]!);
    let n = 0;
    // Columns without a gap share their times.
    if (values.every(Number.isFinite)) return { times, values: values.slice() };
    const kept = allocRaw(times.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      if (!Number.isFinite(value)) {
        if (!this.layout.skipBadCells) {
          throw new ImportError(
            `Cannot import: row ${rowStart + (rows?.[i] ?? i) + 1}, column ${
              JSON.stringify(name)
            }: ` +
              `${value} is no finite number`,
            { hint: "--bad-cells skip leaves such cells out" },
          );
        }
        this.#skipped.cells++;
        continue;
      }
      kept.times[n] = times[i]!;
      kept.values[n++] = value;
    }
    return n === values.length
      ? kept
      : { times: kept.times.slice(0, n), values: kept.values.slice(0, n) };
  }

  /** Closes the file. Closing twice does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.file[Symbol.asyncDispose]();
    await this.#opened.close();
  }
}
