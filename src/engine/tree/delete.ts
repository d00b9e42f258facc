/**
 * Deletes points from the tree. The buckets that count as touched are those of the real server:
 * all between the two ends, at every level that is visited, whether they held points or not.
 *
 * @module
 */

import { allocRaw } from "../../core/columns.ts";
import { FANOUT } from "../constants.ts";
import { ABSENT, type ChildRef, INNER, type InnerNode } from "./node.ts";
import { lowerBound } from "../../core/search.ts";
import type { Commit } from "./insert.ts";

/**
 * Deletes the points in `[start, end)`.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @returns Address of the new root, 0 when nothing is left.
 */
export function deleteFromTree(commit: Commit, root: number, start: bigint, end: bigint): number {
  if (root === 0) return 0;
  return deleteFromInner(commit, commit.store.readRoot(root), start, end)?.address ?? 0;
}

function deleteFromInner(
  commit: Commit,
  node: InnerNode,
  start: bigint,
  end: bigint,
): ChildRef | null {
  const first = node.clampBucket(start);
  const last = node.clampBucket(end);
  const copy = node.clone();
  let left = false;
  for (let b = 0; b < FANOUT; b++) {
    if (b >= first && b <= last) {
      copy.setChild(b, deleteFromBucket(commit, node, b, start, end), commit.major);
    }
    left ||= copy.kinds[b] !== ABSENT;
  }
  return left ? commit.store.writeInner(copy) : null;
}

function deleteFromBucket(
  commit: Commit,
  parent: InnerNode,
  bucket: number,
  start: bigint,
  end: bigint,
): ChildRef | null {
  const kind = parent.kinds[bucket]!;
  if (kind === ABSENT) return null;
  if (start <= parent.bucketStart(bucket) && end >= parent.bucketStart(bucket + 1)) return null;
  if (kind === INNER) {
    return deleteFromInner(commit, commit.store.readInner(parent, bucket), start, end);
  }
  const { times, values } = commit.store.readLeaf(parent, bucket);
  const from = lowerBound(times, start);
  const to = lowerBound(times, end, from);
  const count = times.length - (to - from);
  if (count === 0) return null;
  const kept = allocRaw(count);
  kept.times.set(times.subarray(0, from));
  kept.times.set(times.subarray(to), from);
  kept.values.set(values.subarray(0, from));
  kept.values.set(values.subarray(to), from);
  return commit.store.writeLeaf(kept, 0, count);
}
