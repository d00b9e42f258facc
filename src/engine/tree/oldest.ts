/**
 * The oldest points of a version: whether there are any before a time, and how many.
 *
 * @module
 */

import { lowerBound } from "../../core/search.ts";
import { FANOUT } from "../constants.ts";
import type { BlockStore } from "./block_store.ts";
import type { VersionTree } from "./late_store.ts";
import { ABSENT, INNER, type InnerNode } from "./node.ts";

/**
 * The time of the oldest point of a version; `undefined` if it has none. Reads one path of the tree.
 */
export function oldestTime(store: BlockStore, { root, late }: VersionTree): bigint | undefined {
  const inTree = root === 0 ? undefined : oldestBelow(store, store.readRoot(root));
  const [first] = late.times;
  if (first === undefined) return inTree;
  return inTree === undefined || first < inTree ? first : inTree;
}

function oldestBelow(store: BlockStore, node: InnerNode): bigint | undefined {
  const b = node.kinds.findIndex((kind) => kind !== ABSENT);
  if (b < 0) return undefined;
  return node.kinds[b] === INNER
    ? oldestBelow(store, store.readInner(node, b))
    : store.readLeaf(node, b).times[0];
}

/**
 * Tells whether a version has points before a time. Reads no more of the tree than the bounds of its
 * nodes leave open.
 */
export function hasBefore(store: BlockStore, { root, late }: VersionTree, end: bigint): boolean {
  const [first] = late.times;
  if (first !== undefined && first < end) return true;
  return root !== 0 && isOlderBelow(store, store.readRoot(root), end);
}

function isOlderBelow(store: BlockStore, node: InnerNode, end: bigint): boolean {
  const b = node.kinds.findIndex((kind) => kind !== ABSENT);
  if (b < 0 || node.bucketStart(b) >= end) return false;
  if (node.bucketStart(b + 1) <= end) return true;
  return node.kinds[b] === INNER
    ? isOlderBelow(store, store.readInner(node, b), end)
    : store.readLeaf(node, b).times[0]! < end;
}

/** Number of points of a version before a time. */
export function countBefore(store: BlockStore, { root, late }: VersionTree, end: bigint): number {
  const inTree = root === 0 ? 0 : countBelow(store, store.readRoot(root), end);
  return inTree + lowerBound(late.times, end);
}

function countBelow(store: BlockStore, node: InnerNode, end: bigint): number {
  let count = 0;
  for (let b = 0; b < FANOUT && node.bucketStart(b) < end; b++) {
    const kind = node.kinds[b]!;
    if (kind === ABSENT) continue;
    if (node.bucketStart(b + 1) <= end) count += node.counts[b]!;
    else if (kind === INNER) count += countBelow(store, store.readInner(node, b), end);
    else count += lowerBound(store.readLeaf(node, b).times, end);
  }
  return count;
}
