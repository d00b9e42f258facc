/**
 * Writing Parquet files.
 *
 * @module
 */

import { checkObject } from "../core/check_object.ts";
import type { SchemaElement } from "hyparquet";
import { type ByteSink, type ExportProgress, openSink } from "../csv/byte_sink.ts";
import { startCall } from "../core/request_options.ts";
import { throwIfOver } from "../core/call.ts";
import { nodeModule } from "../core/node_module.ts";
import { giveWay } from "../core/pacer.ts";
import type { WriteTableOptions } from "./arrow_stream.ts";
import { PageWriter } from "./parquet_page_writer.ts";
import { ParquetFileWriter, type ParquetValues } from "./parquet_file_writer.ts";
import {
  checkTableStreams,
  type TableBatch,
  tableBatches,
  type TableColumn,
  type TableStream,
} from "./table.ts";
import { type TimeForm, timeFormOf } from "./table_times.ts";
import { outOfRange } from "../core/argument_error.ts";

/** Writer named in the files of this package. The labels of such files are those of streams. */
export const CREATED_BY = "@btrdb/btrdb";

/** Options of writing Parquet files. */
export interface WriteParquetOptions extends WriteTableOptions {
  /**
   * Compression of the pages.
   *
   * @default {"zstd"} where the runtime has it (Node 22.15, Deno), else `"snappy"`
   */
  compression?: "zstd" | "snappy" | "none" | undefined;
  /** Rows a row group; about so many are held in memory. @default {131072} */
  rowGroupRows?: number | undefined;
}

const ACTION = "write Parquet";
const CODECS = { zstd: "ZSTD", snappy: "SNAPPY", none: "UNCOMPRESSED" } as const;

/**
 * Writes streams as one Parquet file: `time` (timestamp, ns, UTC) and, for each stream of points, a
 * double column of its label, null where it has no point; for windows `label (Min)`, `(Mean)`,
 * `(Max)` and `(Count)` (a single stream of windows: `min`, `mean`, `max`, `count`).
 *
 * Pages have checksums, except in browsers. Rows are merged by time. Memory holds a row group; a file appears under its name when it is
 * complete. Arrow, pandas and Polars read such times exactly; DuckDB has only microseconds for
 * times with a zone: `times` has other forms.
 *
 * @param sink A path, a `file:` URL, or a stream of bytes, which is closed at the end.
 * @param streams Columns or queries, all of points or all of windows.
 * @param options Compression and row groups.
 * @returns Rows and bytes written.
 * @throws {TypeError} If points and windows are mixed.
 * @throws {RangeError} If an option is out of range, or two columns have the same name.
 */
export async function writeParquet(
  sink: ByteSink,
  streams: readonly TableStream[],
  options: WriteParquetOptions = {},
): Promise<ExportProgress> {
  checkTableStreams(ACTION, streams);
  checkObject(ACTION, "options", options);
  const { rowGroupRows = 131_072 } = options;
  const zlib = nodeModule<typeof import("node:zlib")>("node:zlib");
  const codec = codecOf(options.compression, typeof zlib?.zstdCompressSync === "function");
  if (!Number.isSafeInteger(rowGroupRows) || rowGroupRows < 1) {
    throw outOfRange(
      `Cannot ${ACTION}: rowGroupRows is ${rowGroupRows}, expected an integer from 1`,
    );
  }
  const { form, convert } = timeFormOf(ACTION, options);
  const call = startCall(ACTION, { signal: options.signal });
  call.signal?.throwIfAborted();
  const out = await openSink(ACTION, sink, options.preventClose ?? false, call);
  const progress: ExportProgress = { rows: 0, bytes: 0 };
  const bytes = new PageWriter();
  const flush = async (): Promise<void> => {
    const piece = bytes.take();
    progress.bytes += piece.length;
    await out.write(piece);
  };
  try {
    let file: ParquetFileWriter | undefined;
    for await (const batch of rowGroups(tableBatches(streams), rowGroupRows)) {
      throwIfOver(call, ACTION);
      file ??= new ParquetFileWriter(bytes, {
        schema: schemaOf(batch, form),
        codec,
        createdBy: CREATED_BY,
        zstd: (input) => zlib!.zstdCompressSync(input),
      });
      await file.rowGroup(batch.times.length, columnsOf(batch, convert), flush);
      progress.rows += batch.times.length;
      progress.time = batch.times.at(-1) ?? progress.time!;
      options.onProgress?.({ ...progress });
    }
    await file?.finish();
    await flush();
    await out.finish();
  } catch (error) {
    await out.discard(error);
    throw error;
  }
  return progress;
}

