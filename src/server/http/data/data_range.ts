/**
 * The range and the windows that a request means, once the first and last points are known.
 *
 * @module
 */

import { mapConcurrently } from "../../../core/concurrency.ts";
import { BTrDBError, ErrorCode } from "../../../core/errors.ts";
import { LAST_TIME, MIN_TIME } from "../../../core/range.ts";
import { formatTime } from "../../../core/time.ts";
import type { TimeSpec } from "../../../core/time_words.ts";
import type { CsvQueryKind } from "../../../csv/answer.ts";
import type { CallOptions, Endpoint } from "../../../endpoint/endpoint.ts";
import type { DataKind, DataRequest } from "./data_request.ts";
import { badParameter } from "./parameters.ts";

/** Streams that are asked for their ends at a time. */
const CONCURRENCY = 16;

/** A range and the query that every stream is asked. */
export interface DataRange {
  /** ns since the Unix epoch, UTC. */
  readonly start: bigint;
  /** Exclusive. */
  readonly end: bigint;
  readonly query: CsvQueryKind;
}

/** A stream and the version that is read; 0 is the latest. */
export interface VersionedStream {
  readonly uuid: Uint8Array;
  readonly version: bigint;
}

interface Ends {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * The range of a request.
 *
 * @param request Start and end as they are stated; absent: the first point, after the last one.
 * @throws {HttpFailure} 400 with code 413 if the end is not after the start.
 */
export async function dataRange(
  endpoint: Endpoint,
  streams: readonly VersionedStream[],
  { start, end, kind }: DataRequest,
  options: CallOptions,
): Promise<DataRange> {
  const isAbsolute = start?.anchor === "epoch" &&
    (end?.anchor === "epoch" || end?.anchor === "base");
  const ends = isAbsolute ? { first: 0n, last: 0n } : await extent(endpoint, streams, options);
  if (ends === undefined) return nothing(kind);
  const from = start === undefined ? ends.first : momentOf(start, ends, ends.first);
  const to = end === undefined ? ends.last + 1n : momentOf(end, ends, from);
  if (from >= to) {
    if (end === undefined || (start === undefined && to <= ends.first)) return nothing(kind);
    throw badParameter(
      `start ${formatTime(from)} is not before end ${formatTime(to)}`,
      ErrorCode.InvalidTimeRange,
    );
  }
  const query = queryOf(kind, to - from);
  const isOpen = end === undefined || kind.type === "points";
  const whole = isOpen ? wholeWindows(from, to, query) : to;
  checkWindow(from, whole, query);
  return { start: from, end: whole, query };
}

/** Refuses a range that has no whole window: its end is rounded down. */
function checkWindow(start: bigint, end: bigint, query: CsvQueryKind): void {
  if (query.type === "raw") return;
  const { type } = query;
  const width = type === "aligned" ? 1n << BigInt(query.pointwidth) : query.width;
  if (type === "windows" ? end - start >= width : floor(start, width) < floor(end, width)) return;
  throw badParameter(
    `no whole window of ${width} ns is between start ${formatTime(start)} and end ` +
      formatTime(end),
    ErrorCode.InvalidTimeRange,
  );
}

/** The last multiple of `width` that is not after `time`. */
function floor(time: bigint, width: bigint): bigint {
  return time - ((time % width) + width) % width;
}

/** A range in which there is nothing, of columns of the kind. */
function nothing(kind: DataKind): DataRange {
  const query: CsvQueryKind = kind.type === "raw"
    ? { type: "raw" }
    : { type: "aligned", pointwidth: 0 };
  return { start: MIN_TIME, end: MIN_TIME + 2n, query };
}

function queryOf(kind: DataKind, span: bigint): CsvQueryKind {
  switch (kind.type) {
    case "raw":
      return { type: "raw" };
    case "aligned":
      return { type: "aligned", pointwidth: kind.pointwidth };
    case "windows":
      return { type: "windows", width: kind.width, depth: 0 };
    case "points":
      return { type: "windows", width: (span + kind.count - 1n) / kind.count, depth: 0 };
  }
}

/** The end of the last window that begins in a range: only whole windows are answered. */
function wholeWindows(start: bigint, end: bigint, query: CsvQueryKind): bigint {
  if (query.type === "raw") return end;
  const width = query.type === "aligned" ? 1n << BigInt(query.pointwidth) : query.width;
  const origin = query.type === "aligned" ? floor(start, width) : start;
  const whole = origin + (end - origin + width - 1n) / width * width;
  return whole < LAST_TIME ? whole : end;
}

function momentOf({ anchor, offset }: TimeSpec, ends: Ends, base: bigint): bigint {
  return { epoch: 0n, first: ends.first, last: ends.last, base }[anchor] + offset;
}

/** Times of the first and last point of some streams; undefined if they have none. */
async function extent(
  endpoint: Endpoint,
  streams: readonly VersionedStream[],
  options: CallOptions,
): Promise<Ends | undefined> {
  const times = await mapConcurrently(streams, CONCURRENCY, async ({ uuid, version }) => {
    const first = await nearestTime(endpoint, { uuid, version }, MIN_TIME, false, options);
    if (first === undefined) return [];
    const last = await nearestTime(endpoint, { uuid, version }, LAST_TIME, true, options);
    return [first, last ?? first];
  });
  const all = times.flat();
  if (all.length === 0) return undefined;
  const first = all.reduce((a, b) => a < b ? a : b);
  return { first, last: all.reduce((a, b) => a > b ? a : b) };
}

/** The time of the point at or after `time`, or before it; undefined if there is none. */
async function nearestTime(
  endpoint: Endpoint,
  stream: VersionedStream,
  time: bigint,
  backward: boolean,
  options: CallOptions,
): Promise<bigint | undefined> {
  try {
    return (await endpoint.nearest({ ...stream, time, backward }, options)).point.time;
  } catch (error) {
    if (error instanceof BTrDBError && error.code === ErrorCode.NoSuchPoint) return undefined;
    throw error;
  }
}
