/**
 * The kernel of BTrDB as functions on plain columns, usable without any database: everything that
 * runs once per point, in WebAssembly.
 *
 * Points are columns: times are ns since the Unix epoch, UTC, in a `BigInt64Array`, values are in a
 * `Float64Array`. Inputs are not changed, results belong to the caller. All functions are synchronous
 * and may be called from anywhere; the first call makes the WASM instance, which takes a few ms.
 *
 * @example Average a second of samples into windows of 100 ms
 * ```ts
 * import { rewindow, sortPoints } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const times = BigInt64Array.from({ length: 50 }, (_, i) => BigInt(i) * 20_000_000n);
 * const values = Float64Array.from({ length: 50 }, (_, i) => i);
 * const windows = rewindow(sortPoints({ times, values }), {
 *   start: 0n,
 *   end: 1_000_000_000n,
 *   width: 100_000_000n,
 * });
 * assertEquals(windows.count, BigUint64Array.from(Array(10).fill(5n)));
 * assertEquals(windows.mean[0], 2);
 * ```
 *
 * @module
 */

export type { RawColumns, StatColumns } from "../core/columns.ts";
export { extendedKernelBytes } from "./extended_kernel_bytes.ts";
export { isSorted } from "./find_bad_point.ts";
export { chunkByPointwidth, type ChunkOptions } from "./chunk_by_pointwidth.ts";
export { type PixelOptions, reducePixels } from "./pixels.ts";
export { alignedRewindow, type AlignedRewindowOptions, rewindow } from "./rewindow.ts";
export { Rewindower, type RewindowOptions } from "./rewindower.ts";
export { sortPoints } from "./sort.ts";
export { type CsvStream, formatCsv, type FormatCsvOptions } from "./format_csv.ts";
export { CsvError, type CsvErrorPlace } from "./csv_error.ts";
export { type CsvColumn, parseCsv, parseCsvStream } from "./csv_parse.ts";
export { CsvParser } from "./csv_parser.ts";
export type { CsvNumbers } from "./csv_text.ts";
export { type MergedTimes, mergeTimes } from "./merge_times.ts";
export { isNullWord } from "./null_words.ts";
export type { ColumnRole, TableOptions } from "./table_options.ts";
export { TableParser } from "./table_parser.ts";
