/**
 * What changed between versions: extents of tree nodes, as the real server reports them.
 *
 * @module
 */

import { MAX_TIME, MIN_TIME } from "../core/range.ts";
import { FANOUT } from "./constants.ts";
import { CORE, type Core } from "./node.ts";
import type { BlockStore } from "./store.ts";

/** A changed range, `[start, end)`, ns. */
export interface ChangedRange {
  start: bigint;
  end: bigint;
}

/**
 * Ranges touched after version `from`, ascending, not yet joined. An empty tree counts as changed
 * everywhere, whatever `from` is. Yields `undefined` where it may pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param from Exclusive.
 * @param resolution Descends to nodes of at most this point width.
 */
export function* changedRanges(
  store: BlockStore,
  root: number,
  from: number,
  resolution: number,
): Generator<ChangedRange | undefined> {
  if (root === 0) yield { start: MIN_TIME, end: MAX_TIME };
  else yield* changedInCore(store, store.readCore(root), from, resolution);
}

function* changedInCore(
  store: BlockStore,
  core: Core,
  from: number,
  resolution: number,
): Generator<ChangedRange | undefined> {
  yield undefined;
  const descend = core.pointwidth > resolution;
  for (let b = 0; b < FANOUT; b++) {
    if (core.generations[b]! <= from) continue;
    if (descend && core.kinds[b] === CORE) {
      yield* changedInCore(store, store.readCore(core.addresses[b]!), from, resolution);
    } else {
      yield { start: core.bucketStart(b), end: core.bucketStart(b + 1) };
    }
  }
}

/** The ranges of 2^resolution ns that hold the given times, which must be ascending. */
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
    yield { start: bucket << bits, end: (bucket + 1n) << bits };
  }
}

/** Joins ascending ranges that touch or overlap, taken from two ascending sources. */
export function* joinRanges(
  a: Iterator<ChangedRange | undefined>,
  b: Iterator<ChangedRange>,
): Generator<ChangedRange | undefined> {
  let current: ChangedRange | undefined;
  let nextA = a.next();
  let nextB = b.next();
  while (!nextA.done || !nextB.done) {
    if (!nextA.done && nextA.value === undefined) {
      yield undefined;
      nextA = a.next();
      continue;
    }
    const fromA = !nextA.done && (nextB.done || nextA.value!.start <= nextB.value.start);
    const range: ChangedRange = fromA ? nextA.value! : nextB.value!;
    if (fromA) nextA = a.next();
    else nextB = b.next();
    if (current !== undefined && range.start <= current.end) {
      if (range.end > current.end) current.end = range.end;
    } else {
      if (current !== undefined) yield current;
      current = { start: range.start, end: range.end };
    }
  }
  if (current !== undefined) yield current;
}
