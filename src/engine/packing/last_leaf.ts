/**
 * Finds the ends of the leaves that new points make in empty buckets.
 *
 * @module
 */

import { lowerBound } from "../../core/search.ts";
import { childPointwidth, LEAF_POINTS, ROOT_POINTWIDTH, ROOT_START } from "../constants.ts";

/**
 * The beginning of the leaf that ends before point `to`, where no other points are around. So the last
 * leaf is found first, then the one before it, and so on.
 *
 * @param times In order.
 * @param to Number of points, or where the leaf that was found last begins; at least 1.
 * @returns Index of its first point.
 */
export function lastLeaf(times: BigInt64Array, to: number): number {
  const last = times[to - 1]! - ROOT_START;
  for (let pointwidth = ROOT_POINTWIDTH;; pointwidth = childPointwidth(pointwidth)) {
    const shift = BigInt(pointwidth);
    const bucket = last >> shift;
    // A bucket that goes on behind a leaf was divided.
    if (to < times.length && (times[to]! - ROOT_START) >> shift === bucket) continue;
    const start = ROOT_START + (bucket << shift);
    const isSmall = to < LEAF_POINTS || times[to - LEAF_POINTS]! < start;
    if (!isSmall && childPointwidth(pointwidth) > 0) continue;
    return lowerBound(times, start, isSmall ? Math.max(0, to - LEAF_POINTS) : 0, to);
  }
}
