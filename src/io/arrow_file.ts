/**
 * Arrow IPC streams and files, such as Feather, as columns of any type, read while they arrive.
 *
 * @module
 */

import { isIterable } from "../core/is_iterable.ts";
import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";
import { type Column, type DataType, type Table, TimeUnit, Type } from "@uwdata/flechette";
import { checkColumnBatch } from "../arrow/check_column.ts";
import { typeText } from "../arrow/column_values.ts";
import { decode } from "../arrow/decode_ipc.ts";
import { invalid } from "../arrow/arrow_error.ts";
import { concatBytes } from "../core/bytes.ts";
import { batchesOf } from "./arrow_batches.ts";
import { END_OF_STREAM, messagesOf } from "./arrow_messages.ts";
import {
  bigintsOf,
  type ColumnarBatch,
  type ColumnarField,
  type ColumnarFile,
  type ColumnarValues,
} from "./columnar_file.ts";
import { type NamedPoints, pointsOf } from "./column_points.ts";
import { RoundedNumbers } from "./rounded_numbers.ts";

const MS = 1_000_000n;

/** ns of the units of times. */
const UNITS: Readonly<Record<number, bigint>> = {
  [TimeUnit.SECOND]: 1_000_000_000n,
  [TimeUnit.MILLISECOND]: MS,
  [TimeUnit.MICROSECOND]: 1000n,
  [TimeUnit.NANOSECOND]: 1n,
};

/** Opens the bytes of an IPC stream or file, in pieces of any size, again from the beginning. */
export type OpenBytes = () => AsyncIterable<Uint8Array>;

/**
 * Opens an Arrow IPC stream or file.
 *
 * @param open Opens its bytes; called again for each reading.
 * @throws {BTrDBError} 438 if the bytes are no such stream.
 */
export async function openArrowFile(open: OpenBytes): Promise<ColumnarFile> {
  const messages = messagesOf(open());
  try {
    const first = await messages.next();
    if (first.done || !/^(schema|file)$/.test(first.value.kind)) {
      throw invalid("the bytes are no Arrow IPC stream");
    }
    const { kind, bytes } = first.value;
    const fields = kind === "file" ? fieldsOf(decode(bytes)) : arrowFields(bytes);
    return new ArrowFile(open, fields);
  } finally {
    await messages.return();
  }
}

/** The fields of an IPC schema message, as other formats keep one. */
export function arrowFields(message: Uint8Array): ColumnarField[] {
  return fieldsOf(decode(concatBytes([message, END_OF_STREAM])));
}

function fieldsOf({ schema }: Table): ColumnarField[] {
  return schema.fields.map(({ name, type }) => fieldOf(name, type));
}

class ArrowFile implements ColumnarFile {
  readonly fields: readonly ColumnarField[];
  readonly isOwn = false;
  readonly #open: OpenBytes;
  readonly #rounded = new Map<string, RoundedNumbers>();
  #hasNoEnd = false;

  constructor(open: OpenBytes, fields: readonly ColumnarField[]) {
    this.#open = open;
    this.fields = fields;
    for (const { name } of fields) this.#rounded.set(name, new RoundedNumbers());
  }

