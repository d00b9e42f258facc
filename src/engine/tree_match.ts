/**
 * Looking up many exact times in the tree at once.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { ABSENT, CORE, type Core } from "./node.ts";
import { gallop, lowerBound } from "./search.ts";
import type { BlockStore } from "./store.ts";

/**
 * The points of the tree that stand at one of the given times, as runs in order of time.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param times Ascending.
 */
export function pointsAt(store: BlockStore, root: number, times: BigInt64Array): RawColumns[] {
  const runs: RawColumns[] = [];
  if (root !== 0) matchCore(store, store.readCore(root), times, 0, times.length, runs);
  return runs;
}

function matchCore(
  store: BlockStore,
  core: Core,
  times: BigInt64Array,
  from: number,
  to: number,
  runs: RawColumns[],
): void {
  let at = from;
  while (at < to) {
    const b = core.clampBucket(times[at]!);
    const next = gallop(times, core.bucketStart(b + 1), at, to);
    const kind = core.kinds[b]!;
    if (kind === CORE) {
      matchCore(store, store.readCore(core.addresses[b]!), times, at, next, runs);
    } else if (kind !== ABSENT) {
      matchRun(store.readLeaf(core.addresses[b]!), times, at, next, runs);
    }
    at = next;
  }
}

/** The points of a sorted run at one of the times `[from, to)`. */
export function matchRun(
  run: RawColumns,
  times: BigInt64Array,
  from: number,
  to: number,
  runs: RawColumns[],
): void {
  let low = 0;
  for (let i = from; i < to; i++) {
    const time = times[i]!;
    if (i > from && time === times[i - 1]) continue;
    low = gallop(run.times, time, low, run.times.length);
    const high = lowerBound(run.times, time + 1n, low);
    if (high > low) {
      runs.push({ times: run.times.subarray(low, high), values: run.values.subarray(low, high) });
    }
    low = high;
  }
}
