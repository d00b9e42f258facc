/**
 * Removes the points of one stream that are too old, from all its versions.
 *
 * @module
 */

import type { Deletions } from "../file/deletions.ts";
import type { MetadataStore } from "../metadata/store.ts";
import type { Head, StreamRegistry } from "../stream/registry.ts";
import type { BlockStore } from "../tree/block_store.ts";
import type { LateStore } from "../tree/late_store.ts";
import type { Transaction } from "../write/group_commit.ts";
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

/**
 * Removes what is too old: the latest version loses it, and the versions that have it are pruned, in
 * one transaction. The rule is looked for again, by a collection whose checksum fits.
 *
 * @param nowNs The present, ns since the Unix epoch.
 * @returns Points removed; `undefined` if nothing was to be done.
 */
export function* expireStream(
  parts: ExpiryStores,
  tx: Transaction,
  uuid: Uint8Array,
  nowNs: bigint,
): Generator<undefined, number | undefined> {
  const { streams, metadata, points, deletions, rules, reclaimer } = parts;
  const state = streams.get(uuid);
  const collection = metadata.get(uuid)?.collection;
  if (state === undefined || collection === undefined) return undefined;
  const maxAge = rules.read().of(collection)?.maxAge ?? null;
  if (maxAge === null) return undefined;
  const cutoff = nowNs - maxAge;
  const before = tx.head(state);
  yield* points.deleteBefore(tx, state, cutoff);
  const after = tx.head(state);
  const deletion = deletions.get(state.id);
  let keep = after.major > before.major ? after.major : 0;
  if (keep === 0 && deletion?.start !== undefined && deletion.start < cutoff) {
    keep = Math.min(deletion.major, after.major);
  }
  if (keep === 0) return undefined;
  if (reclaimer.prune(tx, state, keep)) tx.afterCommit(() => reclaimer.start());
  if (deletion !== undefined && deletion.major <= keep) deletions.remove(state.id);
  return pointsOf(parts, before) - pointsOf(parts, after);
}

/** Number of points, those beside the tree and in the buffer included. */
function pointsOf({ store, versions }: ExpiryStores, { root, buffer }: Head): number {
  const tree = versions.open(root);
  const inTree = tree.root === 0 ? 0 : store.readRoot(tree.root).stats.count;
  return inTree + tree.late.times.length + buffer.length;
}
