/**
 * Frees the space of versions that can no longer be read: those of obliterated streams, and pruned
 * ones. The versions to remove are noted in the database; the removing is done in small
 * tasks between other writes, and goes on when the database is opened again.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import type { PruneResult } from "../../endpoint/endpoint.ts";
import type { Database, Statement } from "../file/sqlite.ts";
import { damaged } from "../file/checksum.ts";
import { checkedRoot, type StreamState } from "../stream/registry.ts";
import { FIRST_MAJOR } from "../constants.ts";
import type { BlockStore } from "../tree/block_store.ts";
import { LATE_LIST } from "../tree/block_frame.ts";
import { decodeLateList } from "../tree/late_codec.ts";
import { decodeNode } from "../tree/node_codec.ts";
import { InnerNode } from "../tree/node.ts";
import { NodeCache } from "../tree/node_cache.ts";
import { type ReadVersion, replacedInVersion } from "../tree/replaced_blocks.ts";
import type { Task, Transaction } from "./transaction.ts";

/** Time one task may take, ms. */
const TASK_MS = 4;

/** Most blocks one task removes: each may be on a page of its own, which goes through the log. */
const TASK_BLOCKS = 256;

/** Nodes kept at hand, bytes: two paths through the tree are enough. */
const CACHE_BYTES = 4_194_304;

/** Bound of versions that stands for all of them. */
export const ALL_VERSIONS: number = Number.MAX_SAFE_INTEGER;

/** Versions of a stream that are to be removed. */
interface Order {
  readonly stream: number;
  /** Versions below this one. */
  readonly below: number;
}

/** A call that waits for an order to be done. */
interface Waiter {
  readonly stream: number;
  readonly result: PruneResult;
  resolve(result: PruneResult): void;
  reject(error: unknown): void;
}

/** A walk through what one version has and the next one has not. */
interface Walk {
  readonly stream: number;
  readonly major: number;
  readonly blocks: Generator<number | undefined>;
}

/** Removes blocks and versions. */
export class Reclaimer {
  readonly #store: BlockStore;
  readonly #submit: <T>(task: Task<T>) => Promise<T>;
  readonly #nodes: NodeCache = new NodeCache(CACHE_BYTES);
  readonly #add: Statement;
  readonly #ordered: Statement;
  readonly #next: Statement;
  readonly #done: Statement;
  readonly #oldest: Statement;
  readonly #removeVersion: Statement;
  readonly #keepAddress: Statement;
  readonly #setPruned: Statement;
  readonly #pruned: Statement;
  #waiters: Waiter[] = [];
  #running: Promise<void> | undefined;
  /** True if there may be something new to be removed since the work began. */
  #isAgain = false;
  /** The stream that is worked on, 0 for none. */
  #stream = 0;
  /** Orders of streams up to this one are left for the next time: something is damaged there. */
  #passed = 0;
  #walk: Walk | undefined;
  /** True if everything that the walk has passed is removed durably. */
  #isDurable = true;