function codecOf(compression: WriteParquetOptions["compression"], hasZstd: boolean) {
  const name = compression ?? (hasZstd ? "zstd" : "snappy");
  if (!Object.hasOwn(CODECS, name)) {
    throw outOfRange(
      `Cannot ${ACTION}: compression is ${
        JSON.stringify(name)
      }, expected "zstd", "snappy" or "none"`,
    );
  }
  if (name === "zstd" && !hasZstd) {
    throw outOfRange(`Cannot ${ACTION}: this runtime has no zstd, expected "snappy" or "none"`);
  }
  return CODECS[name];
}

function schemaOf({ columns }: TableBatch, form: TimeForm): SchemaElement[] {
  const names = new Set(["time"]);
  for (const { name } of columns) {
    if (names.has(name)) {
      throw outOfRange(
        `Cannot ${ACTION}: two columns are called ${
          JSON.stringify(name)
        }, expected different labels`,
      );
    }
    names.add(name);
  }
  return [
    { name: "root", num_children: 1 + columns.length },
    timeElement(form),
    ...columns.map(({ name, data, nullable }): SchemaElement =>
      data instanceof Float64Array
        ? { name, type: "DOUBLE", repetition_type: nullable ? "OPTIONAL" : "REQUIRED" }
        : { name, type: "INT64", repetition_type: "REQUIRED", converted_type: "UINT_64" }
    ),
  ];
}

function timeElement(form: TimeForm): SchemaElement {
  const element: SchemaElement = { name: "time", type: "INT64", repetition_type: "REQUIRED" };
  if (form === "ns") return element;
  const isAdjustedToUTC = form === "instant";
  return { ...element, logical_type: { type: "TIMESTAMP", isAdjustedToUTC, unit: "NANOS" } };
}

/** Times as differences, doubles byte by byte: both pack far better so. */
function columnsOf(
  { times, columns }: TableBatch,
  convert: (batch: TableBatch) => TableBatch,
): ParquetValues[] {
  return [
    {
      encoding: "DELTA_BINARY_PACKED",
      part: (from, to) => convert({ times: times.subarray(from, to), columns: [] }).times,
    },
    ...columns.map(({ data, nullable }): ParquetValues => ({
      encoding: data instanceof Float64Array ? "BYTE_STREAM_SPLIT" : "DELTA_BINARY_PACKED",
      part: (from, to) => {
        const part = data.subarray(from, to);
        return nullable ? withNulls(part as Float64Array) : part;
      },
    })),
  ];
}

/** Values with null for NaN; the same values where there is none. */
function withNulls(values: Float64Array): Float64Array | (number | null)[] {
  if (!values.some(Number.isNaN)) return values;
  return Array.from(values, (value) => Number.isNaN(value) ? null : value);
}

/** The rows in batches of `size`, the last one shorter; at least one batch. */
async function* rowGroups(
  batches: AsyncIterable<TableBatch>,
  size: number,
): AsyncGenerator<TableBatch, void, void> {
  let held: TableBatch[] = [];
  let rows = 0;
  for await (const batch of batches) {
    let from = 0;
    while (rows + batch.times.length - from >= size) {
      const to = from + size - rows;
      yield await joined([...held, sliced(batch, from, to)]);
      held = [];
      rows = 0;
      from = to;
    }
    if (from < batch.times.length || held.length === 0) held.push(sliced(batch, from));
    rows += batch.times.length - from;
  }
  if (rows > 0 || held.some(({ times }) => times.length === 0)) yield await joined(held);
}

/** Some rows of a batch, without a copy. */
function sliced({ times, columns }: TableBatch, from: number, to?: number): TableBatch {
  return {
    times: times.subarray(from, to),
    columns: columns.map(({ data, ...column }) => ({ ...column, data: data.subarray(from, to) })),
  };
}

/** Batches as one; others may go on between its columns. */
async function joined(batches: readonly TableBatch[]): Promise<TableBatch> {
  const [first] = batches;
  if (batches.length === 1) return first!;
  const n = batches.reduce((sum, { times }) => sum + times.length, 0);
  const times = concatenated(new BigInt64Array(n), batches.map(({ times }) => times));
  const columns: TableColumn[] = [];
  for (const [c, column] of first!.columns.entries()) {
    const pieces = batches.map(({ columns }) => columns[c]!.data);
    const data = column.data instanceof Float64Array
      ? concatenated(new Float64Array(n), pieces as Float64Array[])
      : concatenated(new BigUint64Array(n), pieces as BigUint64Array[]);
    columns.push({ ...column, data });
    await giveWay();
  }
  return { times, columns };
}

function concatenated<A extends BigInt64Array | BigUint64Array | Float64Array>(
  out: A,
  pieces: readonly A[],
): A {
  let at = 0;
  for (const piece of pieces) {
    (out as Float64Array).set(piece as Float64Array, at);
    at += piece.length;
  }
  return out;
}
