/**
 * Records of COMTRADE: what relays and fault recorders write (IEEE C37.111-1991, -1999 and -2013, IEC
 * 60255-24), without a database.
 *
 * ```ts ignore
 * import { openComtrade } from "@btrdb/btrdb/comtrade";
 *
 * await using record = await openComtrade("FAULT.CFG", { values: "primary" });
 * console.log(record.configuration.station, record.columns.map(({ name }) => name));
 * for await (const { columns } of record.batches()) {
 *   for (const [i, { times, values }] of columns.entries()) {
 *     console.log(record.columns[i].name, times[0], values[0]);
 *   }
 * }
 * ```
 *
 * @module
 */

export type { RawColumns } from "../../core/columns.ts";
export type {
  AnalogChannel,
  ComtradeRevision,
  ComtradeType,
  Configuration,
  SampleRate,
  StatusChannel,
} from "./configuration.ts";
export type { Fraction } from "./decimal.ts";
export type { ComtradeOptions, ValueSide } from "./comtrade_options.ts";
export { type ComtradeBytes, openComtrade } from "./open_comtrade.ts";
export { type ComtradeBatch, ComtradeRecord } from "./record.ts";
export type { ComtradeColumn } from "./record_columns.ts";
export type { TimeRule } from "./sample_times.ts";
export type { Stamp } from "./stamp.ts";
export type { StatusChoice } from "./status_points.ts";
export {
  writeComtrade,
  type WriteComtradeOptions,
  type WrittenChannel,
  type WrittenProgress,
  type WrittenRecord,
} from "./write_comtrade.ts";
export type { ColumnSource } from "../../io/table.ts";
export type { StatColumns } from "../../core/columns.ts";
export type { Position } from "../source.ts";
export { ImportError, type ImportFault } from "../errors.ts";