  /** @param submit Queues a task for the writer. */
  constructor(db: Database, store: BlockStore, submit: <T>(task: Task<T>) => Promise<T>) {
    this.#store = store;
    this.#submit = submit;
    this.#add = db.prepare(
      "INSERT INTO reclaim (stream, below) VALUES (?, ?) " +
        "ON CONFLICT (stream) DO UPDATE SET below = max(below, excluded.below)",
    );
    this.#ordered = db.prepare("SELECT stream, below FROM reclaim WHERE stream = ?");
    this.#next = db.prepare(
      "SELECT stream, below FROM reclaim WHERE stream > ? ORDER BY stream LIMIT 1",
    );
    this.#done = db.prepare("DELETE FROM reclaim WHERE stream = ?");
    this.#oldest = db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? ORDER BY major LIMIT 2",
    );
    this.#removeVersion = db.prepare("DELETE FROM version WHERE stream = ? AND major = ?");
    this.#setPruned = db.prepare("UPDATE stream SET pruned_below = ? WHERE id = ?");
    this.#pruned = db.prepare("SELECT pruned_below FROM stream WHERE id = ?");
    this.#keepAddress = db.prepare(
      "INSERT INTO setting (key, value) VALUES ('next_block', ?) " +
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
  }

  /**
   * Notes, in a transaction, that the versions of a stream below `below` are to be removed.
   * {@linkcode start} begins with it.
   */
  order(stream: number, below: number): void {
    this.#add.run(stream, below);
  }

  /**
   * Prunes, in a transaction: the versions of a stream below `keep` are no longer available.
   * {@linkcode start} begins to remove them.
   *
   * @returns False if there are none.
   */
  prune(tx: Transaction, state: StreamState, keep: number): boolean {
    if (keep <= Math.max(FIRST_MAJOR + 1, state.prunedBelow)) return false;
    this.#setPruned.run(keep, state.id);
    this.order(state.id, keep);
    tx.afterCommit(() => state.prunedBelow = keep);
    return true;
  }

  /** Tells whether versions of a stream are still to be removed. */
  isOrdered(stream: number): boolean {
    return this.#ordered.get(stream) !== undefined;
  }

  /** Waits until the versions of a stream that were ordered to be removed are. */
  finished(stream: number): Promise<PruneResult> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ stream, result: { versions: 0, blocks: 0 }, resolve, reject });
      this.start();
    });
  }

  /** Waits until there is nothing left to be removed. */
  async finishedAll(): Promise<void> {
    await this.#running;
  }

  /** Begins with what was ordered, in the background. */
  start(): void {
    this.#isAgain = true;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What is ordered in the transaction of the last step, too late for it, is not missed: nothing runs
    // between the look whether there is something new and the note that this has ended.
    while (this.#isAgain) {
      this.#isAgain = false;
      this.#passed = 0;
      await this.#work();
    }
    this.#running = undefined;
  }

  async #work(): Promise<void> {
    let failures = 0;
    for (;;) {
      try {
        const isLeft = await this.#submit({
          points: 0,
          kind: "points",
          isBackground: true,
          run: (tx) => this.#step(tx),
        });
        if (!isLeft) return;
        failures = 0;
      } catch (error) {
        this.#walk = undefined;
        if (++failures === 1) continue;
        // Damage of one order keeps nothing from the others; a damaged list of them ends the work.
        const isDamage = error instanceof BTrDBError && error.status === "CORRUPT" &&
          this.#stream !== 0;
        this.#settle(({ stream }) => !isDamage || stream === this.#stream, error);
        // A version that cannot be removed now is tried again at the next start.
        if (!isDamage) return;
        this.#passed = Math.max(this.#passed, this.#stream);
        failures = 0;
      }
    }
  }

  /**
   * Removes some blocks.
   *
   * @returns False if there is nothing left to be done.
   */
  #step(tx: Transaction): boolean {
    if (!this.#isDurable) this.#walk = undefined;
    this.#isDurable = false;
    const endMs = performance.now() + TASK_MS;
    let removals = 0;
    let isLeft = true;
    while (removals < TASK_BLOCKS && performance.now() < endMs) {
      const walk = this.#walk ??= this.#begin(tx);
      isLeft = walk !== undefined;
      if (walk === undefined) break;
      const { done, value: address } = walk.blocks.next();
      if (done) {
        this.#removeVersion.run(walk.stream, walk.major);
        tx.afterCommit(() => this.#count(walk.stream, "versions"));
        this.#walk = undefined;
      } else if (address !== undefined) {
        this.#store.remove(address);
        this.#nodes.delete(address);
        tx.afterCommit(() => this.#count(walk.stream, "blocks"));
        removals++;
      }
    }
    // Addresses are never used twice, also when the last blocks are gone: readers cache by address.
    if (removals > 0) this.#keepAddress.run(this.#store.nextAddress);
    tx.afterCommit(() => this.#isDurable = true);
    return isLeft;
  }

  /** The oldest version that is to be removed; `undefined` if there is none. */
  #begin(tx: Transaction): Walk | undefined {
    for (;;) {
      this.#stream = 0;
      const order = this.#nextOrder();
      if (order === undefined) return undefined;
      const { stream, below } = order;
      this.#stream = stream;
      this.#checkOrder(order);
      const [oldest, next] = this.#oldest.all(stream).map((row) => checkedRoot(stream, row));
      const isDone = oldest === undefined || oldest.major >= below ||
        (next === undefined && below !== ALL_VERSIONS);
      if (isDone) {
        this.#done.run(stream);
        tx.afterCommit(() => this.#settle((waiter) => waiter.stream === stream));
        continue;
      }
      const blocks = replacedInVersion(this.#readOld, this.#readNew, oldest.root, next?.root ?? 0);
      return { stream, major: oldest.major, blocks };
    }
  }

  /** Throws if a stream is not pruned below what is to be removed: a damaged order would remove what can be read. */
  #checkOrder({ stream, below }: Order): void {
    const pruned = this.#pruned.get(stream)?.["pruned_below"] ?? ALL_VERSIONS;
    if (pruned !== below) throw damaged(`what is to be removed of stream number ${stream}`);
  }

  /** Orders that a call waits for come first. */
  #nextOrder(): Order | undefined {
    const waiting = this.#waiters[0]?.stream;
    const row = (waiting === undefined ? undefined : this.#ordered.get(waiting)) ??
      this.#next.get(this.#passed);
    if (row === undefined) return undefined;
    return { stream: Number(row["stream"]), below: Number(row["below"]) };
  }

  /** Ends the calls that wait for something, well or with an error. */
  #settle(isMeant: (waiter: Waiter) => boolean, error?: unknown): void {
    const meant = this.#waiters.filter(isMeant);
    this.#waiters = this.#waiters.filter((waiter) => !meant.includes(waiter));
    for (const waiter of meant) {
      if (error === undefined) waiter.resolve(waiter.result);
      else waiter.reject(error);
    }
  }

  #count(stream: number, what: keyof PruneResult): void {
    for (const waiter of this.#waiters) if (waiter.stream === stream) waiter.result[what]++;
  }

  readonly #readOld: ReadVersion = (address) => {
    const known = this.#nodes.get(address);
    if (known instanceof InnerNode) return known;
    const block = this.#store.readBlock(address);
    if (block === undefined) return undefined;
    if (block[4] === LATE_LIST) return decodeLateList(address, block);
    const node = decodeNode(address, block);
    if (!(node instanceof InnerNode)) throw damaged(`block ${address} is not an inner node`);
    this.#nodes.put(address, node);
    return node;
  };

  readonly #readNew: ReadVersion = (address) => {
    const node = this.#readOld(address);
    if (node === undefined) throw damaged(`block ${address} is missing`);
    return node;
  };
}
