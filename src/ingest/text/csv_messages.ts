/**
 * Messages between {@linkcode csvBatchesFromThread} and its worker.
 *
 * @module
 */

import type { PackedError } from "../packed_error.ts";
import type { CsvTable } from "./csv_table.ts";
import type { TableRemarks } from "./table_remarks.ts";
import type { Position, SourceBatch } from "../source.ts";

/** To the worker. */
export type BatchOrder =
  /** The first message: what to read. */
  | { type: "read"; table: CsvTable; from: Position }
  /** A batch was taken: there may be another one. */
  | { type: "more" };

/** From the worker. */
export type BatchReport =
  /** A batch, and how many bytes of the file are read. */
  | { type: "batch"; batch: SourceBatch; bytesRead: number; remarks: TableRemarks }
  | { type: "end"; remarks: TableRemarks }
  | { type: "failure"; error: PackedError };
