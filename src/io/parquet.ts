/**
 * Points and windows in Apache Parquet files, exact to the nanosecond, a row group at a time.
 *
 * @example A stream's points, there and back
 * ```ts
 * import { openParquet, writeParquet } from "@btrdb/btrdb/parquet";
 * import { assertEquals } from "@std/assert";
 *
 * const columns = { times: BigInt64Array.of(1n, 2n), values: Float64Array.of(0.5, 1.5) };
 * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
 * const written = writeParquet(writable, [{ label: "a", columns }]);
 * const file = new Uint8Array(await new Response(readable).arrayBuffer());
 * assertEquals((await written).rows, 2);
 *
 * await using parquet = await openParquet(file);
 * assertEquals(parquet.labels, ["a"]);
 * const [batch] = await Array.fromAsync(parquet.batches());
 * assertEquals(batch?.columns, [{ label: "a", ...columns }]);
 * ```
 *
 * @module
 */

export type { ByteSource, ParquetSource } from "./byte_source.ts";
export {
  openParquet,
  type OpenParquetOptions,
  type ParquetBatch,
  ParquetInput,
  type TimeUnit,
} from "./parquet_read.ts";
export { writeParquet, type WriteParquetOptions } from "./parquet_write.ts";
export type { NamedPoints } from "./column_points.ts";
export type { ColumnSource, TableStream } from "./table.ts";
export type { TimeForm, TimeOptions } from "./table_times.ts";
export type { WriteTableOptions } from "./arrow_stream.ts";
export type { ByteSink, ExportProgress } from "../csv/byte_sink.ts";
export type { RawColumns, StatColumns } from "../core/columns.ts";
