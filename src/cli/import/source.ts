/**
 * What is imported, whatever its format: columns of points in batches that can be found again.
 *
 * @module
 */

import type { RawColumns } from "../../../mod.ts";

/** Where a batch begins; plain data, because a record of interrupted work keeps it. */
export interface Position {
  /** Unpacked bytes, or rows, before it: what the source needs to go there. */
  offset: number;
  /** Lines before it, for errors; 0 where there are no lines. */
  lines: number;
  /** Rows before it. */
  rows: number;
}

/** Points of some rows. */
export interface SourceBatch {
  /** One for each value column, in the order of the rows. */
  columns: RawColumns[];
  /** Where the next batch begins. */
  next: Position;
}

/** A table to import. */
export interface TableSource {
  /** Names of the value columns. */
  readonly labels: readonly string[];
  /** Units of the value columns, where the source knows them. */
  readonly units?: readonly (string | undefined)[];
  /** Bytes of the file read so far, for progress. */
  readonly bytesRead: number;
  /** Size of the file, bytes. */
  readonly size: number | undefined;
  /** What a record of interrupted work keeps to read the table the same way again. */
  readonly layout: unknown;
  /** Numbers of the value columns in the file, from 1, where columns have numbers. */
  readonly numbers?: readonly number[];
  /**
   * Reads the first bytes on trial, so that nothing is made for a table that cannot be read.
   *
   * @throws {Error} What is wrong with them.
   */
  check?(head: Uint8Array): void;
  /** Reads from a position on. The same position gives the same batches. */
  batches(from: Position): AsyncIterable<SourceBatch>;
}

/** The beginning. */
export const START: Position = { offset: 0, lines: 0, rows: 0 };
