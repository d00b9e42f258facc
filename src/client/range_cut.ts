/**
 * Cutting a range of time into an aligned body and exact edges, so that a question about any range
 * is answered exactly by few requests.
 *
 * @module
 */

import type {
  CallOptions,
  Endpoint,
  StatChunk,
  Version,
  WindowsRequest,
} from "../endpoint/endpoint.ts";
import { allocStat } from "../core/columns.ts";
import { LAST_TIME, MAX_TIME } from "../core/range.ts";
import type { TimeRange } from "./arguments.ts";

/** A stream and its version. */
export interface Target {
  uuid: Uint8Array;
  version: bigint;
}

/** A range cut at multiples of 2^pointwidth; `undefined` where nothing remains. */
export interface Pieces {
  head: TimeRange | undefined;
  body: TimeRange | undefined;
  tail: TimeRange | undefined;
}

/**
 * Cuts a range: the body is aligned, head and tail are shorter than 2^pointwidth. A range that
 * holds no aligned window is all head.
 */
export function cut({ start, end }: TimeRange, pointwidth: number): Pieces {
  const mask = (1n << BigInt(pointwidth)) - 1n;
  const from = (start + mask) & ~mask;
  const to = end & ~mask;
  if (from >= to) return { head: { start, end }, body: undefined, tail: undefined };
  return {
    head: start < from ? { start, end: from } : undefined,
    body: { start: from, end: to },
    tail: to < end ? { start: to, end } : undefined,
  };
}

/**
 * The statistics of a range, exact, as one window that starts where the range does. `MAX_TIME` as
 * the end is moved one moment ahead, where no point can be.
 */
export function wholeRange(
  endpoint: Endpoint,
  { uuid, version }: Target,
  range: TimeRange,
  options: CallOptions,
): AsyncIterableIterator<StatChunk> {
  const end = range.end === MAX_TIME ? LAST_TIME : range.end;
  if (range.start >= end) return noPoints(range.start, endpoint.capabilities.stddev);
  const request: WindowsRequest = {
    uuid,
    version,
    start: range.start,
    end,
    width: end - range.start,
    depth: 0,
  };
  return endpoint.windows(request, options);
}

/** One window without points, without asking anybody. */
async function* noPoints(start: bigint, stddev: boolean): AsyncIterableIterator<StatChunk> {
  await Promise.resolve();
  const columns = allocStat(1, stddev);
  columns.times[0] = start;
  yield { version: { major: 0n, minor: 0n }, columns };
}

/**
 * Reads several answers as one. In the embedded engine the first explicit version seen is kept for
 * the answers that follow, so that all of them describe the same points; while points are buffered
 * there is no such version, and each answer is the latest. Over gRPC each is the latest, because
 * the version that a server reports can be older than what it answers (docs/protocol.md, "Quirks of
 * real servers"); who needs one moment asks for a version.
 *
 * @param endpoint The database.
 * @param version Version asked for.
 * @param openers Each opens one answer at a version.
 */
export async function* readInTurn(
  endpoint: Endpoint,
  version: bigint,
  openers: readonly ((version: bigint) => AsyncIterableIterator<StatChunk>)[],
): AsyncIterableIterator<StatChunk> {
  const trusted = endpoint.capabilities.protocol === "embedded";
  let first: Version | undefined;
  for (const open of openers) {
    const pinned = trusted && first?.minor === 0n ? first.major : version;
    for await (const chunk of open(pinned)) {
      if (first === undefined && chunk.version.major > 0n) first = chunk.version;
      yield { version: first ?? chunk.version, columns: chunk.columns };
    }
  }
}
