/**
 * Columns with names and types, from which Arrow tables are made, in the schemas of BTrDB's Arrow
 * calls (docs/protocol.md, "Arrow"): `time` is timestamp[ns, UTC], every value float64, counts
 * uint64, nothing nullable.
 *
 * @module
 */

import { checkColumns } from "./check_arguments.ts";
import { invalid, quotedName } from "./arrow_error.ts";
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

/** Values of a column. */
export type ColumnData = BigInt64Array | BigUint64Array | Float64Array | Float32Array;

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
    throw invalid(`the template's column ${quotedName(name)} is of a type that loses digits`);
  });
}

/** Tells whether values of one type are values of the other as they are. */
export function isSameStorage(from: DataType, to: DataType): boolean {
  if (from === DOUBLE) return isFloat(to, 2);
  if (from === COUNT) return to.typeId === Type.Int && to.bitWidth === 64;
  if (to.typeId === Type.Timestamp) return to.unit === TimeUnit.NANOSECOND;
  return to.typeId === Type.Int && to.bitWidth === 64 && to.signed;
}

/** Tells whether a type is a float of a precision, 1: 32 bits, 2: 64 bits. */
export function isFloat(type: DataType, precision: number): boolean {
  return type.typeId === Type.Float && type.precision === precision;
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
export function validityOf(data: ColumnData): { nullCount: number; validity: Uint8Array } {
  let nullCount = 0;
  const validity = new Uint8Array(Math.ceil(data.length / 64) * 8);
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i])) nullCount++;
    else validity[i >> 3]! |= 1 << (i & 7);
  }
  return nullCount === 0 ? { nullCount, validity: new Uint8Array(0) } : { nullCount, validity };
}
