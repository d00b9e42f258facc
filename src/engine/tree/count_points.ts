/**
 * Numbers of points in ranges, from the statistics of the tree.
 *
 * @module
 */

import { lowerBound } from "../../core/search.ts";
import type { BlockStore } from "./block_store.ts";
import { ABSENT, INNER, type InnerNode } from "./node.ts";

/**
 * The number of points of a tree in `[start, end)`, exact: reads the leaves at both ends.
 *
 * @param root Address of the root, 0 for an empty tree.
 */
export function countPoints(store: BlockStore, root: number, start: bigint, end: bigint): number {
  const inLeaf = (node: InnerNode, b: number) => {
    const { times } = store.readLeaf(node, b);
    const from = lowerBound(times, start);
    return lowerBound(times, end, from) - from;
  };
  return root === 0 ? 0 : countBelow(store, store.readRoot(root), start, end, inLeaf);
}

/** As {@linkcode countPoints}, with all points of the leaves at both ends: reads none. */
export function countAtMost(store: BlockStore, root: number, start: bigint, end: bigint): number {
  const inLeaf = (node: InnerNode, b: number) => node.counts[b]!;
  return root === 0 ? 0 : countBelow(store, store.readRoot(root), start, end, inLeaf);
}

/** Points below a node, of which leaves that are cut are counted by `inLeaf`. */
function countBelow(
  store: BlockStore,
  node: InnerNode,
  start: bigint,
  end: bigint,
  inLeaf: (node: InnerNode, bucket: number) => number,
): number {
  const first = node.clampBucket(start);
  const last = node.clampBucket(end - 1n);
  let count = 0;
  for (let b = first; b <= last; b++) {
    const kind = node.kinds[b]!;
    if (kind === ABSENT) continue;
    const isWhole = (b > first || node.bucketStart(b) >= start) &&
      (b < last || node.bucketStart(b + 1) <= end);
    if (isWhole) count += node.counts[b]!;
    else if (kind === INNER) {
      count += countBelow(store, store.readInner(node, b), start, end, inLeaf);
    } else count += inLeaf(node, b);
  }
  return count;
}
