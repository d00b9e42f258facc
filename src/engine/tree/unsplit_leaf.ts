/**
 * Leaves that are not split, however many points they have: those of a few nanoseconds.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { lowerBound } from "../../core/search.ts";
import { formatTime } from "../../core/time.ts";
import { encodeBlock } from "../../kernel/encode_block.ts";
import type { BlockStore } from "./block_store.ts";
import { INNER, type InnerNode } from "./node.ts";
import type { ReadyLeaves } from "./ready_leaves.ts";
import { reduceValues } from "./stats.ts";

/**
 * Checks how many points a leaf that is not split would have, without reading it.
 *
 * @param from First new point, an index of `times`.
 * @param to New point after the last one.
 * @param most Most points of the leaf.
 * @throws {BTrDBError} 403 if it would have more.
 */
export function checkUnsplit(
  parent: InnerNode,
  bucket: number,
  times: BigInt64Array,
  from: number,
  to: number,
  most: number = Infinity,
): void {
  if (parent.counts[bucket]! + to - from > most) throw tooMany(times[from]!, most);
}

/**
 * Checks the leaf of the first of some points before anything is written: if it is one that is not split,
 * and has no room for them and those in the buffer, no commit of them can succeed.
 *
 * @param root Address of the root.
 * @param buffered Points that are committed with them, in order of time.
 * @param points Points in order of time, not empty.
 * @param most Most points of the leaf.
 * @throws {BTrDBError} 403 if it would have more.
 */
export function checkFirstLeaf(
  store: BlockStore,
  root: number,
  buffered: RawColumns,
  points: RawColumns,
  most: number,
): void {
  if (root === 0) return;
  const time = points.times[0]!;
  let node = store.readRoot(root);
  let bucket = node.clampBucket(time);
  while (node.kinds[bucket] === INNER) {
    node = store.readInner(node, bucket);
    bucket = node.clampBucket(time);
  }
  if (node.childPointwidth !== 0) return;
  const [start, end] = [node.bucketStart(bucket), node.bucketStart(bucket + 1)];
  const added = countWithin(buffered.times, start, end) + countWithin(points.times, start, end);
  if (node.counts[bucket]! + added > most) throw tooMany(time, most);
}

/** Points of a leaf up to which it is made in one step. */
export const STEP_POINTS = 65_536;

/** Makes a leaf of very many points ahead. Yields where it may pause. */
export function* longLeaf(
  points: RawColumns,
  from: number,
  to: number,
): Generator<undefined, ReadyLeaves> {
  yield;
  const stats = reduceValues(points.values, from, to);
  yield;
  const leaf = { stats, content: encodeBlock(points, from, to) };
  yield;
  return { leaf: () => leaf, end: () => {} };
}

/** Number of ascending times in `[start, end)`. */
function countWithin(times: BigInt64Array, start: bigint, end: bigint): number {
  const from = lowerBound(times, start);
  return lowerBound(times, end, from) - from;
}

function tooMany(time: bigint, most: number): BTrDBError {
  return new BTrDBError(
    `Cannot insert: the stream would have more than ${most} points at ${formatTime(time)}, ` +
      "or within 4 ns of it",
    { code: ErrorCode.InsertFailure },
  );
}
