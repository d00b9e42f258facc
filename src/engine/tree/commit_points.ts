/**
 * Makes a new version from another one, by adding or removing points. Points that are few among
 * many in their leaves are kept beside the tree and moved into it later, when they have become more.
 * The tree, with what is beside it, is then the same that it would be without.
 *
 * @module
 */

import { concatRaw, type RawColumns, sliceRaw } from "../../core/columns.ts";
import { MAX_TIME } from "../../core/range.ts";
import { lowerBound } from "../../core/search.ts";
import { deleteFromTree } from "./delete.ts";
import { type Commit, insertIntoTree } from "./insert.ts";
import {
  type IndexRange,
  type LateLimits,
  type LatePlan,
  leafBucketAt,
  planLate,
} from "./late_plan.ts";
import {
  lateOf,
  type LatePoints,
  mergeLate,
  NO_LATE,
  splitLate,
  type TimeRange,
} from "./late_points.ts";
import { FIRST_CURSOR, type LateStore, type VersionTree } from "./late_store.ts";
import { replacedBlocks } from "./replaced_blocks.ts";
import type { BlockStore } from "./block_store.ts";

/** A commit under way, with what is beside the tree. */
export interface VersionCommit extends Commit {
  readonly versions: LateStore;
  readonly limits: LateLimits;
}

/**
 * Inserts points; a generator, so that a long insert can pause between nodes.
 *
 * @param address Address of the version before, 0 for none.
 * @param points In order of time, not empty.
 * @returns Address of the new version.
 */
export function* insertIntoVersion(
  commit: VersionCommit,
  address: number,
  points: RawColumns,
): Generator<undefined, number> {
  const { store, versions, limits, major } = commit;
  const from = versions.open(address);
  if (from.root === 0) return yield* insertIntoTree(commit, 0, points);
  const plan = yield* planLate(store, from.root, points, from.late, limits);
  const kept = joinRanges(plan.forced, plan.sparse.length >= limits.leaves ? plan.sparse : []);
  if (kept.length === 0 && from.list === undefined) {
    return yield* insertIntoTree(commit, from.root, points);
  }
  if (commit.replaced.length > 0 || mayOverflow(store, from.root, points)) {
    return yield* insertAll(commit, from, points, plan);
  }
  const { within, others } = splitAt(points, kept);
  const added = lateOf(within, major);
  const all = mergeLate(from.late, added);
  const { ranges, cursor } = rangesToMove(commit, from, all.times, added.times[0]);
  const moved = splitLate(all, ranges);
  const root = yield* insertAfter(commit, from.root, moved.within, function* (root) {
    return others.times.length === 0 ? root : yield* insertIntoTree(commit, root, others);
  });
  versions.forget(address);
  return versions.write(from, root, {
    late: moved.others,
    added: splitLate(added, ranges).others,
    emptied: ranges,
    cursor,
  });
}

/** Inserts all points into the tree, and before them the late points of the leaves they come to. */
function* insertAll(
  commit: VersionCommit,
  from: VersionTree,
  points: RawColumns,
  plan: LatePlan,
): Generator<undefined, number> {
  return yield* moveAnd(commit, from, plan.leaves, plan.leaves, function* (root) {
    return yield* insertIntoTree(commit, root, points);
  });
}

/**
 * Deletes the points in `[start, end)`.
 *
 * @param address Address of the version before, 0 for none.
 * @returns Address of the new version, 0 when nothing is left.
 */
export function* deleteFromVersion(
  commit: VersionCommit,
  address: number,
  start: bigint,
  end: bigint,
): Generator<undefined, number> {
  const from = commit.versions.open(address);
  if (from.list === undefined) return deleteFromTree(commit, from.root, start, end);
  // The leaves at both ends are written anew, those between are removed with what belongs to them.
  const first = leafBucketAt(commit.store, from.root, start);
  const last = leafBucketAt(commit.store, from.root, end);
  const ends = first.start === last.start ? [first] : [first, last];
  const emptied = { start: first.start, end: last.end };
  return yield* moveAnd(commit, from, ends, [emptied], function* (root) {
    yield;
    return deleteFromTree(commit, root, start, end);
  });
}

/**
 * Moves late points to the tree, then changes the tree.
 *
 * @param moved Ranges in which they are moved, ascending.
 * @param emptied Ranges in which no late points are left, these included.
 * @param change Makes another root of one.
 */
function* moveAnd(
  commit: VersionCommit,
  from: VersionTree,
  moved: readonly TimeRange[],
  emptied: readonly TimeRange[],
  change: (root: number) => Generator<undefined, number>,
): Generator<undefined, number> {
  const { within } = splitLate(from.late, moved);
  const changed = yield* insertAfter(commit, from.root, within, change);
  const { others: late } = splitLate(from.late, emptied);
  const cursor = from.list?.cursor ?? FIRST_CURSOR;
  return commit.versions.write(from, changed, { late, added: NO_LATE, emptied, cursor });
}

/**
 * Inserts late points, then changes the tree.
 *
 * @param root Address of the root before.
 * @param change Makes another root of one.
 * @returns Address of the last root.
 */