  get rounded(): ReadonlyMap<string, number> {
    return new Map([...this.#rounded].map(([name, { count }]) => [name, count]));
  }

  get warnings(): readonly string[] {
    return this.#hasNoEnd
      ? ["the stream has no mark at its end: if it was cut off, rows are missing"]
      : [];
  }

  async *read(
    names: readonly string[],
    fromRow = 0,
    exact: readonly string[] = [],
  ): AsyncGenerator<ColumnarBatch, void, void> {
    let row = 0;
    for await (const table of batchesOf(this.#open(), () => this.#hasNoEnd = true)) {
      const rowStart = Math.max(row, fromRow);
      const skipped = rowStart - row;
      row += table.numRows;
      if (rowStart >= row) continue;
      const columns = names.map((name) => {
        const column = columnOf(table, name);
        const values = exact.includes(name)
          ? bigintsOf(plain(column))
          : valuesOf(column, this.#rounded.get(name)!);
        return skipped === 0 ? values : values.slice(skipped) as ColumnarValues;
      });
      yield { rowStart, rows: row - rowStart, columns };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/**
 * Reads an Arrow IPC stream or file while it arrives: the points of every column of numbers beside
 * `time`.
 *
 * @param source The bytes, at once or in pieces of any size.
 * @returns For each record batch, the points of each column; null and NaN are no points. Columns that
 * hold no numbers are left out.
 * @throws {BTrDBError} 438 if the bytes are no such stream, `time` is missing or no time, or a time is
 * null or out of range.
 */
export async function* readArrow(
  source: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<NamedPoints[], void, void> {
  if (!isIterable(source)) {
    throw invalidType(
      `Cannot read Arrow: source is ${describe(source)}, expected bytes, or an iterable of them`,
    );
  }
  for await (const table of batchesOf(source instanceof Uint8Array ? [source] : source)) {
    const fields = fieldsOf(table);
    const time = fields.find(({ name }) => name === "time");
    if (time === undefined) {
      const names = fields.map(({ name }) => JSON.stringify(name)).join(", ");
      throw invalid(`there is no column "time", only ${names}`);
    }
    if (time.kind !== "timestamp" && time.whole !== true) {
      const type = typeText(table.getChild("time")!.type);
      throw invalid(`column "time" is of type ${type}, expected a timestamp or int64`);
    }
    const times = timesOf(bigintsOf(plain(columnOf(table, "time"))), time.unit ?? 1n);
    yield fields.filter((field) => field !== time && field.kind === "number").map(({ name }) =>
      pointsOf(name, times, valuesOf(columnOf(table, name), new RoundedNumbers()) as Float64Array)
    );
  }
}

/** The column of a table of one batch, checked. */
function columnOf(table: Table, name: string): Column<unknown> {
  const column = table.getChild(name) as Column<unknown>;
  for (const batch of column.data) checkColumnBatch(name, batch);
  return column;
}

function timesOf(values: ColumnarValues, unit: bigint): BigInt64Array {
  const times = new BigInt64Array(values.length);
  for (let i = 0; i < times.length; i++) {
    const value = values[i];
    if (typeof value !== "bigint") throw invalid(`row ${i} has no time`);
    const ns = value * unit;
    if (ns !== BigInt.asIntN(64, ns)) throw invalid(`time ${ns} ns does not fit into 64 bits`);
    times[i] = ns;
  }
  return times;
}

function fieldOf(name: string, type: DataType): ColumnarField {
  switch (type.typeId) {
    case Type.Dictionary:
      return fieldOf(name, type.dictionary);
    case Type.Int:
      return { name, kind: "number", type: "an integer", whole: true };
    case Type.Float:
      return { name, kind: "number", type: "a number" };
    case Type.Decimal:
      return { name, kind: "number", type: "a decimal" };
    case Type.Bool:
      return { name, kind: "number", type: "a boolean" };
    case Type.Timestamp: {
      const utc = type.timezone !== null && type.timezone !== "";
      return { name, kind: "timestamp", type: "timestamp", unit: UNITS[type.unit], utc };
    }
    case Type.Date:
      // The library gives both forms of days as ms.
      return { name, kind: "date", type: "date", unit: MS };
    case Type.Time:
      return { name, kind: "clock", type: "clock", unit: UNITS[type.unit] };
    case Type.Duration:
      return { name, kind: "duration", type: "duration", unit: UNITS[type.unit] };
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
      return { name, kind: "text", type: "text" };
    case Type.Null:
      return { name, kind: "other", type: "only nulls" };
    case Type.Struct:
      return { name, kind: "other", type: "a struct" };
    case Type.List:
    case Type.LargeList:
    case Type.FixedSizeList:
    case Type.ListView:
    case Type.LargeListView:
      return { name, kind: "other", type: "a list" };
    case Type.Map:
      return { name, kind: "other", type: "a map" };
    default:
      return { name, kind: "other", type: "of a type that is no number" };
  }
}

/** Values as the library gives them: numbers, bigints, text, booleans, null. */
function plain(column: Column<unknown>): ArrayLike<unknown> {
  const [batch] = column.data;
  const { nullCount, values, length, type } = batch!;
  const isTyped = type.typeId === Type.Int || type.typeId === Type.Float ||
    type.typeId === Type.Timestamp;
  const isHalf = type.typeId === Type.Float && type.precision === 0;
  if (isTyped && !isHalf && nullCount === 0 && values !== undefined) {
    const numbers = values as ArrayLike<unknown> & { subarray(from: number, to: number): unknown };
    return numbers.subarray(0, length) as ArrayLike<unknown>;
  }
  // Damaged files may claim 2^40 rows in a few bytes.
  if (length > rowsIn(batch!)) throw invalid("a column is shorter than it says");
  return Array.from({ length }, (_, i) => {
    const value = batch!.at(i);
    if (value !== undefined) return value;
    throw invalid(`row ${i + 1} of a batch has a value that is not in its dictionary`);
  });
}

/** Rows that the bytes of a column can have: a bit each for booleans, a byte or more for all others. */
function rowsIn({ type, values, offsets }: Column<unknown>["data"][number]): number {
  const bytes = Math.max(sizeOf(values), sizeOf(offsets));
  return type.typeId === Type.Bool ? 8 * bytes : bytes;
}

function sizeOf(buffer: unknown): number {
  return ArrayBuffer.isView(buffer) ? buffer.byteLength : 0;
}

function valuesOf(column: Column<unknown>, rounded: RoundedNumbers): ColumnarValues {
  const { type } = column;
  const field = fieldOf("", type);
  const data = plain(column);
  if (field.kind === "text") return data as readonly (string | null)[];
  if (field.kind !== "number") return bigintsOf(data);
  const decimal = type.typeId === Type.Dictionary ? type.dictionary : type;
  const scale = decimal.typeId === Type.Decimal ? decimal.scale : undefined;
  if (data instanceof Float64Array) return data.slice();
  const values = new Float64Array(data.length);
  for (let i = 0; i < values.length; i++) {
    const value = data[i];
    if (value === null || value === undefined) values[i] = NaN;
    else if (scale !== undefined) values[i] = rounded.decimal(value as bigint | number, scale);
    else if (typeof value === "bigint") values[i] = rounded.integer(value);
    else values[i] = Number(value);
  }
  return values;
}
