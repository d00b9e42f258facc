/**
 * The interface of everything that points are imported from: files, captures and devices.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";

/** A column of a source: what becomes one stream. */
export interface SourceColumn {
  /** Its name in the source, as written there. */
  readonly name: string;
  /** Number in the source, from 1, where columns have numbers. */
  readonly number?: number | undefined;
  /** Collection that the source proposes, such as `STATION/DEVICE`. */
  readonly collection?: string | undefined;
  /** Unit of its values, as the source writes it. */
  readonly unit?: string | undefined;
  /** Further tags of a new stream. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Annotations of a new stream. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** A place between two batches; plain data, because the record of an interrupted import keeps it. */
export interface Position {
  /** Uncompressed bytes, or rows, before it: what the source needs to go there. */
  offset: number;
  /** Lines before it, for errors; 0 where there are no lines. */
  lines: number;
  /** Rows before it. */
  rows: number;
  /** Time of the row before, ns, and its distance to the one before it: they tell hours that come twice apart. */
  time?: string;
  /** See {@linkcode Position.time}. */
  step?: string;
  /** The same of each stream of a long table. */
  timesByKey?: Record<string, [time: string, step: string]>;
}

/** Points of some rows. */
export interface SourceBatch {
  /** Points of each of {@linkcode Source.columns}; every column has its own times. */
  columns: RawColumns[];
  /** Position of the next batch. */
  next: Position;
}

/** A column that is not imported. */
export interface OmittedColumn {
  /** Its name in the source. */
  readonly name: string;
  /** The reason, e.g. `text`. */
  readonly reason: string;
}

/** Data to import: columns of points, read in batches from any position on. */
export interface Source extends AsyncDisposable {
  /** Format, e.g. `csv`, `parquet`, `comtrade`. */
  readonly format: string;
  /** Columns that become streams. */
  readonly columns: readonly SourceColumn[];
  /**
   * True if a collection given by the user is the beginning of the collections that the columns
   * propose, because there are several stations.
   */
  readonly hasStations?: boolean | undefined;
  /** True if a collection given by the user is in those that the columns propose already. */
  readonly hasCollections?: boolean | undefined;
  /** Columns that are left out, with the reasons. */
  readonly omitted: readonly OmittedColumn[];
  /** Remarks on what was read although it is odd; more may come while it is read. */
  readonly notices: readonly string[];
  /** Probable mistakes in the rows read so far, such as times that go back. */
  readonly warnings?: readonly string[] | undefined;
  /** Rows and cells left out so far because they could not be read. */
  readonly skipped?: { readonly rows: number; readonly cells: number } | undefined;
  /** Properties found in the source, in pairs of a word and its value, for people. */
  readonly about?: readonly (readonly [string, string])[] | undefined;
  /** Time of the last row, ns, where it can be found without reading everything. */
  lastTime?(): Promise<bigint | undefined>;
  /**
   * Decompressed bytes that are surely before a position; absent where a change anywhere makes
   * another source, so that it cannot grow.
   */
  bytesBefore?(position: Position): number;
  /** Bytes of the file read so far, for progress. */
  readonly bytesRead: number;
  /** Size of the file, bytes; `undefined` where it is not known. */
  readonly size: number | undefined;
  /** Plain data by which a resumed import reads the source the same way again. */
  readonly layout: unknown;
  /** Reads from a position on. The same position gives the same batches. */
  batches(from: Position, signal?: AbortSignal): AsyncIterable<SourceBatch>;
}

/** The beginning of a source. */
export const START: Position = { offset: 0, lines: 0, rows: 0 };
