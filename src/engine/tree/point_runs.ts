/**
 * Runs of points in order of time: those of the leaves, and of what is beside the tree.
 *
 * @module
 */

import { type RawColumns, sliceRaw } from "../../core/columns.ts";
import { gallop, lowerBound } from "../../core/search.ts";
import type { BlockStore, LeafSpace } from "./block_store.ts";
import { mergeRuns } from "./merge_runs.ts";
import { INNER, type InnerNode, LEAF } from "./node.ts";

/** A run of points, `[from, to)` of some columns. */
export interface Run {
  columns: RawColumns;
  from: number;
  to: number;
}

/** The place of a walk through a tree. */
export interface TreePlace {
  /** The node above the leaf that was read last. */
  parent?: InnerNode;
}

/** A walk over leaves. */
export interface Walk {
  readonly start: bigint;
  readonly end: bigint;
  /** Leaves that are read at once. */
  readonly leaves: number;
  /** Memory into which they are decoded. */
  readonly room: LeafSpace;
  readonly place: TreePlace;
}

/**
 * The runs of a tree and of points beside it; at equal times those of the tree come first, then the
 * others in their order. Each is valid until the next one is taken. Yields `undefined` where it may
 * pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param beside Sorted points beside the tree.
 */
export function pointRuns(
  store: BlockStore,
  root: number,
  beside: readonly RawColumns[],
  walk: Walk,
): Iterable<Run | undefined> {
  let runs: Iterable<Run | undefined> = root === 0 ? [] : runsFrom(store, root, walk);
  for (const points of beside) runs = withPoints(runs, points, walk.start, walk.end);
  return runs;
}

/** Runs in order of time, and the points of others in `[start, end)` where they belong. */
function* withPoints(
  runs: Iterable<Run | undefined>,
  points: RawColumns,
  start: bigint,
  end: bigint,
): Generator<Run | undefined> {
  const { times } = points;
  let at = lowerBound(times, start);
  const last = lowerBound(times, end, at);
  for (const run of runs) {
    if (run === undefined || at === last) {
      yield run;
      continue;
    }
    const { columns, from, to } = run;
    const ahead = lowerBound(times, columns.times[from]!, at, last);
    if (ahead > at) yield { columns: points, from: at, to: ahead };
    at = lowerBound(times, columns.times[to - 1]!, ahead, last);
    if ((at - ahead) * FEW > to - from) {
      const merged = mergeRuns(sliceRaw(columns, from, to), sliceRaw(points, ahead, at));
      yield { columns: merged, from: 0, to: merged.times.length };
    } else yield* interleave(run, { columns: points, from: ahead, to: at });
  }
  if (at < last) yield { columns: points, from: at, to: last };
}

/** Points among which another one is few enough to be put there by itself. */
const FEW = 8;

/** The pieces of two runs in order of time; at equal times those of `a` come first. */
function* interleave(a: Run, b: Run): Generator<Run> {
  let { from } = a;
  for (let at = b.from, next: number; at < b.to; at = next) {
    const ahead = gallop(a.columns.times, b.columns.times[at]! + 1n, from, a.to);
    if (ahead > from) yield { columns: a.columns, from, to: ahead };
    from = ahead;
    next = from === a.to ? b.to : gallop(b.columns.times, a.columns.times[from]!, at, b.to);
    yield { columns: b.columns, from: at, to: next };
  }
  if (from < a.to) yield { columns: a.columns, from, to: a.to };
}

/** The runs of a tree, the leaves around the place where a walk was before without a descent. */
function* runsFrom(store: BlockStore, root: number, walk: Walk): Generator<Run | undefined> {
  const { parent } = walk.place;
  let { start } = walk;
  if (parent !== undefined && parent.start <= start && start < parent.end) {
    yield* leafRuns(store, parent, walk);
    start = parent.end;
  }
  if (start < walk.end) yield* leafRuns(store, store.readRoot(root), { ...walk, start });
}

/** The runs of the leaves below an inner node; each is valid until the next one is taken. */
function* leafRuns(store: BlockStore, node: InnerNode, walk: Walk): Generator<Run | undefined> {
  const { start, end } = walk;
  const first = node.clampBucket(start);
  const last = node.clampBucket(end - 1n);
  let b = first;
  while (b <= last) {
    const kind = node.kinds[b]!;
    if (kind === LEAF) {
      walk.place.parent = node;
      for (const columns of store.readLeaves(node, b, last, walk.leaves, walk.room)) {
        const inner = b > first && b < last;
        const from = inner ? 0 : lowerBound(columns.times, start);
        const to = inner ? columns.times.length : lowerBound(columns.times, end, from);
        if (from < to) yield { columns, from, to };
        b++;
      }
      yield undefined;
      continue;
    }
    if (kind === INNER) {
      yield* leafRuns(store, store.readInner(node, b), walk);
    }
    b++;
  }
}
