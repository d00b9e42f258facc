/**
 * Inserts points into the tree. Every node on the way is written anew; the rules for when a bucket
 * becomes a leaf and when a leaf becomes an inner node are the real server's (docs/protocol.md,
 * "The tree"), because `changes` shows the extents of nodes.
 *
 * Points of several versions may be inserted at once. The nodes are then those that one version after
 * the other would have made.
 *
 * @module
 */

import { emptyRaw, type RawColumns, sliceRaw } from "../../core/columns.ts";
import { gallop } from "../../core/search.ts";
import { LEAF_POINTS, ROOT_POINTWIDTH, ROOT_START } from "../constants.ts";
import { lateOf, type LatePoints, mergeLate, sliceLate } from "./late_points.ts";
import { mergeRunsInSteps } from "./merge_runs.ts";
import { ABSENT, type ChildRef, INNER, InnerNode, type Leaf } from "./node.ts";
import type { BlockStore } from "./block_store.ts";
import type { ReadyLeaves } from "./ready_leaves.ts";
import { checkUnsplit, longLeaf, STEP_POINTS } from "./unsplit_leaf.ts";

/** Nodes below a root. */
export interface NodeStore {
  readInner(parent: InnerNode, bucket: number): InnerNode;
  readLeaf(parent: InnerNode, bucket: number): Leaf;
  writeInner(node: InnerNode): ChildRef;
  writeLeaf(points: RawColumns, from: number, to: number, ready?: ReadyLeaves): ChildRef;
}

/** A commit as far as it concerns what is below a node. */
export interface NodeCommit {
  readonly store: NodeStore;
  /** The version it makes. */
  readonly major: number;
  /** Times, ascending, at which stored points make way for the new one. */
  readonly replaced: BigInt64Array;
  /** Leaves of the points that may have been made ahead. */
  readonly ready?: ReadyLeaves | undefined;
  /** Points of a leaf that is not split, above which this fails. Absent: any number. */
  readonly unsplitPoints?: number;
}

/** One commit under way. */
export interface Commit extends NodeCommit {
  readonly store: BlockStore;
}

/** Points in order of time; without versions of their own they are of the commit's. */
export type InsertedPoints = RawColumns | LatePoints;

/**
 * Inserts points; a generator, so that a long insert can pause between nodes, and while many points
 * are merged with those of a leaf.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param points Not empty.
 * @returns Address of the new root.
 */
export function* insertIntoTree(
  commit: Commit,
  root: number,
  points: InsertedPoints,
): Generator<undefined, number> {
  const node = root === 0
    ? new InnerNode(ROOT_POINTWIDTH, ROOT_START)
    : commit.store.readRoot(root).clone();
  const ref = yield* insertIntoInner(commit, node, points, 0, points.times.length);
  return ref.address;
}

/** Inserts the points `[from, to)` into an inner node that is new in this commit, and writes it. */
function* insertIntoInner(
  commit: NodeCommit,
  node: InnerNode,
  points: InsertedPoints,
  from: number,
  to: number,
): Generator<undefined, ChildRef> {
  let at = from;
  while (at < to) {
    const bucket = node.clampBucket(points.times[at]!);
    const next = gallop(points.times, node.bucketStart(bucket + 1), at, to);
    const child = yield* insertIntoBucket(commit, node, bucket, points, at, next);
    const latest = "majors" in points ? largest(points.majors, at, next) : commit.major;
    node.setChild(bucket, child, Math.max(latest, node.generations[bucket]!));
    at = next;
  }
  return commit.store.writeInner(node);
}

/** Inserts the points `[from, to)`, all of one bucket, below it. */
export function* insertIntoBucket(
  commit: NodeCommit,
  parent: InnerNode,
  bucket: number,
  points: InsertedPoints,
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
  if (pointwidth === 0) checkUnsplit(parent, bucket, points.times, from, to, commit.unsplitPoints);
  yield;
  const leaf = kind === ABSENT ? NO_POINTS : store.readLeaf(parent, bucket);
  const stored = leaf.times.length;
  if (stored > STEP_POINTS) yield;
  const fits = pointwidth === 0 ||
    stored + to - from <= (isNewNode(stored, points, from, to) ? LEAF_POINTS - 1 : LEAF_POINTS);
  if (!fits && "majors" in points) {
    const node = new InnerNode(pointwidth, parent.bucketStart(bucket));
    const all = splitBy(leaf, sliceLate(points, from, to));
    return yield* insertIntoInner(commit, node, all, 0, all.times.length);
  }
  if (stored === 0 && fits) {
    const ready = to - from > STEP_POINTS ? yield* longLeaf(points, from, to) : commit.ready;
    return store.writeLeaf(points, from, to, ready);
  }
  const merged = yield* mergeRunsInSteps(leaf, sliceRaw(points, from, to), commit.replaced);
  const n = merged.times.length;
  if (fits || (stored > 0 && n <= LEAF_POINTS)) {
    const ready = n > STEP_POINTS ? yield* longLeaf(merged, 0, n) : undefined;
    return store.writeLeaf(merged, 0, n, ready);
  }
  const node = new InnerNode(pointwidth, parent.bucketStart(bucket));
  return yield* insertIntoInner(commit, node, merged, 0, n);
}

const NO_POINTS: RawColumns = emptyRaw();

/**
 * Tells whether points come into an empty bucket with one version: then a leaf has to have room for
 * one more.
 */
function isNewNode(stored: number, points: InsertedPoints, from: number, to: number): boolean {
  if (stored > 0) return false;
  if (!("majors" in points)) return true;
  const first = smallest(points.majors, from, to);
  let n = 0;
  for (let i = from; i < to; i++) if (points.majors[i] === first) n++;
  return n >= LEAF_POINTS;
}

/**
 * The points of a leaf and those that make an inner node of it: with the version that does, all that
 * were there before are inserted anew.
 */
function splitBy(leaf: RawColumns, points: LatePoints): LatePoints {
  const majors = points.majors.toSorted();
  const stored = leaf.times.length;
  const isNew = isNewNode(stored, points, 0, majors.length);
  const splits = isNew ? majors[0]! : majors[LEAF_POINTS - stored]!;
  const clamped = { ...points, majors: points.majors.map((major) => Math.max(major, splits)) };
  return mergeLate(lateOf(leaf, splits), clamped);
}

function largest(majors: Float64Array, from: number, to: number): number {
  let found = majors[from]!;
  for (let i = from + 1; i < to; i++) if (majors[i]! > found) found = majors[i]!;
  return found;
}

function smallest(majors: Float64Array, from: number, to: number): number {
  let found = majors[from]!;
  for (let i = from + 1; i < to; i++) if (majors[i]! < found) found = majors[i]!;
  return found;
}
