/**
 * The nearest point in the tree.
 *
 * @module
 */

import type { RawPoint } from "../../core/columns.ts";
import { FANOUT } from "../constants.ts";
import { ABSENT, CORE, type Core } from "./node.ts";
import { lowerBound } from "../../core/search.ts";
import type { BlockStore } from "./block_store.ts";

/**
 * The first point at or after `time`, or, backward, the last one strictly before it.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @returns The point; `undefined` when there is none.
 */
export function nearestPoint(
  store: BlockStore,
  root: number,
  time: bigint,
  backward: boolean,
): RawPoint | undefined {
  if (root === 0) return undefined;
  const core = store.readCore(root);
  return backward ? lastBefore(store, core, time) : firstFrom(store, core, time);
}

function firstFrom(store: BlockStore, core: Core, time: bigint): RawPoint | undefined {
  for (let b = core.clampBucket(time); b < FANOUT; b++) {
    const kind = core.kinds[b]!;
    if (kind === ABSENT) continue;
    const address = core.addresses[b]!;
    if (kind === CORE) {
      const point = firstFrom(store, store.readCore(address), time);
      if (point !== undefined) return point;
      continue;
    }
    const { times, values } = store.readLeaf(address);
    const i = lowerBound(times, time);
    if (i < times.length) return { time: times[i]!, value: values[i]! };
  }
  return undefined;
}

function lastBefore(store: BlockStore, core: Core, time: bigint): RawPoint | undefined {
  if (time <= core.start) return undefined;
  for (let b = core.clampBucket(time - 1n); b >= 0; b--) {
    const kind = core.kinds[b]!;
    if (kind === ABSENT) continue;
    const address = core.addresses[b]!;
    if (kind === CORE) {
      const point = lastBefore(store, store.readCore(address), time);
      if (point !== undefined) return point;
      continue;
    }
    const { times, values } = store.readLeaf(address);
    const i = lowerBound(times, time) - 1;
    if (i >= 0) return { time: times[i]!, value: values[i]! };
  }
  return undefined;
}
