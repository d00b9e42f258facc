/**
 * Tables of Arrow and Parquet files: a column of times and columns of values or windows beside it,
 * batch by batch.
 *
 * @module
 */

import { checkObject } from "../core/check_object.ts";
import { describe } from "../core/describe.ts";
import { gatherRows, type RawColumns, type StatColumns } from "../core/columns.ts";
import { isRaw } from "../kernel/arguments.ts";
import { giveWay } from "../core/pacer.ts";
import { mergeBatches } from "../kernel/merge_batches.ts";
import { invalidType } from "../core/argument_error.ts";

/** Columns, or batches of them in order of time, e.g. what `Stream.rawValues` returns. */
export type ColumnSource =
  | RawColumns
  | StatColumns
  | AsyncIterable<RawColumns>
  | AsyncIterable<StatColumns>;

/** One stream of a table. */
export interface TableStream {
  /** Name of its column; of windows, the names are `label (Min)` and so on. */
  label: string;
  /** Its points or windows. */
  columns: ColumnSource;
}

/** Kind of the table's columns; streams of one table are all of one kind. */
export type TableKind = "raw" | "windows";

/** One column beside the times. */
export interface TableColumn {
  name: string;
  /** Doubles, NaN where a stream or a window has nothing, or counts, 0 there. */
  data: Float64Array | BigUint64Array;
  /** True if some rows may have no value. */
  nullable: boolean;
}

/** Some rows of a table. */
export interface TableBatch {
  /** Time of each row, ns since the Unix epoch, UTC. */
  times: BigInt64Array;
  columns: TableColumn[];
}

/** Cells of a batch, streams times rows: merging them takes 3 ms or so, and those of windows are four. */
const BATCH_CELLS = 1 << 18;

/** Names of the columns of a stream of windows, after its label. */
const PARTS = [["min", "Min"], ["mean", "Mean"], ["max", "Max"], ["count", "Count"]] as const;

/**
 * Checks that there is an array of streams with columns.
 *
 * @throws {TypeError} If there is none.
 */
export function checkTableStreams(action: string, streams: readonly TableStream[]): void {
  if (!Array.isArray(streams)) {
    throw invalidType(`Cannot ${action}: streams is ${describe(streams)}, expected an array`);
  }
  for (const [i, stream] of streams.entries()) {
    checkObject(action, `streams[${i}]`, stream);
    checkObject(action, `columns of streams[${i}]`, (stream as TableStream).columns);
  }
}

/**
 * Rows of the streams, merged by time: equal times share a row, duplicates inside a stream make
 * further rows. One stream of windows alone has columns `min`, `mean`, `max`, `count` without its
 * label, one of points alone has its label.
 *
 * @param streams All of one kind.
 * @returns At least one batch, so that the columns are known.
 * @throws {TypeError} If points and windows are mixed.
 */
export async function* tableBatches(
  streams: readonly TableStream[],
): AsyncGenerator<TableBatch, void, void> {
  const sources = streams.map(({ columns }) => batchesOf(columns));
  const kind = { found: undefined as TableKind | undefined };
  const checked = sources.map((source) => watchKind(source, kind));
  let given = false;
  for await (const { times, rows, parts } of mergeBatches(checked, BATCH_CELLS)) {
    given = true;
    const columns: TableColumn[] = [];
    for (const [s, { label }] of streams.entries()) {
      if (kind.found === "windows") {
        const own = streams.length === 1 ? undefined : label;
        columns.push(...windowColumns(own, rows[s]!, parts[s]));
      } else {
        const data = gatherRows(rows[s]!, (parts[s] as RawColumns | undefined)?.values);
        columns.push({ name: label, data, nullable: streams.length > 1 });
      }
      await giveWay();
    }
    yield { times, columns };
  }
  if (!given) yield emptyBatch(streams, kind.found ?? "raw");
}

function emptyBatch(streams: readonly TableStream[], kind: TableKind): TableBatch {
  const none = new Int32Array(0);
  const columns = streams.flatMap(({ label }) =>
    kind === "windows"
      ? windowColumns(streams.length === 1 ? undefined : label, none, undefined)
      : [{ name: label, data: new Float64Array(0), nullable: streams.length > 1 }]
  );
  return { times: new BigInt64Array(0), columns };
}

async function* batchesOf(columns: ColumnSource): AsyncGenerator<RawColumns | StatColumns> {
  if (Symbol.asyncIterator in columns) yield* columns;
  else yield columns;
}

/** Passes batches on and refuses to mix kinds. */
async function* watchKind(
  source: AsyncIterable<RawColumns | StatColumns>,
  kind: { found: TableKind | undefined },
): AsyncGenerator<RawColumns | StatColumns> {
  for await (const batch of source) {
    const own = isRaw(batch) ? "raw" : "windows";
    kind.found ??= own;
    if (kind.found !== own) {
      throw invalidType(
        "Cannot make a table: raw points and windows are mixed, expected streams of one kind",
      );
    }
    yield batch;
  }
}

function windowColumns(
  label: string | undefined,
  rows: Int32Array,
  part: RawColumns | StatColumns | undefined,
): TableColumn[] {
  const stat = part as StatColumns | undefined;
  return PARTS.map(([field, word]) => ({
    name: label === undefined ? field : `${label} (${word})`,
    data: field === "count"
      ? gatherCounts(rows, stat?.count)
      : gatherStatistics(rows, stat?.[field], stat?.count),
    nullable: field !== "count",
  }));
}

/** Statistics of windows; those of a window without points are nothing. */
function gatherStatistics(
  rows: Int32Array,
  values: Float64Array | undefined,
  counts: BigUint64Array | undefined,
): Float64Array {
  const out = gatherRows(rows, values);
  if (counts === undefined) return out;
  for (let r = 0; r < rows.length; r++) {
    const i = rows[r]!;
    if (i >= 0 && counts[i] === 0n) out[r] = NaN;
  }
  return out;
}

function gatherCounts(rows: Int32Array, counts: BigUint64Array | undefined): BigUint64Array {
  const out = new BigUint64Array(rows.length);
  if (counts === undefined) return out;
  for (let r = 0; r < rows.length; r++) {
    const i = rows[r]!;
    if (i >= 0) out[r] = counts[i]!;
  }
  return out;
}
