/**
 * Counting points exactly.
 *
 * @module
 */

import { MAX_ALIGNED_POINTWIDTH, pointwidthOf } from "../core/pointwidth.ts";
import type { CallOptions, Endpoint, StatChunk } from "../endpoint/endpoint.ts";
import type { TimeRange } from "./arguments.ts";
import { cut, readInTurn, type Target, wholeRange } from "./range_cut.ts";

/** The body is read as at most 2^BODY_BITS aligned windows. */
const BODY_BITS = 4;

/**
 * The number of points in a range: the sum of a few aligned windows and of one exact window at
 * either edge, in at most three requests.
 */
export async function countPoints(
  endpoint: Endpoint,
  { uuid, version }: Target,
  range: TimeRange,
  options: CallOptions,
): Promise<bigint> {
  const span = Math.max(pointwidthOf(range.end - range.start) - BODY_BITS, 0);
  const pointwidth = Math.min(span + 1, MAX_ALIGNED_POINTWIDTH);
  const { head, body, tail } = cut(range, pointwidth);
  const openers: ((version: bigint) => AsyncIterableIterator<StatChunk>)[] = [];
  if (body !== undefined) {
    openers.push((at) =>
      endpoint.alignedWindows({ uuid, version: at, ...body, pointwidth }, options)
    );
  }
  for (const edge of [head, tail]) {
    if (edge === undefined) continue;
    openers.push((at) => wholeRange(endpoint, { uuid, version: at }, edge, options));
  }
  let total = 0n;
  for await (const { columns } of readInTurn(endpoint, version, openers)) {
    for (const count of columns.count) total += count;
  }
  return total;
}
