/**
 * Reading what changed between versions.
 *
 * @module
 */

import type { CallOptions, ChangesChunk, ChangesRequest, Endpoint } from "../endpoint/endpoint.ts";
import { LATEST } from "../core/range.ts";

/** A range of time in which points changed. */
export interface ChangedRange {
  /** First moment, ns since the Unix epoch, UTC. */
  start: bigint;
  /** End, exclusive. */
  end: bigint;
}

/**
 * Opens the answer.
 *
 * @throws {RangeError} If `from` is above an explicit `to`.
 */
export function openChanges(
  endpoint: Endpoint,
  request: ChangesRequest,
  start: () => CallOptions,
): AsyncIterableIterator<ChangedRange> {
  const { from, to } = request;
  if (to !== LATEST && from > to) {
    throw new RangeError(
      `Cannot read changes: fromVersion is ${from}, expected at most toVersion, which is ${to}`,
    );
  }
  return changedRanges(endpoint, request, start);
}

async function* changedRanges(
  endpoint: Endpoint,
  request: ChangesRequest,
  start: () => CallOptions,
): AsyncIterableIterator<ChangedRange> {
  for await (const chunk of endpoint.changes(request, start())) yield* rangesOf(chunk);
}

function* rangesOf({ starts, ends }: ChangesChunk): Iterable<ChangedRange> {
  for (let i = 0; i < starts.length; i++) yield { start: starts[i]!, end: ends[i]! };
}