function* insertAfter(
  commit: VersionCommit,
  root: number,
  late: LatePoints,
  change: (root: number) => Generator<undefined, number>,
): Generator<undefined, number> {
  if (late.times.length === 0) return yield* change(root);
  const { store } = commit;
  const next = store.nextAddress;
  const first = yield* insertIntoTree({ ...commit, replaced: NO_TIMES }, root, late);
  const changed = yield* change(first);
  // What the first step wrote and the second one replaced belongs to no version.
  const read = (address: number) => store.innerAt(address);
  for (const address of replacedBlocks(read, read, first, changed, next)) {
    if (address === undefined) yield;
    else store.remove(address);
  }
  return changed;
}

const NO_TIMES = new BigInt64Array(0);

/** Ranges of indices of two ascending lists in their order, neighbours as one. */
function joinRanges(a: readonly IndexRange[], b: readonly IndexRange[]): IndexRange[] {
  const joined: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const isA = j === b.length || (i < a.length && a[i]![0] < b[j]![0]);
    const range = isA ? a[i++]! : b[j++]!;
    const last = joined.at(-1);
    if (last?.[1] === range[0]) last[1] = range[1];
    else joined.push([range[0], range[1]]);
  }
  return joined;
}

/**
 * Points as those in some ranges of indices, in columns of their own because they are remembered, and
 * the others.
 */
function splitAt(
  points: RawColumns,
  ranges: readonly IndexRange[],
): { within: RawColumns; others: RawColumns } {
  const within: RawColumns[] = [], others: RawColumns[] = [];
  let at = 0;
  for (const [from, to] of ranges) {
    if (from > at) others.push(sliceRaw(points, at, from));
    within.push(sliceRaw(points, from, to));
    at = to;
  }
  if (at < points.times.length) others.push(sliceRaw(points, at, points.times.length));
  return {
    within: concatRaw(within),
    others: others.length === 1 ? others[0]! : concatRaw(others),
  };
}

/**
 * The ranges of late points that are to be moved to the tree, so that no more are left than may be:
 * whole leaves, one after the other, from where it was left off the last time.
 *
 * @param times Of all late points.
 * @param firstNew The first time that is new; absent if none is.
 */
function rangesToMove(
  { store, limits }: VersionCommit,
  { root, list }: VersionTree,
  times: BigInt64Array,
  firstNew: bigint | undefined,
): { ranges: TimeRange[]; cursor: bigint } {
  let cursor = list?.cursor ?? FIRST_CURSOR;
  const { count } = store.readRoot(root).stats;
  const most = Math.min(limits.most, Math.max(limits.least, Math.floor(count / limits.part)));
  let excess = times.length - most;
  const ranges: TimeRange[] = [];
  if (excess <= 0) {
    const quiet = quietLeaves(store, root, times, firstNew ?? MAX_TIME, limits);
    if (quiet !== undefined) ranges.push(quiet);
  }
  while (excess > 0) {
    const next = lowerBound(times, cursor);
    const at = next < times.length ? next : 0;
    const { start } = leafBucketAt(store, root, times[at]!);
    const last = times[Math.min(times.length - 1, at + excess - 1)]!;
    const { end } = leafBucketAt(store, root, last);
    ranges.push({ start, end });
    const from = lowerBound(times, start);
    excess -= lowerBound(times, end, from) - from;
    cursor = end;
  }
  return { ranges: ranges.sort((a, b) => a.start < b.start ? -1 : 1), cursor };
}

/**
 * The first leaves with late points, as far as nothing new has come to them, if they are worth being
 * written anew.
 *
 * @param end Time at which something new has come.
 */
function quietLeaves(
  store: BlockStore,
  root: number,
  times: BigInt64Array,
  end: bigint,
  { batch, dense }: LateLimits,
): TimeRange | undefined {
  let range: TimeRange | undefined;
  let at = 0, leaves = 0;
  while (at < times.length && leaves < MOST_QUIET) {
    const leaf = leafBucketAt(store, root, times[at]!);
    if (leaf.end > end) break;
    range = { start: range?.start ?? leaf.start, end: leaf.end };
    at = lowerBound(times, leaf.end, at);
    leaves++;
  }
  return leaves >= batch && at >= dense * leaves ? range : undefined;
}

/** Most leaves that are looked at, and moved, because they are quiet. */
const MOST_QUIET = 256;

/** Tells whether sums of values may overflow: then it matters which are added first. */
function mayOverflow(store: BlockStore, root: number, { values }: RawColumns): boolean {
  const { count, min, max } = store.readRoot(root).stats;
  let most = Math.max(-min, max);
  for (let at = 0; at < values.length; at += SHORT_RUN) {
    most = Math.max(most, largestOf(values, at, Math.min(values.length, at + SHORT_RUN)));
  }
  return !Number.isFinite(2 * most * (count + values.length));
}

/** Values that are looked at in one call: short enough for the call to be compiled while it counts. */
const SHORT_RUN = 4096;

/** The largest magnitude of some values. */
function largestOf(values: Float64Array, from: number, to: number): number {
  let largest = 0;
  for (let i = from; i < to; i++) {
    const value = Math.abs(values[i]!);
    if (value > largest) largest = value;
  }
  return largest;
}
