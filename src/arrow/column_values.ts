/**
 * Times, numbers and counts of the columns of Arrow tables.
 *
 * @module
 */

import { checkTable } from "./check_arguments.ts";
import { invalid, quotedName, quotedNames } from "./arrow_error.ts";
import { isFloat } from "./named_columns.ts";
import type { ArrowTable } from "./arrow_table.ts";
import { checkColumnBatch } from "./check_column.ts";
import { Column, type DataType, TimeUnit, Type } from "@uwdata/flechette";
import type { BTrDBError } from "../core/errors.ts";
import { atOnce } from "../core/pacer.ts";

type ColumnData = BigInt64Array | BigUint64Array | Float64Array | Float32Array;

/** A column of a table, and its name. */
export interface FoundColumn {
  name: string;
  column: Column<unknown>;
}

/** The column of a name, of which there is one. */
export function column(table: ArrowTable, name: string): FoundColumn {
  checkTable(table);
  const found = table.getChild(name) as Column<unknown> | undefined;
  if (found !== undefined) {
    const same = table.names.filter((other) => other === name).length;
    if (same > 1) throw invalid(`there are ${same} columns ${quotedName(name)}`);
    return { name, column: found };
  }
  const only = quotedNames(table.names);
  throw invalid(`there is no column ${quotedName(name)}, only ${only}`);
}

/** The error of a column of a type that it cannot have. */
function wrongType({ name, column: { type } }: FoundColumn, expected: string): BTrDBError {
  return invalid(
    `column ${quotedName(name)} is of type ${typeText(type)}, expected ${expected}`,
  );
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Type).map(([name, id]) => [id, name]),
);

/** A type as errors name it: `int64`, `Utf8`. */
export function typeText(type: DataType): string {
  if (type.typeId === Type.Int) return `${type.signed ? "int" : "uint"}${type.bitWidth}`;
  if (type.typeId === Type.Float) return `float${16 << type.precision}`;
  return TYPE_NAMES.get(type.typeId) ?? String(type.typeId);
}

/** The values of all batches, checked: no nulls and no batch shorter than it says. */
function batchesOf({ name, column }: FoundColumn): ColumnData[] {
  return column.data.map((batch) => {
    const { length, nullCount, values } = batch;
    checkColumnBatch(name, batch);
    if (nullCount > 0) throw invalid(`column ${quotedName(name)} has nulls`);
    if (values === undefined || values.length < length) {
      throw invalid(`column ${quotedName(name)} is shorter than it says`);
    }
    return values.subarray(0, length) as ColumnData;
  });
}

/** Nanoseconds in one unit of a timestamp. */
function unitOf(found: FoundColumn): bigint {
  const { type } = found.column;
  if (type.typeId === Type.Int && type.bitWidth === 64 && type.signed) return 1n;
  if (type.typeId !== Type.Timestamp) {
    throw wrongType(found, "a timestamp or int64");
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

/** Times, in ns. */
export function timesOf(found: FoundColumn): BigInt64Array {
  return atOnce(timesInSteps(found));
}

/** As {@linkcode timesOf}, in steps. Yields between them. */
export function* timesInSteps(found: FoundColumn): Generator<undefined, BigInt64Array> {
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

/** Numbers, none of them null. */
export function doublesOf(found: FoundColumn): Float64Array {
  return atOnce(doublesInSteps(found));
}

/** As {@linkcode doublesOf}, in steps. Yields between them. */
export function* doublesInSteps(found: FoundColumn): Generator<undefined, Float64Array> {
  const { type } = found.column;
  const isNumber = isFloat(type, 1) || isFloat(type, 2) ||
    (type.typeId === Type.Int && type.bitWidth <= 32);
  if (!isNumber) throw wrongType(found, "float64, float32 or an integer of up to 32 bits");
  const batches = batchesOf(found) as Float64Array[];
  const values = new Float64Array(batches.reduce((n, batch) => n + batch.length, 0));
  yield* copyInSteps(batches, values);
  return values;
}

/** Doubles, NaN for null. */
export function orNaN({ name, column }: FoundColumn): Float64Array {
  const parts = column.data.map((batch): Float64Array => {
    checkColumnBatch(name, batch);
    if (batch.nullCount === 0) return doublesOf({ name, column: new Column([batch], column.type) });
    const { length } = batch;
    const present = new Uint8Array(batch.validity);
    const values = batch.values?.slice(0, length);
    if (!(values instanceof Float64Array || values instanceof Float32Array)) {
      throw invalid(`column ${quotedName(name)} has nulls and is neither float64 nor float32`);
    }
    return Float64Array.from(values, (v, i) => (present[i >> 3]! >> (i & 7) & 1) === 1 ? v : NaN);
  });
  const all = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
  atOnce(copyInSteps(parts, all));
  return all;
}

/** Counts, none of them null. */
export function countsOf(found: FoundColumn): BigUint64Array {
  const { name, column: { type } } = found;
  if (type.typeId !== Type.Int || type.bitWidth !== 64) throw wrongType(found, "uint64");
  const batches = batchesOf(found) as BigUint64Array[];
  const counts = new BigUint64Array(batches.reduce((n, batch) => n + batch.length, 0));
  atOnce(copyInSteps(batches, counts));
  const negative = type.signed ? counts.find((count) => count >= 1n << 63n) : undefined;
  if (negative !== undefined) {
    const count = BigInt.asIntN(64, negative);
    throw invalid(`column ${quotedName(name)} has the count ${count}, expected at least 0`);
  }
  return counts;
}
