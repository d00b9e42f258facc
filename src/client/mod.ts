/**
 * Databases, streams and their queries, over any endpoint.
 *
 * @module
 */

export type { ArrowTable } from "../arrow/arrow_table.ts";
export type { WriteTableOptions } from "../io/arrow_stream.ts";
export type { WriteParquetOptions } from "../io/parquet_write.ts";
export { RawBatch, StatBatch } from "./batch.ts";
export {
  BTrDB,
  type CreateOptions,
  type LookupOptions,
  type MetadataUsageCounts,
  type NewPoints,
} from "./btrdb.ts";
export type { ChangedRange } from "./changes.ts";
export type {
  AlignedCsvOptions,
  ByteSink,
  CsvExportOptions,
  CsvNumbers,
  CsvStream,
  ExportProgress,
  WindowsCsvOptions,
  WriteCsvOptions,
} from "./csv.ts";
export type { InsertOptions, InsertProgress } from "./insert.ts";
export type { MetadataValues } from "./pairs.ts";
export type { RequestOptions } from "../core/request_options.ts";
export type { PointPairs, Points } from "./points_to_columns.ts";
export type { CompactOptions, ExpireOptions, ExpireReport } from "./retention.ts";
export { RawQuery } from "./raw_query.ts";
export { StatQuery } from "./stat_query.ts";
export type { StreamDescription } from "./describe_stream.ts";
export type { JoinedColumn, JoinedColumns, SetTableOptions } from "./joined_columns.ts";
export { Stream } from "./stream.ts";
export type { StreamConditions, StreamFilter, TextCondition } from "./stream_filter.ts";
export type {
  CompareAndSetOptions,
  CountOptions,
  NearestOptions,
  NearestPoint,
  ReadOptions,
  TagChanges,
  WindowsOptions,
} from "./stream_options.ts";
export {
  type CurrentOptions,
  type PinOptions,
  type SetParquetOptions,
  type SetWindowsOptions,
  StreamSet,
  type StreamSetOptions,
} from "./stream_set.ts";
export type { MergedRow } from "./merge_rows.ts";
export type { VegaLiteOptions, VegaLiteRow, VegaLiteSpec } from "./vega_lite.ts";
export type { Compute } from "./windows.ts";
