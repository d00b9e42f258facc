/**
 * Changes the points of a stream: insert, flush, delete.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import type { MergePolicy, Version } from "../../endpoint/endpoint.ts";
import type { Journal } from "../stream/journal.ts";
import { PointBuffer } from "../stream/point_buffer.ts";
import { checkNumbers } from "../file/checksum.ts";
import { MAX_TIME } from "../../core/range.ts";
import { type LeafPacker, PACKING_POINTS } from "../packing/leaf_packer.ts";
import type { ReadyLeaves } from "../tree/ready_leaves.ts";
import { countAtMost } from "../tree/count_points.ts";
import { BUFFER_POINTS, LEAF_POINTS, UNSPLIT_POINTS } from "../constants.ts";
import { mergeRunsInSteps } from "../tree/merge_runs.ts";
import { applyPolicy } from "./merge_policy.ts";
import type { Deletions } from "../file/deletions.ts";
import type { Database, Statement } from "../file/sqlite.ts";
import type { BlockStore } from "../tree/block_store.ts";
import { type StreamState, versionOf } from "../stream/registry.ts";
import { deleteFromVersion, insertIntoVersion, type VersionCommit } from "../tree/commit_points.ts";
import type { LateLimits } from "../tree/late_plan.ts";
import type { LateStore } from "../tree/late_store.ts";
import { hasBefore, oldestTime } from "../tree/oldest.ts";
import { pointsAt, pointsOfRun } from "../tree/points_at.ts";
import { checkFirstLeaf } from "../tree/unsplit_leaf.ts";
import { Refusal, type Transaction } from "./transaction.ts";

/** Work that may pause where it yields. */
type Steps<T> = Generator<undefined, T>;

/** Options of a commit. */
interface CommitOptions {
  /** Times, ascending, at which stored points make way for the new one. */
  readonly replaced?: BigInt64Array;
  /** Points of a leaf that is not split, above which this fails. */
  readonly unsplitPoints?: number;
  /** Leaves of the points that may have been made ahead. */
  readonly ready?: ReadyLeaves | undefined;
}

/** Writes points within transactions. */
export class PointWriter {
  readonly #store: BlockStore;
  readonly #addVersion: Statement;
  readonly #journal: Journal;
  readonly #versions: LateStore;
  readonly #limits: LateLimits;
  readonly #deletions: Deletions;
  readonly #packer: LeafPacker | undefined;

