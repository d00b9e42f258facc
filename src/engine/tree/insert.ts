/**
 * Inserts points into the tree. Every node on the way is written anew; the rules for when a bucket
 * becomes a leaf and when a leaf becomes an inner node are the real server's (docs/protocol.md,
 * "The tree"), because `changes` shows the extents of nodes.
 *
 * @module
 */

import { type RawColumns, sliceRaw } from "../../core/columns.ts";
import { LEAF_POINTS, ROOT_POINTWIDTH, ROOT_START } from "../constants.ts";
import { mergeRuns } from "./merge_runs.ts";
import { ABSENT, type ChildRef, INNER, InnerNode } from "./node.ts";
import { gallop } from "../../core/search.ts";
import type { BlockStore } from "./block_store.ts";

/** One commit under way. */
export interface Commit {
  readonly store: BlockStore;
  /** The version it makes. */
  readonly major: number;
  /** Times, ascending, at which stored points make way for the new one. */
  readonly replaced: BigInt64Array;
}

/**
 * Inserts points; a generator, so that a long insert can pause between nodes.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param points In order of time, not empty.
 * @returns Address of the new root.
 */
export function* insertIntoTree(
  commit: Commit,
  root: number,
  points: RawColumns,
): Generator<undefined, number> {
  const node = root === 0
    ? new InnerNode(ROOT_POINTWIDTH, ROOT_START)
    : commit.store.readRoot(root).clone();
  const ref = yield* insertIntoInner(commit, node, points, 0, points.times.length);
  return ref.address;
}

/** Inserts the points `[from, to)` into an inner node that is new in this commit, and writes it. */
function* insertIntoInner(
  commit: Commit,
  node: InnerNode,
  points: RawColumns,
  from: number,
  to: number,
): Generator<undefined, ChildRef> {
  let at = from;
  while (at < to) {
    const bucket = node.clampBucket(points.times[at]!);
    const next = gallop(points.times, node.bucketStart(bucket + 1), at, to);
    const child = yield* insertIntoBucket(commit, node, bucket, points, at, next);
    node.setChild(bucket, child, commit.major);
    at = next;
  }
  return commit.store.writeInner(node);
}

/** Inserts the points `[from, to)`, all of one bucket, below it. */
function* insertIntoBucket(
  commit: Commit,
  parent: InnerNode,
  bucket: number,
  points: RawColumns,
  from: number,
  to: number,
): Generator<undefined, ChildRef> {
  const { store } = commit;
  const pointwidth = parent.childPointwidth;
  const kind = parent.kinds[bucket]!;
  if (kind === INNER) {
    const node = store.readInner(parent, bucket).clone();
    return yield* insertIntoInner(commit, node, points, from, to);
  }
  yield;
  if (kind === ABSENT) {
    if (to - from < LEAF_POINTS || pointwidth === 0) {
      return store.writeLeaf(points, from, to);
    }
    const node = new InnerNode(pointwidth, parent.bucketStart(bucket));
    return yield* insertIntoInner(commit, node, points, from, to);
  }
  const leaf = store.readLeaf(parent, bucket);
  const merged = mergeRuns(leaf, sliceRaw(points, from, to), commit.replaced);
  if (merged.times.length <= LEAF_POINTS || pointwidth === 0) {
    return store.writeLeaf(merged, 0, merged.times.length);
  }
  const node = new InnerNode(pointwidth, parent.bucketStart(bucket));
  return yield* insertIntoInner(commit, node, merged, 0, merged.times.length);
}
