/**
 * Messages between {@linkcode CsvThread} and its worker.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../core/columns.ts";
import type { CsvLayout } from "../kernel/csv_writer.ts";

/** Next points of a stream; without columns, its end. */
export interface CsvSupply {
  stream: number;
  columns: RawColumns | StatColumns | undefined;
}

/** To the worker. */
export type CsvOrder =
  /** The first message: how rows look. */
  | { type: "layout"; layout: CsvLayout }
  /** Points for any of the streams, in the order in which they follow each other. */
  | { type: "points"; supplies: CsvSupply[] }
  /** A piece was used: its memory is for another one. */
  | { type: "memory"; buffer: ArrayBuffer };

/** From the worker. */
export type CsvReport =
  /** The first message: orders will be taken. */
  | { type: "ready" }
  /** Whole rows, `length` bytes of them, in memory that is to be given back. */
  | { type: "piece"; buffer: ArrayBuffer; length: number; rows: number }
  /** These streams can get another supply. */
  | { type: "taken"; streams: number[] }
  /** There will be no more pieces. */
  | { type: "end" }
  /** Something broke. */
  | { type: "failure"; error: unknown };
