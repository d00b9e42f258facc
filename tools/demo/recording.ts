/**
 * Input of the demo: some streams of points, from a file or synthetic.
 *
 * @module
 */

import type { RawColumns } from "@btrdb/btrdb";

/** The points of one stream and how to name it. */
export interface Series {
  /** The `name` tag, and the label in CSV. */
  readonly name: string;
  /** The `unit` tag, where it is known. */
  readonly unit?: string;
  readonly columns: RawColumns;
}

/** Streams that belong together. */
export interface Recording {
  /** Collection of the streams. */
  readonly collection: string;
  /** Origin of the points, for people. */
  readonly source: string;
  readonly series: readonly Series[];
}

/** Number of points of all streams. */
export function pointsOf(recording: Recording): number {
  return recording.series.reduce((sum, { columns }) => sum + columns.times.length, 0);
}

/** First time and last time plus one, ns since the Unix epoch, over all streams. */
export function extentOf(recording: Recording): { start: bigint; end: bigint } {
  let start: bigint | undefined;
  let end: bigint | undefined;
  for (const { columns: { times } } of recording.series) {
    for (const time of times) {
      if (start === undefined || time < start) start = time;
      if (end === undefined || time >= end) end = time + 1n;
    }
  }
  return { start: start ?? 0n, end: end ?? 1n };
}
