/**
 * Finds which points of a commit are better kept beside the tree: those that are few among many in
 * the leaves they belong to.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { gallop } from "../../core/search.ts";
import type { BlockStore } from "./block_store.ts";
import type { TimeRange } from "./late_points.ts";
import { ABSENT, INNER, type InnerNode, LEAF } from "./node.ts";

/** When points are kept beside the tree. */
export interface LateLimits {
  /** Points are few in a leaf that has as many times more. */
  readonly ratio: number;
  /** Leaves with few new points, below which all points go into the tree at once. */
  readonly leaves: number;
  /** Points beside a tree, at least, before any are moved into it. */
  readonly least: number;
  /** The same, of a tree with very many points. */
  readonly most: number;
  /** Points of the tree for each beside it, between these two. */
  readonly part: number;
  /** Leaves before all new points that are moved together, at least. */
  readonly batch: number;
  /** Late points in each of these leaves, on average, at least. */
  readonly dense: number;
}

/** The limits outside of tests. */
export const LATE_LIMITS: LateLimits = {
  ratio: 8,
  leaves: 32,
  least: 8192,
  most: 524_288,
  part: 16,
  batch: 16,
  dense: 4,
};

/** Points `[from, to)` of a commit. */
export type IndexRange = readonly [number, number];

/** Points of a commit, as ranges of their indices, ascending. */
export interface LatePlan {
  /** Points in leaves that have late points already. */
  readonly forced: readonly IndexRange[];
  /** Ranges of those leaves. */
  readonly leaves: readonly TimeRange[];
  /** Points that are few in a leaf that has none. */
  readonly sparse: readonly IndexRange[];
}

/** A plan under way. */
interface Planning {
  readonly store: BlockStore;
  readonly times: BigInt64Array;
  readonly late: BigInt64Array;
  /** Index of the first late time that is not before the bucket looked at last. */
  lateAt: number;
  readonly ratio: number;
  readonly forced: IndexRange[];
  readonly leaves: TimeRange[];
  readonly sparse: IndexRange[];
}

/**
 * Looks for the places of points in a tree. Yields where it may pause.
 *
 * @param root Address of the root.
 * @param points In order of time.
 * @param late Points that are beside the tree.
 */
export function* planLate(
  store: BlockStore,
  root: number,
  { times }: RawColumns,
  late: RawColumns,
  { ratio }: LateLimits,
): Generator<undefined, LatePlan> {
  const forced: IndexRange[] = [], leaves: TimeRange[] = [], sparse: IndexRange[] = [];
  const planning = { store, times, late: late.times, lateAt: 0, ratio, forced, leaves, sparse };
  yield* planInner(planning, store.readRoot(root), 0, times.length);
  return { forced, leaves, sparse };
}

function* planInner(
  planning: Planning,
  node: InnerNode,
  from: number,
  to: number,
): Generator<undefined> {
  const { store, times, ratio } = planning;
  const width = 1n << BigInt(node.pointwidth);
  let b = -1, end = node.start;
  for (let at = from, next: number; at < to; at = next) {
    let start = end;
    // The next bucket, most of the time.
    if (times[at]! < end + width) b++;
    else {
      b = node.clampBucket(times[at]!);
      start = node.bucketStart(b);
    }
    end = start + width;
    next = gallop(times, end, at, to);
    const kind = node.kinds[b]!;
    if (kind === INNER) {
      yield;
      yield* planInner(planning, store.readInner(node, b), at, next);
    } else if (hasLate(planning, start, end)) {
      planning.forced.push([at, next]);
      planning.leaves.push({ start, end });
    } else if (kind === LEAF && node.pointwidth > 2) {
      if ((next - at) * ratio <= node.counts[b]!) planning.sparse.push([at, next]);
    }
  }
}

/** Tells whether a bucket has late points; buckets are asked for in order of time. */
function hasLate(planning: Planning, start: bigint, end: bigint): boolean {
  const { late } = planning;
  const at = planning.lateAt = gallop(late, start, planning.lateAt, late.length);
  return at < late.length && late[at]! < end;
}

/** The bucket of a time that has no inner node below it. */
export function leafBucketAt(store: BlockStore, root: number, time: bigint): TimeRange {
  let node = store.readRoot(root);
  for (;;) {
    const b = node.clampBucket(time);
    if (node.kinds[b] !== INNER) {
      return { start: node.bucketStart(b), end: node.bucketStart(b + 1) };
    }
    node = store.readInner(node, b);
  }
}

/**
 * Tells whether all late points belong to leaves that are there, as they do unless a file was changed
 * by hand. Yields where it may pause.
 */
export function* areInLeaves(
  store: BlockStore,
  root: number,
  { times }: RawColumns,
): Generator<undefined, boolean> {
  return yield* areBelow(store, store.readRoot(root), times, 0, times.length);
}

function* areBelow(
  store: BlockStore,
  node: InnerNode,
  times: BigInt64Array,
  from: number,
  to: number,
): Generator<undefined, boolean> {
  yield;
  for (let at = from, next: number; at < to; at = next) {
    const b = node.clampBucket(times[at]!);
    next = gallop(times, node.bucketStart(b + 1), at, to);
    if (node.kinds[b] === ABSENT) return false;
    if (node.kinds[b] !== INNER) continue;
    if (!(yield* areBelow(store, store.readInner(node, b), times, at, next))) return false;
  }
  return true;
}
