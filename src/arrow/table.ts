/**
 * Columns to and from Arrow tables, in the schemas of BTrDB's Arrow calls (docs/protocol.md,
 * "Arrow"): `time` is timestamp[ns, UTC], every value float64, counts uint64, nothing nullable.
 * Times keep every nanosecond.
 *
 * @module
 */

import { checkColumns, checkTable } from "./check_arguments.ts";
import {
  type Batch,
  batchType,
  Column,
  type DataType,
  type Field,
  float64,
  int64,
  type Schema,
  Table,
  timestamp,
  TimeUnit,
  Type,
  uint64,
  Version,
} from "@uwdata/flechette";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { atOnce } from "../core/pacer.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";

/**
 * An Arrow table. Those that functions here return are `Table`s of the package `@uwdata/flechette`,
 * and those are what functions here take.
 */
export interface ArrowTable {
  /** Number of rows. */
  readonly numRows: number;
  /** Number of columns. */
  readonly numCols: number;
  /** Names of the columns, in order. */
  readonly names: readonly unknown[];
  /** The column of a name. */
  getChild(name: string): unknown;
}

/** The column of one stream in a table of several: NaN where it has no point. */
export interface NamedValues {
  /** Name of the column, in BTrDB's calls the uuid as text. */
  name: string;
  /** One value a row. */
  values: Float64Array;
}

type ColumnData = BigInt64Array | BigUint64Array | Float64Array | Float32Array;

/** A column of a table to be made. */
export interface NamedColumn {
  name: string;
  type: DataType;
  data: ColumnData;
  /** True if NaN stands for null. @default {false} */
  nullable?: boolean;
}

/** timestamp[ns, UTC]. */
export const TIME: DataType = timestamp(TimeUnit.NANOSECOND, "UTC");
/** timestamp[ns], without a zone. */
export const LOCAL_TIME: DataType = timestamp(TimeUnit.NANOSECOND);
/** int64. */
export const INT64: DataType = int64();
/** float64. */
export const DOUBLE: DataType = float64();
/** uint64. */
export const COUNT: DataType = uint64();

/**
 * Raw points as a table: `time`, `value`. The columns are not copied.
 *
 * @param columns The points.
 */
export function rawToTable(columns: RawColumns): ArrowTable {
  return tableOf(rawNamed(columns));
}

/**
 * Windows as a table: `time`, `min`, `mean`, `max`, `count` and, if the columns have it, `stddev`.
 * The columns are not copied.
 *
 * @param columns The windows.
 */
export function statToTable(columns: StatColumns): ArrowTable {
  return tableOf(statNamed(columns));
}

/**
 * Raw points from a table with the columns `time` (timestamp of any unit, or int64 ns) and `value`
 * (float64, float32, or an integer of up to 32 bits), in any order among others.
 *
 * The table must have been decoded with `{ useBigInt: true, useBigIntTimestamp: true }`.
 *
 * @param table The table.
 * @returns Columns of their own.
 * @throws {BTrDBError} 438 if it has no such columns, has nulls, or a time is out of range.
 */
export function tableToRaw(table: ArrowTable): RawColumns {
  return atOnce(tableToRawInSteps(table));
}

/** As {@linkcode tableToRaw}, in steps of at most 65,536 points. Yields between them. */
export function* tableToRawInSteps(table: ArrowTable): Generator<undefined, RawColumns> {
  const times = yield* timesInSteps(column(table, "time"));
  const values = yield* doublesInSteps(column(table, "value"));
  if (values.length !== times.length) {
    throw invalid(`there are ${times.length} times and ${values.length} values`);
  }
  return { times, values };
}

/** The columns `time` and `value` of a table, if each is in one piece of memory as it is read. */
export function viewsOfRaw(table: Table): RawColumns | undefined {
  const times = wholeOf(table, "time"), values = wholeOf(table, "value");
  const areWhole = times instanceof BigInt64Array && values instanceof Float64Array;
  return areWhole && times.length === values.length ? { times, values } : undefined;
}

/** The values of a column without nulls, if they are in one piece and need no conversion. */
function wholeOf(table: Table, name: string): unknown {
  const { data, type } = column(table, name).column;
  const isAsRead = isSameStorage(type.typeId === Type.Float ? DOUBLE : TIME, type);
  const [batch, ...others] = data;
  if (!isAsRead || batch === undefined || others.length > 0 || batch.nullCount > 0) {
    return undefined;
  }
  return batch.values?.subarray(0, batch.length);
}

/**
 * Windows from a table as {@linkcode statToTable} makes it; a statistic that is null is NaN.
 *
 * @param table The table, decoded as for {@linkcode tableToRaw}.
 * @returns Columns of their own.
 * @throws {BTrDBError} 438 if it has no such columns.
 */
export function tableToStat(table: ArrowTable): StatColumns {
  const columns: StatColumns = {
    times: timesOf(column(table, "time")),
    min: orNaN(column(table, "min")),
    mean: orNaN(column(table, "mean")),
    max: orNaN(column(table, "max")),
    count: countsOf(column(table, "count")),
  };
  if (table.names.includes("stddev")) columns.stddev = doublesOf(column(table, "stddev"));
  return columns;
}