  constructor(
    db: Database,
    store: BlockStore,
    versions: LateStore,
    limits: LateLimits,
    journal: Journal,
    deletions: Deletions,
    packer?: LeafPacker,
  ) {
    this.#packer = packer;
    this.#deletions = deletions;
    this.#store = store;
    this.#versions = versions;
    this.#limits = limits;
    this.#journal = journal;
    this.#addVersion = db.prepare(
      "INSERT INTO version (stream, major, root, checksum) VALUES (?, ?, ?, ?)",
    );
  }

  /**
   * Has leaves made of points that are about to be inserted, if they are many and come behind all
   * others: those that come between others are not in leaves of their own.
   *
   * @param points Must stay as they are until the end.
   */
  packAhead({ head }: StreamState, points: RawColumns): ReadyLeaves | undefined {
    if (this.#packer === undefined || points.times.length < PACKING_POINTS) return undefined;
    const { root } = this.#versions.open(head.root);
    const behind = countAtMost(this.#store, root, points.times[0]!, MAX_TIME);
    return behind > LEAF_POINTS ? undefined : this.#packer.begin(points);
  }

  /**
   * Inserts points, in the order given, into the buffer, or commits it with them when it is full.
   *
   * @param sorted Puts the same points in order of time.
   * @param ready Leaves of these points that may have been made ahead.
   * @param added Told the points that were new, when the transaction is durable.
   */
  *insert(
    tx: Transaction,
    state: StreamState,
    points: RawColumns,
    sorted: () => Steps<RawColumns>,
    policy: MergePolicy,
    added: (points: RawColumns) => void,
    ready?: ReadyLeaves,
  ): Generator<undefined, Version> {
    if (points.times.length === 0) return versionOf(tx.head(state));
    if (policy !== "never") return yield* this.#merge(tx, state, yield* sorted(), policy, added);
    const version = this.#append(tx, state, points) ??
      (yield* this.#commitWith(tx, state, yield* sorted(), ready));
    tx.afterCommit(() => added(points));
    return version;
  }

  /** Appends points to the buffer; `undefined` if that would be full: then nothing is done. */
  #append(tx: Transaction, state: StreamState, points: RawColumns): Version | undefined {
    const { major, root, buffer } = tx.head(state);
    if (buffer.length + points.times.length >= BUFFER_POINTS) return undefined;
    const row = this.#journal.add(tx, state.id, points);
    const head = { major, root, buffer: buffer.append(points, row, Date.now()) };
    tx.setHead(state, head);
    return versionOf(head);
  }

  /** Commits the buffer and points in order of time. */
  *#commitWith(
    tx: Transaction,
    state: StreamState,
    sorted: RawColumns,
    ready?: ReadyLeaves,
  ): Generator<undefined, Version> {
    const { root, buffer } = tx.head(state);
    const buffered = yield* buffer.sortedInSteps();
    yield;
    this.#refuseOverfull(root, buffered, sorted);
    const all = yield* mergeRunsInSteps(buffered, sorted);
    yield;
    return yield* this.#commit(tx, state, all, { ready });
  }

  /**
   * Refuses points that their leaf has no room for. Nothing is written yet, so the rest of the transaction
   * goes on: to undo it, and to try thousands of inserts of a message one by one, took seconds.
   */
  #refuseOverfull(address: number, buffered: RawColumns, points: RawColumns): void {
    const { root } = this.#versions.open(address);
    try {
      checkFirstLeaf(this.#store, root, buffered, points, UNSPLIT_POINTS);
    } catch (error) {
      throw error instanceof BTrDBError && error.code === ErrorCode.InsertFailure
        ? new Refusal(error)
        : error;
    }
  }

  *#merge(
    tx: Transaction,
    state: StreamState,
    batch: RawColumns,
    policy: Exclude<MergePolicy, "never">,
    added: (points: RawColumns) => void,
  ): Generator<undefined, Version> {
    const head = tx.head(state);
    const tree = this.#versions.open(head.root);
    // What is replaced need only be known to be there.
    const enough = policy === "replace" ? 1 : Infinity;
    const inTree = yield* pointsAt(this.#store, tree.root, batch.times, enough);
    const inLate = yield* pointsOfRun(tree.late, batch.times);
    const buffered = yield* head.buffer.sortedInSteps();
    const inBuffer = yield* pointsOfRun(buffered, batch.times);
    const rest = yield* applyPolicy(batch, [inTree, inLate, inBuffer], policy);
    if (rest.times.length === 0) return versionOf(head);
    const isCommitted = inTree.times.length + inLate.times.length > 0;
    if (policy !== "replace" || (!isCommitted && inBuffer.times.length === 0)) {
      const version = this.#append(tx, state, rest) ?? (yield* this.#commitWith(tx, state, rest));
      tx.afterCommit(() => added(rest));
      return version;
    }
    tx.afterCommit(() => added(rest));
    const merged = yield* mergeRunsInSteps(buffered, rest, true);
    if (isCommitted || merged.times.length >= BUFFER_POINTS) {
      return yield* this.#commit(tx, state, merged, { replaced: rest.times });
    }
    this.#journal.remove(tx, state.id, head.buffer);
    const row = this.#journal.add(tx, state.id, merged);
    const buffer = PointBuffer.EMPTY.append(merged, row, head.buffer.sinceMs);
    tx.setHead(state, { ...head, buffer });
    return versionOf(tx.head(state));
  }

  /**
   * Commits the buffer; nothing happens when it is empty.
   *
   * @param unsplitPoints Points of a leaf that is not split, above which this fails.
   */
  *flush(
    tx: Transaction,
    state: StreamState,
    unsplitPoints: number = 2 * UNSPLIT_POINTS,
  ): Generator<undefined, Version> {
    const head = tx.head(state);
    if (head.buffer.length === 0) return versionOf(head);
    const points = yield* head.buffer.sortedInSteps();
    return yield* this.#commit(tx, state, points, { unsplitPoints });
  }

  /** Commits the buffer, then deletes the points in `[start, end)` in a version of its own. */
  *deleteRange(
    tx: Transaction,
    state: StreamState,
    start: bigint,
    end: bigint,
  ): Generator<undefined, Version> {
    // Whatever there is too much of can be deleted.
    yield* this.flush(tx, state, Infinity);
    const { major, root } = tx.head(state);
    const version = this.#versions.open(root);
    if (hasBefore(this.#store, version, end)) {
      const oldest = oldestTime(this.#store, version)!;
      this.#deletions.note(state.id, oldest > start ? oldest : start, major + 1);
    }
    const commit = this.#commitOf(major + 1, NO_TIMES);
    const next = yield* deleteFromVersion(commit, root, start, end);
    return this.#setRoot(tx, state, major + 1, next);
  }

  /**
   * Deletes the points before a time, in a version of its own. The buffer is committed before only if
   * there are such points in it. Older versions must not be kept: what they have is not noted.
   */
  *deleteBefore(
    tx: Transaction,
    state: StreamState,
    end: bigint,
  ): Generator<undefined, Version> {
    const [oldestBuffered] = tx.head(state).buffer.sorted.times;
    if (oldestBuffered !== undefined && oldestBuffered < end) yield* this.flush(tx, state);
    const { major, root, buffer } = tx.head(state);
    const oldest = oldestTime(this.#store, this.#versions.open(root));
    if (oldest === undefined || oldest >= end) return versionOf(tx.head(state));
    const commit = this.#commitOf(major + 1, NO_TIMES);
    const next = yield* deleteFromVersion(commit, root, oldest, end);
    return this.#setRoot(tx, state, major + 1, next, buffer);
  }

  /** Puts points, which include the buffer, into the tree as a new version. */
  *#commit(
    tx: Transaction,
    state: StreamState,
    points: RawColumns,
    { replaced = NO_TIMES, unsplitPoints = UNSPLIT_POINTS, ready }: CommitOptions = {},
  ): Generator<undefined, Version> {
    const head = tx.head(state);
    this.#journal.remove(tx, state.id, head.buffer);
    const major = head.major + 1;
    const commit = { ...this.#commitOf(major, replaced), unsplitPoints, ready };
    const root = yield* insertIntoVersion(commit, head.root, points);
    ready?.end();
    return this.#setRoot(tx, state, major, root);
  }

  #commitOf(major: number, replaced: BigInt64Array): VersionCommit {
    const store = this.#store;
    return { store, versions: this.#versions, limits: this.#limits, major, replaced };
  }

  #setRoot(
    tx: Transaction,
    state: StreamState,
    major: number,
    root: number,
    buffer: PointBuffer = PointBuffer.EMPTY,
  ): Version {
    this.#addVersion.run(state.id, major, root, checkNumbers(state.id, major, root));
    tx.setHead(state, { major, root, buffer });
    return versionOf(tx.head(state));
  }
}

const NO_TIMES = new BigInt64Array(0);
