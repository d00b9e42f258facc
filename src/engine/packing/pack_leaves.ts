/**
 * Encodes leaves from points in shared memory.
 *
 * @module
 */

import { encodeBlockInArena } from "../../kernel/encode_block.ts";
import { isSorted } from "../../kernel/find_bad_point.ts";
import { reduceValues } from "../tree/stats.ts";
import { lastLeaf } from "./last_leaf.ts";
import type { PackingDesk } from "./packing_desk.ts";

/**
 * Makes leaves of the points on a desk, from the last to the first, until it meets the writer, which
 * makes them from the first to the last. Points that are not in order are left to the writer.
 */
export function packLeaves(desk: PackingDesk): void {
  const points = desk.take();
  if (points === undefined) return;
  const { times, values } = points;
  if (isSorted(times)) {
    for (let to = times.length, from; to > desk.needed; to = from) {
      from = lastLeaf(times, to);
      const content = encodeBlockInArena(points, from, to);
      if (!desk.put(from, to, content, reduceValues(values, from, to))) break;
    }
  }
  desk.leave();
}
