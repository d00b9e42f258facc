/**
 * Cutting results into chunks.
 *
 * @module
 */

import { CHUNK_RANGES } from "../constants.ts";
import type { ChangedRange } from "../tree/changes.ts";

/**
 * Pieces of at most `size` items; a single empty one for no items. Passes on the `undefined`s of the
 * source.
 *
 * @param weigh Counts an item as several, or as a part of one.
 */
export function* chunked<T>(
  items: Iterable<T | undefined>,
  size: number,
  weigh: (item: T) => number = () => 1,
): Generator<T[] | undefined> {
  let chunk: T[] = [];
  let weight = 0;
  let any = false;
  for (const item of items) {
    if (item === undefined) {
      yield undefined;
      continue;
    }
    chunk.push(item);
    weight += weigh(item);
    if (weight < size) continue;
    any = true;
    yield chunk;
    [chunk, weight] = [[], 0];
  }
  if (chunk.length > 0 || !any) yield chunk;
}

/** Changed ranges as columns; passes on the `undefined`s of the source. */
export function* rangeChunks(
  ranges: Iterable<ChangedRange | undefined>,
): Generator<{ starts: BigInt64Array; ends: BigInt64Array } | undefined> {
  let batch: ChangedRange[] = [];
  for (const range of ranges) {
    if (range === undefined) yield undefined;
    else batch.push(range);
    if (batch.length < CHUNK_RANGES) continue;
    yield columnsOf(batch);
    batch = [];
  }
  if (batch.length > 0) yield columnsOf(batch);
}

function columnsOf(batch: ChangedRange[]): { starts: BigInt64Array; ends: BigInt64Array } {
  return {
    starts: BigInt64Array.from(batch, (range) => range.start),
    ends: BigInt64Array.from(batch, (range) => range.end),
  };
}
