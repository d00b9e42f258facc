/**
 * Looking up many exact times in the tree at once.
 *
 * @module
 */

import { emptyRaw, type RawColumns } from "../../core/columns.ts";
import { GrowingColumns } from "../../kernel/growing_columns.ts";
import { ABSENT, INNER, type InnerNode } from "./node.ts";
import { gallop } from "../../core/search.ts";
import type { BlockStore } from "./block_store.ts";

/**
 * The points of the tree that stand at one of the given times, in order of time. Yields where it may
 * pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param times Ascending.
 */
export function* pointsAt(
  store: BlockStore,
  root: number,
  times: BigInt64Array,
): Generator<undefined, RawColumns> {
  if (root === 0) return NO_POINTS;
  const found = new GrowingColumns();
  yield* matchInner(store, store.readRoot(root), times, 0, times.length, found);
  return found.take();
}

function* matchInner(
  store: BlockStore,
  node: InnerNode,
  times: BigInt64Array,
  from: number,
  to: number,
  found: GrowingColumns,
): Generator<undefined> {
  let at = from;
  while (at < to) {
    const b = node.clampBucket(times[at]!);
    const next = gallop(times, node.bucketStart(b + 1), at, to);
    const kind = node.kinds[b]!;
    if (kind === INNER) {
      yield* matchInner(store, store.readInner(node, b), times, at, next, found);
    } else if (kind !== ABSENT) {
      matchRun(store.readLeaf(node, b), times, at, next, found);
      yield;
    }
    at = next;
  }
}

/**
 * The points of a sorted run at one of the times.
 *
 * @param times Ascending. Most come after all that is there, which is seen at once.
 */
export function pointsOfRun(run: RawColumns, times: BigInt64Array): RawColumns {
  const last = run.times.at(-1);
  if (last === undefined || times.length === 0 || times[0]! > last) return NO_POINTS;
  const found = new GrowingColumns();
  matchRun(run, times, 0, times.length, found);
  return found.take();
}

/** Collects the points of a sorted run at one of the times `[from, to)`, neighbours together. */
function matchRun(
  run: RawColumns,
  times: BigInt64Array,
  from: number,
  to: number,
  found: GrowingColumns,
): void {
  let first = 0, low = 0;
  const flush = () => {
    if (first < low) {
      found.append(run.times.subarray(first, low), run.values.subarray(first, low));
    }
  };
  const n = run.times.length;
  for (let i = from; i < to && low < n; i++) {
    const time = times[i]!;
    if (i > from && time === times[i - 1]) continue;
    const next = gallop(run.times, time, low, n);
    if (next > low) {
      flush();
      first = low = next;
    }
    while (low < n && run.times[low] === time) low++;
  }
  flush();
}

const NO_POINTS: RawColumns = emptyRaw();
