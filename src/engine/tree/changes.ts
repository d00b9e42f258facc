/**
 * Changes between versions: extents of tree nodes, in the order in which the real server
 * reports them (docs/protocol.md, "Changes"). It walks the tree in order of time, but every node
 * holds back the range it is extending while its children send theirs, so a range can come after
 * later ones.
 *
 * @module
 */

import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import { gallop, lowerBound } from "../../core/search.ts";
import { FANOUT } from "../constants.ts";
import type { NodeStore } from "./insert.ts";
import { type LatePoints, NO_LATE } from "./late_points.ts";
import { splitLeaf } from "./late_split.ts";
import { INNER, type InnerNode } from "./node.ts";
import type { BlockStore } from "./block_store.ts";

/** A changed range, `[start, end)`, ns. */
export interface ChangedRange {
  start: bigint;
  end: bigint;
}

/**
 * Ranges touched after version `from`. Neighbours that follow one another are joined. An empty tree
 * counts as changed everywhere, whatever `from` is. Yields `undefined` where it may pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param late Points beside the tree.
 * @param from Exclusive.
 * @param resolution Descends to nodes of at most this pointwidth.
 */
export function* changedRanges(
  store: BlockStore,
  root: number,
  late: LatePoints,
  from: number,
  resolution: number,
): Generator<ChangedRange | undefined> {
  if (root === 0) {
    yield { start: MIN_TIME, end: MAX_TIME };
    return;
  }
  let current: ChangedRange | undefined;
  for (const range of walk({ store, from, resolution, late }, store.readRoot(root))) {
    if (range === undefined) {
      yield undefined;
    } else if (range.start === current?.end) {
      current.end = range.end;
    } else {
      if (current !== undefined) yield current;
      current = { ...range };
    }
  }
  if (current !== undefined) yield current;
}

/** A request, and the nodes and points that answer it. */
interface Question {
  readonly store: NodeStore;
  readonly from: number;
  readonly resolution: number;
  readonly late: LatePoints;
}

function* walk(
  question: Question,
  node: InnerNode,
): Generator<ChangedRange | undefined> {
  const last = yield* changedInInner(question, node);
  if (last !== undefined) yield last;
}

/** Yields all changed ranges of an inner node but the one it is extending, which it returns. */
function* changedInInner(
  question: Question,
  node: InnerNode,
): Generator<ChangedRange | undefined, ChangedRange | undefined> {
  yield undefined;
  const { store, from, resolution, late } = question;
  const descend = node.pointwidth > resolution;
  let held: ChangedRange | undefined;
  const n = late.times.length;
  let at = lowerBound(late.times, node.start);
  for (let b = 0; b < FANOUT; b++) {
    const first = at;
    if (at < n) at = gallop(late.times, node.bucketStart(b + 1), at, n);
    if (node.generations[b]! <= from && !hasNew(late, first, at, from)) continue;
    let below: Question | undefined;
    let child: InnerNode | undefined;
    if (descend && node.kinds[b] === INNER) {
      below = question;
      child = store.readInner(node, b);
    } else if (descend) {
      const split = yield* splitLeaf(store, node, b, late, first, at);
      if (split !== undefined) below = { ...question, store: split.store, late: NO_LATE };
      child = split?.node;
    }
    const range = below !== undefined && child !== undefined
      ? yield* changedInInner(below, child)
      : { start: node.bucketStart(b), end: node.bucketStart(b + 1) };
    if (range === undefined) continue;
    if (held === undefined) {
      held = range;
    } else if (range.start === held.end) {
      held = { start: held.start, end: range.end };
    } else {
      yield held;
      held = range;
    }
  }
  return held;
}

/** Tells whether one of the points `[from, to)` came after a version. */
function hasNew({ majors }: LatePoints, from: number, to: number, version: number): boolean {
  for (let i = from; i < to; i++) if (majors[i]! > version) return true;
  return false;
}

const MAX_INT64 = (1n << 63n) - 1n;

/**
 * The ranges of 2^resolution ns that hold the given times, which must be ascending. The widest one,
 * [0, 2^63), ends 1 ns earlier to fit into 64 bits.
 */
export function* rangesOfTimes(
  times: BigInt64Array,
  resolution: number,
): Generator<ChangedRange> {
  const bits = BigInt(resolution);
  let last: bigint | undefined;
  for (let i = 0; i < times.length; i++) {
    const bucket = times[i]! >> bits;
    if (bucket === last) continue;
    last = bucket;
    const end = (bucket + 1n) << bits;
    yield { start: bucket << bits, end: end > MAX_INT64 ? MAX_INT64 : end };
  }
}

/**
 * Changed ranges of the tree and of the buffer as one sequence: a range that touches or overlaps
 * the one under way is joined with it, whichever side of it it lies on.
 */
export function* joinRanges(
  tree: Iterable<ChangedRange | undefined>,
  buffer: Iterable<ChangedRange>,
): Generator<ChangedRange | undefined> {
  const right = buffer[Symbol.iterator]();
  let nextRight = right.next();
  let current: ChangedRange | undefined;
  for (const left of tree) {
    if (left === undefined) {
      yield undefined;
      continue;
    }
    for (;;) {
      if (current === undefined) {
        const takeRight = !nextRight.done && nextRight.value.start <= left.start;
        current = takeRight ? nextRight.value : left;
        if (!takeRight) break;
        nextRight = right.next();
      } else if (touch(current, left)) {
        current = union(current, left);
        break;
      } else if (!nextRight.done && touch(current, nextRight.value)) {
        current = union(current, nextRight.value);
        nextRight = right.next();
      } else {
        yield current;
        current = undefined;
      }
    }
  }
  for (; !nextRight.done; nextRight = right.next()) {
    if (current === undefined) current = nextRight.value;
    else if (touch(current, nextRight.value)) current = union(current, nextRight.value);
    else {
      yield current;
      current = nextRight.value;
    }
  }
  if (current !== undefined) yield current;
}

function touch(a: ChangedRange, b: ChangedRange): boolean {
  return a.end >= b.start && b.end >= a.start;
}

function union(a: ChangedRange, b: ChangedRange): ChangedRange {
  return { start: a.start < b.start ? a.start : b.start, end: a.end > b.end ? a.end : b.end };
}