/**
 * Rows of several streams from a table: `time`, and every other column, NaN for null.
 *
 * @param table The table, decoded as for {@linkcode tableToRaw}.
 * @throws {BTrDBError} 438 if there is no `time`, or a column that holds no numbers.
 */
export function tableToMulti(table: ArrowTable): { times: BigInt64Array; streams: NamedValues[] } {
  checkTable(table);
  const names = table.names.filter((name) => name !== "time") as string[];
  return {
    times: timesOf(column(table, "time")),
    streams: names.map((name) => ({ name, values: orNaN(column(table, name)) })),
  };
}

/** The columns of raw points. */
export function rawNamed(columns: RawColumns): NamedColumn[] {
  checkColumns(columns, { times: BigInt64Array, values: Float64Array });
  return [
    { name: "time", type: TIME, data: columns.times },
    { name: "value", type: DOUBLE, data: columns.values },
  ];
}

const STATISTICS = {
  times: BigInt64Array,
  min: Float64Array,
  mean: Float64Array,
  max: Float64Array,
  count: BigUint64Array,
};

/** The columns of windows; `stddev` is NaN where the source has none. */
export function statNamed(
  columns: StatColumns,
  withStddev: boolean = columns?.stddev !== undefined,
): NamedColumn[] {
  checkColumns(columns, STATISTICS);
  const all: NamedColumn[] = [
    { name: "time", type: TIME, data: columns.times },
    { name: "min", type: DOUBLE, data: columns.min },
    { name: "mean", type: DOUBLE, data: columns.mean },
    { name: "max", type: DOUBLE, data: columns.max },
    { name: "count", type: COUNT, data: columns.count },
  ];
  if (withStddev) {
    const stddev = columns.stddev ?? new Float64Array(columns.times.length).fill(NaN);
    all.push({ name: "stddev", type: DOUBLE, data: stddev });
  }
  return all;
}

/** A table of columns, without a copy. */
export function tableOf(columns: readonly NamedColumn[]): Table {
  const fields: Field[] = columns.map(({ name, type, nullable = false }) => ({
    name,
    type,
    nullable,
    metadata: null as unknown as Map<string, string>,
  }));
  const schema = {
    version: Version.V5,
    endianness: 0,
    fields,
    metadata: null,
    dictionaryTypes: new Map(),
  } as unknown as Schema;
  return new Table(schema, columns.map(toColumn));
}

/** The error of bytes or templates that are not valid Arrow. */
export function invalid(what: string, cause?: unknown): BTrDBError {
  return new BTrDBError(`Cannot read Arrow data: ${what}`, {
    code: ErrorCode.InvalidParameter,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** One column as one batch over the same memory. */
function toColumn({ type, data, nullable }: NamedColumn): Column<unknown> {
  const Type = batchType(type, { useBigInt: true, useBigIntTimestamp: true }) as typeof Batch;
  const batch = new Type<unknown>({
    length: data.length,
    ...(nullable === true ? validityOf(data) : { nullCount: 0, validity: new Uint8Array(0) }),
    type,
    values: data,
  });
  return new Column([batch], type);
}

/** A bit for each value that is not NaN, from the lowest on, in multiples of 64 bits. */
function validityOf(data: ColumnData): { nullCount: number; validity: Uint8Array } {
  let nullCount = 0;
  const validity = new Uint8Array(Math.ceil(data.length / 64) * 8);
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i])) nullCount++;
    else validity[i >> 3]! |= 1 << (i & 7);
  }
  return nullCount === 0 ? { nullCount, validity: new Uint8Array(0) } : { nullCount, validity };
}

/** The columns with the names and types of a template, by position. */
export function castTo(columns: readonly NamedColumn[], fields: readonly Field[]): NamedColumn[] {
  if (fields.length !== columns.length) {
    throw invalid(`the template has ${fields.length} columns, expected ${columns.length}`);
  }
  return columns.map(({ type: from, data }, i) => {
    const { name, type } = fields[i]!;
    if (isSameStorage(from, type)) return { name, type, data };
    if (from === DOUBLE && isFloat(type, 1)) {
      return { name, type, data: Float32Array.from(data as Float64Array) };
    }
    throw invalid(`the template's column ${JSON.stringify(name)} is of a type that loses digits`);
  });
}

/** Tells whether values of one type are values of the other as they are. */
function isSameStorage(from: DataType, to: DataType): boolean {
  if (from === DOUBLE) return isFloat(to, 2);
  if (from === COUNT) return to.typeId === Type.Int && to.bitWidth === 64;
  if (to.typeId === Type.Timestamp) return to.unit === TimeUnit.NANOSECOND;
  return to.typeId === Type.Int && to.bitWidth === 64 && to.signed;
}

function isFloat(type: DataType, precision: number): boolean {
  return type.typeId === Type.Float && type.precision === precision;
}

