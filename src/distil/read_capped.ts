/**
 * Reading no more of a stream than there is room for.
 *
 * @module
 */

import type { Stream } from "../client/stream.ts";
import { concatRaw, emptyRaw, type RawColumns, sliceRaw } from "../core/columns.ts";
import type { RequestOptions } from "../core/request_options.ts";
import { lowerBound } from "../core/search.ts";
import { clipped, EVERYTHING, type TimeRange } from "./time_ranges.ts";

/** Part of a stream at a version that does not change. */
export interface CappedSource extends TimeRange {
  stream: Stream;
  version: bigint;
}

/** Points read, and how far they reach. */
export interface CappedRead {
  /** All points of the range before `until`, in order of time. */
  columns: RawColumns;
  /** Absent if they are all of the range. */
  until?: bigint;
}

/**
 * Reads a range, or its beginning if it holds much more than `most` points.
 *
 * @param source Stream, version and range; the part outside the legal times is empty.
 * @param most Points after which it stops as soon as the time moves on.
 */
export async function readCapped(
  source: CappedSource,
  most: number,
  options: RequestOptions,
): Promise<CappedRead> {
  const range = clipped(source, EVERYTHING);
  if (range === undefined) return { columns: emptyRaw() };
  const { stream, version } = source;
  const batches: RawColumns[] = [];
  let points = 0;
  for await (
    const { times, values } of stream.rawValues(range.start, range.end, { ...options, version })
  ) {
    if (times.length === 0) continue;
    batches.push({ times, values });
    points += times.length;
    const until = times.at(-1)!;
    if (points < most || until === batches[0]!.times[0]) continue;
    const columns = concatRaw(batches);
    return { columns: sliceRaw(columns, 0, lowerBound(columns.times, until)), until };
  }
  return { columns: batches.length === 1 ? batches[0]! : concatRaw(batches) };
}

/** The points of columns before a time (no copy). */
export function before(columns: RawColumns, time: bigint): RawColumns {
  return sliceRaw(columns, 0, lowerBound(columns.times, time));
}

/** The points of columns from a time to before another one (no copy). */
export function between({ times, values }: RawColumns, range: TimeRange): RawColumns {
  return sliceRaw({ times, values }, lowerBound(times, range.start), lowerBound(times, range.end));
}
