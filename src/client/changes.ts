/**
 * Ranges of time that changed between two versions.
 *
 * @module
 */

import { cancellable } from "../core/cancellable.ts";
import type { CallOptions, ChangesChunk, ChangesRequest, Endpoint } from "../endpoint/endpoint.ts";
import { LATEST } from "../core/range.ts";
import { outOfRange } from "../core/argument_error.ts";
import { lazily } from "./iterators.ts";

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
    throw outOfRange(
      `Cannot read changes: fromVersion is ${from}, expected at most toVersion, which is ${to}`,
    );
  }
  return lazily(() => cancellable(start(), (call) => changedRanges(endpoint, request, call)));
}

/** Servers hold some ranges back and send them late (docs/protocol.md, "Changes"): all are read first. */
async function* changedRanges(
  endpoint: Endpoint,
  request: ChangesRequest,
  call: CallOptions,
): AsyncIterableIterator<ChangedRange> {
  const ranges: ChangedRange[] = [];
  for await (const chunk of endpoint.changes(request, call)) {
    for (const range of rangesOf(chunk)) ranges.push(range);
  }
  yield* joined(ranges);
}

function* rangesOf({ starts, ends }: ChangesChunk): Iterable<ChangedRange> {
  for (let i = 0; i < starts.length; i++) yield { start: starts[i]!, end: ends[i]! };
}

/** The same moments as ranges that ascend and do not touch each other. */
export function joined(ranges: ChangedRange[]): ChangedRange[] {
  const result: ChangedRange[] = [];
  for (const range of ranges.sort((a, b) => a.start < b.start ? -1 : a.start > b.start ? 1 : 0)) {
    const last = result.at(-1);
    if (last === undefined || range.start > last.end) result.push({ ...range });
    else if (range.end > last.end) last.end = range.end;
  }
  return result;
}
