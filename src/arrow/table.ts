/**
 * Columns to and from Arrow tables, in the schemas of BTrDB's Arrow calls (docs/protocol.md,
 * "Arrow"): `time` is timestamp[ns, UTC], every value float64, counts uint64, nothing nullable.
 * Times keep every nanosecond.
 *
 * @module
 */

import { checkTable } from "./check_arguments.ts";
import { invalid } from "./arrow_error.ts";
import type { ArrowTable } from "./arrow_table.ts";
import {
  column,
  countsOf,
  doublesInSteps,
  doublesOf,
  orNaN,
  timesInSteps,
  timesOf,
} from "./column_values.ts";
import { DOUBLE, isSameStorage, rawNamed, statNamed, tableOf, TIME } from "./named_columns.ts";
import { type Table, Type } from "@uwdata/flechette";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { atOnce } from "../core/pacer.ts";

/** The column of one stream in a table of several: NaN where it has no point. */
export interface NamedValues {
  /** Name of the column, in BTrDB's calls the uuid as text. */
  name: string;
  /** One value a row. */
  values: Float64Array;
}

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
