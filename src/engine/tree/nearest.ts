/**
 * The nearest point in the tree.
 *
 * @module
 */

import type { RawPoint } from "../../core/columns.ts";
import { FANOUT } from "../constants.ts";
import { ABSENT, INNER, type InnerNode } from "./node.ts";
import { lowerBound } from "../../core/search.ts";
import type { BlockStore } from "./block_store.ts";

/**
 * The first point at or after `time`, or, backward, the last one strictly before it.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @returns The point; `undefined` when there is none.
 */
export function nearestPoint(
  store: BlockStore,
  root: number,
  time: bigint,
  backward: boolean,
): RawPoint | undefined {
  if (root === 0) return undefined;
  const node = store.readRoot(root);
  return backward ? lastBefore(store, node, time) : firstFrom(store, node, time);
}

function firstFrom(store: BlockStore, node: InnerNode, time: bigint): RawPoint | undefined {
  for (let b = node.clampBucket(time); b < FANOUT; b++) {
    const kind = node.kinds[b]!;
    if (kind === ABSENT) continue;
    if (kind === INNER) {
      const point = firstFrom(store, store.readInner(node, b), time);
      if (point !== undefined) return point;
      continue;
    }
    const { times, values } = store.readLeaf(node, b);
    const i = lowerBound(times, time);
    if (i < times.length) return { time: times[i]!, value: values[i]! };
  }
  return undefined;
}

function lastBefore(store: BlockStore, node: InnerNode, time: bigint): RawPoint | undefined {
  if (time <= node.start) return undefined;
  for (let b = node.clampBucket(time - 1n); b >= 0; b--) {
    const kind = node.kinds[b]!;
    if (kind === ABSENT) continue;
    if (kind === INNER) {
      const point = lastBefore(store, store.readInner(node, b), time);
      if (point !== undefined) return point;
      continue;
    }
    const { times, values } = store.readLeaf(node, b);
    const i = lowerBound(times, time) - 1;
    if (i >= 0) return { time: times[i]!, value: values[i]! };
  }
  return undefined;
}