interface FoundColumn {
  name: string;
  column: Column<unknown>;
}

function column(table: ArrowTable, name: string): FoundColumn {
  checkTable(table);
  const found = table.getChild(name) as Column<unknown> | undefined;
  if (found !== undefined) {
    const same = table.names.filter((other) => other === name).length;
    if (same > 1) throw invalid(`there are ${same} columns ${JSON.stringify(name)}`);
    return { name, column: found };
  }
  const names = table.names.map((other) => JSON.stringify(other)).join(", ");
  throw invalid(`there is no column ${JSON.stringify(name)}, only ${names}`);
}

/** The values of all batches, checked: no nulls and no batch shorter than it says. */
function batchesOf({ name, column }: FoundColumn): ColumnData[] {
  return column.data.map((batch) => {
    const { length, nullCount, values } = batch;
    if (nullCount > 0) throw invalid(`column ${JSON.stringify(name)} has nulls`);
    if (values === undefined || values.length < length) {
      throw invalid(`column ${JSON.stringify(name)} is shorter than it says`);
    }
    return values.subarray(0, length) as ColumnData;
  });
}

/** Nanoseconds in one unit of a timestamp. */
function unitOf({ name, column: { type } }: FoundColumn): bigint {
  if (type.typeId === Type.Int && type.bitWidth === 64 && type.signed) return 1n;
  if (type.typeId !== Type.Timestamp) {
    throw invalid(`column ${JSON.stringify(name)} is neither a timestamp nor int64`);
  }
  switch (type.unit) {
    case TimeUnit.SECOND:
      return 1_000_000_000n;
    case TimeUnit.MILLISECOND:
      return 1_000_000n;
    case TimeUnit.MICROSECOND:
      return 1000n;
    default:
      return 1n;
  }
}

function timesOf(found: FoundColumn): BigInt64Array {
  return atOnce(timesInSteps(found));
}

function* timesInSteps(found: FoundColumn): Generator<undefined, BigInt64Array> {
  const unit = unitOf(found);
  const batches = batchesOf(found) as BigInt64Array[];
  const times = new BigInt64Array(batches.reduce((n, batch) => n + batch.length, 0));
  yield* copyInSteps(batches, times);
  if (unit === 1n) return times;
  for (let i = 0; i < times.length; i++) {
    const ns = times[i]! * unit;
    if (ns !== BigInt.asIntN(64, ns)) throw invalid(`time ${ns} ns does not fit into 64 bits`);
    times[i] = ns;
    if (i % STEP_POINTS === STEP_POINTS - 1) yield;
  }
  return times;
}

/** Points that are copied in one step. */
const STEP_POINTS = 65_536;

/** Copies parts to a whole, one after another. */
function* copyInSteps<T extends BigInt64Array | BigUint64Array | Float64Array>(
  parts: readonly T[],
  whole: T,
): Generator<undefined, void> {
  let at = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length; from += STEP_POINTS) {
      const some = part.subarray(from, from + STEP_POINTS);
      whole.set(some as never, at);
      at += some.length;
      yield;
    }
  }
}

function doublesOf(found: FoundColumn): Float64Array {
  return atOnce(doublesInSteps(found));
}

function* doublesInSteps(found: FoundColumn): Generator<undefined, Float64Array> {
  const { name, column: { type } } = found;
  const isNumber = isFloat(type, 1) || isFloat(type, 2) ||
    (type.typeId === Type.Int && type.bitWidth <= 32);
  if (!isNumber) throw invalid(`column ${JSON.stringify(name)} is neither float64 nor float32`);
  const batches = batchesOf(found) as Float64Array[];
  const values = new Float64Array(batches.reduce((n, batch) => n + batch.length, 0));
  yield* copyInSteps(batches, values);
  return values;
}

/** Doubles, NaN for null. */
function orNaN({ name, column }: FoundColumn): Float64Array {
  const parts = column.data.map((batch): Float64Array => {
    if (batch.nullCount === 0) return doublesOf({ name, column: new Column([batch], column.type) });
    const { length } = batch;
    const present = new Uint8Array(batch.validity);
    const values = batch.values?.slice(0, length);
    if (!(values instanceof Float64Array || values instanceof Float32Array)) {
      throw invalid(`column ${JSON.stringify(name)} has nulls and is neither float64 nor float32`);
    }
    return Float64Array.from(values, (v, i) => (present[i >> 3]! >> (i & 7) & 1) === 1 ? v : NaN);
  });
  const all = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
  atOnce(copyInSteps(parts, all));
  return all;
}

function countsOf(found: FoundColumn): BigUint64Array {
  const { name, column: { type } } = found;
  if (type.typeId !== Type.Int || type.bitWidth !== 64) {
    throw invalid(`column ${JSON.stringify(name)} is not uint64`);
  }
  const batches = batchesOf(found) as BigUint64Array[];
  const counts = new BigUint64Array(batches.reduce((n, batch) => n + batch.length, 0));
  atOnce(copyInSteps(batches, counts));
  return counts;
}
