/**
 * The nearest point of a snapshot.
 *
 * @module
 */

import type { RawPoint } from "../../core/columns.ts";
import { lowerBound } from "../../core/search.ts";
import type { Snapshot } from "./snapshot.ts";
import type { BlockStore } from "../tree/block_store.ts";
import { nearestPoint } from "../tree/nearest.ts";

/**
 * The first point at or after `time`, or, backward, the last one strictly before it; among points
 * of equal time the first or the last. Points of the buffer come after those of the tree.
 */
export function pickNearest(
  store: BlockStore,
  { root, points }: Snapshot,
  time: bigint,
  backward: boolean,
): RawPoint | undefined {
  const stored = nearestPoint(store, root, time, backward);
  const i = lowerBound(points.times, time) - (backward ? 1 : 0);
  const at = points.times[i];
  if (i < 0 || at === undefined) return stored;
  const buffered = { time: at, value: points.values[i]! };
  if (stored === undefined) return buffered;
  if (backward) return at >= stored.time ? buffered : stored;
  return at < stored.time ? buffered : stored;
}
