/**
 * Requests for aligned windows of any pointwidth.
 *
 * @module
 */

import { MAX_ALIGNED_POINTWIDTH } from "../core/pointwidth.ts";
import { concatStat, sliceStat, type StatColumns } from "../core/columns.ts";
import { MIN_TIME } from "../core/range.ts";
import type {
  AlignedWindowsRequest,
  CallOptions,
  Endpoint,
  StatChunk,
  Version,
} from "../endpoint/endpoint.ts";
import { alignedRewindow } from "../kernel/rewindow.ts";
import { wholeRange } from "./range_cut.ts";

/**
 * Opens the answer to a request whose range is whole windows.
 *
 * Servers refuse a range of a single nanosecond, so it is asked for as a window of any width; and
 * those that take pointwidths above 60 do not align them to the epoch, so they are made here
 * (docs/protocol.md, "Aligned windows").
 */
export function openAligned(
  endpoint: Endpoint,
  request: AlignedWindowsRequest,
  options: CallOptions,
): AsyncIterableIterator<StatChunk> {
  const { uuid, version, start, end, pointwidth } = request;
  if (pointwidth > MAX_ALIGNED_POINTWIDTH) return coarse(endpoint, request, options);
  if (end - start > 1n) return endpoint.alignedWindows(request, options);
  return present(wholeRange(endpoint, { uuid, version }, { start, end }, options));
}

/** The few windows wider than 2^60 ns, from those of 2^60 ns; they can begin before `MIN_TIME`. */
async function* coarse(
  endpoint: Endpoint,
  { uuid, version: asked, start, end, pointwidth }: AlignedWindowsRequest,
  options: CallOptions,
): AsyncIterableIterator<StatChunk> {
  const first = start < MIN_TIME ? MIN_TIME : start;
  const range = { uuid, version: asked, start: first, end, pointwidth: MAX_ALIGNED_POINTWIDTH };
  const parts: StatColumns[] = [];
  let version: Version = { major: 0n, minor: 0n };
  for await (const chunk of endpoint.alignedWindows(range, options)) {
    version = chunk.version;
    if (chunk.columns.times.length > 0) parts.push(chunk.columns);
  }
  const stddev = parts.length > 0 && parts.every((part) => part.stddev !== undefined);
  yield { version, columns: alignedRewindow(concatStat(parts), { pointwidth, stddev }) };
}

async function* present(
  source: AsyncIterableIterator<StatChunk>,
): AsyncIterableIterator<StatChunk> {
  for await (const { version, columns } of source) {
    yield { version, columns: withoutEmpty(columns) };
  }
}

/** A single window, or none if it is empty. */
function withoutEmpty(columns: StatColumns): StatColumns {
  return columns.count[0] === 0n ? sliceStat(columns, 0, 0) : columns;
}
