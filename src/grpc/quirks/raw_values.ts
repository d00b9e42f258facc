/**
 * Raw values in order of time, from servers that put unflushed points in the order of arrival
 * (docs/protocol.md, "Quirks of real servers": `buffer-not-sorted`).
 *
 * @module
 */

import { concatRaw, sliceRaw } from "../../core/columns.ts";
import type { CallOptions, RangeRequest, RawChunk } from "../../endpoint/endpoint.ts";
import { isSorted } from "../../kernel/find_bad_point.ts";
import { sortPoints } from "../../kernel/sort.ts";
import { callError } from "../errors.ts";
import type { Reader } from "../read/reader.ts";

/** Points kept back, at most, to be sorted together: 32 MiB of columns. */
const HELD_POINTS = 1 << 21;
/** Points of one batch of what was held. */
const BATCH_POINTS = 1 << 16;

/**
 * Reads raw values, sorted. With unflushed points, up to {@linkcode HELD_POINTS} are held back until
 * the answer is whole; an answer that is longer passes through while it is in order.
 *
 * @throws {BTrDBError} `FAILED_PRECONDITION` if a longer answer turns out not to be in order.
 */
export async function* sortedRawValues(
  reader: Reader,
  request: RangeRequest,
  options: CallOptions,
): AsyncGenerator<RawChunk, void, undefined> {
  let held: RawChunk[] | undefined = [];
  let points = 0;
  let last: bigint | undefined;
  for await (const part of reader.raw(request, options)) {
    if (part.version.minor === 0n) {
      held = undefined;
      yield part;
      continue;
    }
    held?.push(part);
    points += part.columns.times.length;
    if (held !== undefined && points <= HELD_POINTS) continue;
    for (const ready of held ?? [part]) {
      last = inOrder(ready.columns.times, last, request);
      yield ready;
    }
    held = undefined;
  }
  if (held !== undefined && held.length > 0) yield* sorted(held);
}

/** Checks that `times` go on from `last`; returns their last. */
function inOrder(
  times: BigInt64Array,
  last: bigint | undefined,
  { uuid }: RangeRequest,
): bigint | undefined {
  if (times.length === 0) return last;
  if ((last === undefined || times[0]! >= last) && isSorted(times)) return times[times.length - 1];
  throw callError(
    "Cannot read raw values in order of time: the stream has unflushed points out of order among " +
      `more than ${HELD_POINTS} points; flush it, or read an explicit version`,
    "FAILED_PRECONDITION",
    { rpc: "RawValues", uuid },
  );
}

function* sorted(held: readonly RawChunk[]): Generator<RawChunk, void, undefined> {
  const { version } = held[0]!;
  const columns = sortPoints(concatRaw(held.map((part) => part.columns)));
  for (let from = 0; from === 0 || from < columns.times.length; from += BATCH_POINTS) {
    const to = Math.min(from + BATCH_POINTS, columns.times.length);
    yield { version, columns: sliceRaw(columns, from, to) };
  }
}
