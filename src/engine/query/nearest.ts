/**
 * The nearest point of a snapshot.
 *
 * @module
 */

import type { RawPoint } from "../../core/columns.ts";
import { lowerBound } from "../../core/search.ts";
import type { Reading } from "./snapshot.ts";
import type { BlockStore } from "../tree/block_store.ts";
import { nearestPoint } from "../tree/nearest.ts";

/**
 * The first point at or after `time`, or, backward, the last one strictly before it; among points
 * of equal time the first or the last. Late points come after those of the tree, points of the buffer
 * after both.
 */
export function pickNearest(
  store: BlockStore,
  { root, late, points }: Reading,
  time: bigint,
  backward: boolean,
): RawPoint | undefined {
  let nearest = nearestPoint(store, root, time, backward);
  for (const { times, values } of [late, points]) {
    const i = lowerBound(times, time) - (backward ? 1 : 0);
    const at = times[i];
    if (i < 0 || at === undefined) continue;
    const isNearer = nearest === undefined || (backward ? at >= nearest.time : at < nearest.time);
    if (isNearer) nearest = { time: at, value: values[i]! };
  }
  return nearest;
}
