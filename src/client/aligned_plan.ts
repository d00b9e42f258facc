/**
 * How aligned windows are asked for.
 *
 * @module
 */

import { sliceStat, type StatColumns } from "../core/columns.ts";
import type {
  AlignedWindowsRequest,
  CallOptions,
  Endpoint,
  StatChunk,
} from "../endpoint/endpoint.ts";
import { wholeRange } from "./pieces.ts";

/**
 * Opens the answer to a request whose range is whole windows. Servers refuse a range of a single
 * nanosecond (docs/protocol.md, "Aligned windows"), so it is asked for as a window of any width.
 */
export function openAligned(
  endpoint: Endpoint,
  request: AlignedWindowsRequest,
  options: CallOptions,
): AsyncIterableIterator<StatChunk> {
  const { uuid, version, start, end } = request;
  if (end - start > 1n) return endpoint.alignedWindows(request, options);
  return present(wholeRange(endpoint, { uuid, version }, { start, end }, options));
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
