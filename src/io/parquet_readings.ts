/**
 * Columns of Parquet by their types, as fields and values.
 *
 * @module
 */

import type { FileMetaData, SchemaElement } from "hyparquet";
import { type FromBytes, halfFrom, int96From, integerFrom, textFrom } from "./parquet_bytes.ts";
import { bigintsOf, type ColumnarField, type ColumnarValues } from "./columnar_file.ts";
import { RoundedNumbers } from "./rounded_numbers.ts";

const MS = 1_000_000n;
const DAY = 86_400_000n * MS;

/** Most digits of a decimal after its point: those of 256 bits, which is the longest that is written. */
const MAX_SCALE = 76;

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
export interface Reading {
  readonly field: ColumnarField;
  /** The column in the file; absent: what is below it cannot be points. */
  readonly column?: ReadingColumn;
  /** Counts values that no double holds; absent: a double holds all of this type. */
  readonly rounded?: RoundedNumbers;
  values(data: ArrayLike<unknown>): ColumnarValues;
}

/** A column that has no others below it. */
export interface ReadingColumn {
  readonly element: SchemaElement;
  /** Its number among all such columns of the file, from 0: their names may be those of others. */
  readonly leaf: number;
  /** Makes values of bytes, where they are not numbers. */
  readonly from: FromBytes;
}

/** The columns at the top; those with a list or a struct below them cannot be points. */
export function readingsOf({ schema }: FileMetaData): Reading[] {
  const readings: Reading[] = [];
  let leaf = 0;
  for (let i = 1; i < schema.length;) {
    const element = schema[i]!;
    const end = i + sizeOf(schema, i);
    const isFlat = element.type !== undefined && element.repetition_type !== "REPEATED";
    if (isFlat) {
      const rounded = new RoundedNumbers();
      const from = fromBytes(element, rounded);
      readings.push({ ...readingOf(element, rounded), rounded, column: { element, leaf, from } });
    } else readings.push(nothing(element.name, nestedType(element)));
    for (; i < end; i++) if (schema[i]!.type !== undefined) leaf++;
  }
  return readings;
}

/** Makes values of the bytes of a column, by its logical type. */
function fromBytes(element: SchemaElement, rounded: RoundedNumbers): FromBytes {
  const { type, logical_type } = element;
  if (type === "INT96") return { isDouble: false, read: int96From };
  if (logical_type?.type === "FLOAT16") return { isDouble: true, read: halfFrom };
  if (!isDecimal(element)) return { isDouble: false, read: textFrom };
  const scale = scaleOf(element);
  return { isDouble: true, rounded, read: (bytes) => rounded.decimal(integerFrom(bytes), scale) };
}

function isDecimal({ converted_type, logical_type }: SchemaElement): boolean {
  return logical_type?.type === "DECIMAL" || converted_type === "DECIMAL";
}

/** Digits of decimals after the point. Old readers take them from the element, new ones may not. */
function scaleOf({ name, scale, logical_type: logical }: SchemaElement): number {
  const said = logical?.type === "DECIMAL" ? logical.scale : undefined;
  const found = said ?? scale ?? 0;
  if (scale !== undefined && scale !== found) {
    throw new RangeError(
      `Cannot read Parquet: decimals of column ${JSON.stringify(name)} have scale ${scale} and ` +
        `scale ${found}; the file is damaged`,
    );
  }
  if (found >= 0 && found <= MAX_SCALE) return found;
  throw new RangeError(
    `Cannot read Parquet: decimals of column ${JSON.stringify(name)} have scale ${found}, ` +
      `expected 0 to ${MAX_SCALE}`,
  );
}

/**
 * Parquet has no durations: those of Arrow are plain integers, and the schema of Arrow that its
 * writers keep in the metadata says so.
 */
export async function withDurations(
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
    return isDuration ? { ...reading, field: said, values: bigintsOf } : reading;
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
function readingOf(element: SchemaElement, rounded: RoundedNumbers): Reading {
  const { name, type, logical_type: logical, converted_type: converted } = element;
  const plain = (): void => {
    delete element.logical_type;
    delete element.converted_type;
  };
  const word = logical?.type ?? converted;
  const time = (kind: ColumnarField["kind"], unit: bigint, utc: boolean): Reading => {
    plain();
    return { field: { name, kind, unit, utc, type: kind }, values: bigintsOf };
  };
  if (isDecimal(element)) {
    const scale = scaleOf(element);
    plain();
    return {
      field: { name, kind: "number", type: "a decimal" },
      values: /BYTE_ARRAY/.test(type ?? "")
        ? doublesOf
        : (data) => decimalsOf(data, scale, rounded),
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
      values: unsigned
        ? (data) => unsignedOf(data, rounded)
        : type === "INT64"
        ? (data) => integersOf(data, rounded)
        : doublesOf,
    };
  }
  return nothing(name, (word ?? type ?? "unknown").toLowerCase());
}

/** Doubles, NaN for null. */
function doublesOf(data: ArrayLike<unknown>): Float64Array {
  if (data instanceof Float64Array) return data;
  const values = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    values[i] = value === null || value === undefined ? NaN : Number(value);
  }
  return values;
}

/** Integers of 64 bits as the nearest doubles, NaN for null. */
function integersOf(data: ArrayLike<unknown>, rounded: RoundedNumbers): Float64Array {
  const values = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    values[i] = typeof value === "bigint" ? rounded.integer(value) : NaN;
  }
  return values;
}

function unsignedOf(data: ArrayLike<unknown>, rounded: RoundedNumbers): Float64Array {
  const values = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    values[i] = typeof value === "bigint" ? rounded.integer(BigInt.asUintN(64, value)) : NaN;
  }
  return values;
}

function decimalsOf(
  data: ArrayLike<unknown>,
  scale: number,
  rounded: RoundedNumbers,
): Float64Array {
  const values = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    values[i] = isPresent(value) ? rounded.decimal(value as number | bigint, scale) : NaN;
  }
  return values;
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function textsOf(data: ArrayLike<unknown>): ColumnarValues {
  return Array.from(data, (value) => isPresent(value) ? String(value) : null);
}
