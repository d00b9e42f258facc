/**
 * Points and windows as Apache Arrow: IPC streams and tables, exact to the nanosecond.
 *
 * The schemas are those of BTrDB's Arrow calls: `time` is timestamp[ns, UTC], values are float64,
 * counts uint64, nothing is nullable; in files of several
 * streams and of windows, what is not there is null. Tables are those of `@uwdata/flechette`.
 *
 * @example Columns to a complete IPC stream and back
 * ```ts
 * import { ipcToRaw, rawToIpc } from "@btrdb/btrdb/arrow";
 * import { assertEquals } from "@std/assert";
 *
 * const columns = {
 *   times: BigInt64Array.of(1_561_953_600_000_000_001n),
 *   values: Float64Array.of(0.5),
 * };
 * assertEquals(ipcToRaw(rawToIpc(columns)), columns);
 * ```
 *
 * @module
 */

export { ipcToMulti, ipcToRaw, ipcToStat } from "../arrow/read_ipc.ts";
export { type NamedValues } from "../arrow/table.ts";
export { type IpcOptions, multiToIpc, rawToIpc, statToIpc } from "../arrow/write_ipc.ts";
export { readArrow } from "./arrow_file.ts";
export { writeArrow, type WriteTableOptions } from "./arrow_stream.ts";
export type { ArrowTable } from "../arrow/arrow_table.ts";
export { rawToTable, statToTable, tableToMulti, tableToRaw, tableToStat } from "../arrow/table.ts";
export type { NamedPoints } from "./column_points.ts";
export type { ColumnSource, TableStream } from "./table.ts";
export type { TimeForm, TimeOptions } from "./table_times.ts";
export type { RawColumns, StatColumns } from "../core/columns.ts";
export type { ByteSink, ExportProgress } from "../csv/byte_sink.ts";
