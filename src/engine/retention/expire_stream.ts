/**
 * Removes the expired points of one stream from all its versions.
 *
 * @module
 */

import type { Deletions } from "../file/deletions.ts";
import type { MetadataStore } from "../metadata/store.ts";
import type { Head, StreamRegistry } from "../stream/registry.ts";
import type { BlockStore } from "../tree/block_store.ts";
import type { LateStore } from "../tree/late_store.ts";
import { oldestTime } from "../tree/oldest.ts";
import type { Transaction } from "../write/transaction.ts";
import type { PointWriter } from "../write/point_writer.ts";
import type { Reclaimer } from "../write/reclaimer.ts";
import type { RetentionRules } from "./rules.ts";

/** Parts of an open database that points expire with. */
export interface ExpiryStores {
  readonly streams: StreamRegistry;
  readonly metadata: MetadataStore;
  readonly store: BlockStore;
  readonly versions: LateStore;
  readonly points: PointWriter;
  readonly deletions: Deletions;
  readonly rules: RetentionRules;
  readonly reclaimer: Reclaimer;
}

/** Part of its age by which a point may be older before a sweep in the background looks after it. */
export const SLACK_PART = 64n;

/** Most of that, ns: a day. */
const MAX_SLACK = 86_400_000_000_000n;

/** The present and the manner of a sweep. */
export interface SweepTime {
  /** The present, ns since the Unix epoch: the same one during the whole sweep. */
  readonly nowNs: bigint;
  /**
   * True for a sweep in the background. It leaves alone what is hardly too old, so that a stream is not
   * touched each time, and prunes only what an earlier one has deleted: queries of the versions that it
   * replaces read on.
   */
  readonly isLenient: boolean;
}

/** Time before which a point has a sweep touch its stream, ns. */
export function sweepEnd({ nowNs, isLenient }: SweepTime, maxAge: bigint): bigint {
  const cutoff = nowNs - maxAge;
  if (!isLenient) return cutoff;
  const slack = maxAge / SLACK_PART;
  return cutoff - (slack < MAX_SLACK ? slack : MAX_SLACK);
}

/**
 * Removes what is too old: the latest version loses it, and the versions that have it are pruned, in
 * one transaction; after a lenient sweep the next one prunes them. The rule is looked for again, by a
 * collection whose checksum fits.
 *
 * @returns Points removed; `undefined` if nothing was to be done.
 */
export function* expireStream(
  parts: ExpiryStores,
  tx: Transaction,
  uuid: Uint8Array,
  time: SweepTime,
): Generator<undefined, number | undefined> {
  const { streams, metadata, points, deletions, rules, reclaimer } = parts;
  const state = streams.get(uuid);
  const collection = metadata.get(uuid)?.collection;
  if (state === undefined || collection === undefined) return undefined;
  const maxAge = rules.read().of(collection)?.maxAge ?? null;
  if (maxAge === null) return undefined;
  const end = sweepEnd(time, maxAge);
  const before = tx.head(state);
  const oldest = oldestOf(parts, before);
  const isOld = oldest !== undefined && oldest < end;
  if (isOld) yield* points.deleteBefore(tx, state, time.nowNs - maxAge);
  const after = tx.head(state);
  const deletion = deletions.get(state.id);
  let keep = isOld && !time.isLenient ? after.major : 0;
  if (keep === 0 && deletion?.start !== undefined && deletion.start < end) {
    keep = Math.min(deletion.major, after.major);
  }
  if (!isOld && keep === 0) return undefined;
  if (reclaimer.prune(tx, state, keep)) tx.afterCommit(() => reclaimer.start());
  if (deletion !== undefined && deletion.major <= keep) deletions.remove(state.id);
  if (isOld && time.isLenient) deletions.note(state.id, oldest, after.major);
  return pointsOf(parts, before) - pointsOf(parts, after);
}

/** Time of the oldest point, those beside the tree and in the buffer included; ns. */
function oldestOf(
  { store, versions }: ExpiryStores,
  { root, buffer }: Head,
): bigint | undefined {
  const [buffered] = buffer.sorted.times;
  const stored = oldestTime(store.passing, versions.open(root));
  if (stored === undefined || buffered === undefined) return stored ?? buffered;
  return stored < buffered ? stored : buffered;
}

/** Number of points, those beside the tree and in the buffer included. */
function pointsOf({ store, versions }: ExpiryStores, { root, buffer }: Head): number {
  const tree = versions.open(root);
  const inTree = tree.root === 0 ? 0 : store.readRoot(tree.root).stats.count;
  return inTree + tree.late.times.length + buffer.length;
}
