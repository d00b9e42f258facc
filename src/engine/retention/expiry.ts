/**
 * Finds streams with expired points and removes the points: in the background while a database is
 * open for writing, and on demand.
 *
 * @module
 */

import { abortable, type CallOptions, throwIfOver } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import { lowerBound } from "../../core/search.ts";
import type {
  ExpiryCallOptions,
  ExpiryProgress,
  ExpiryReport,
  RetentionRule,
} from "../../endpoint/retention.ts";
import type { Database, Statement } from "../file/sqlite.ts";
import { isDue, yieldToEventLoop } from "../../core/pacer.ts";
import { checkedRoot, type Head } from "../stream/registry.ts";
import { MissingBlock } from "../tree/missing_block.ts";
import { countBefore, hasBefore, oldestTime } from "../tree/oldest.ts";
import { closedError } from "../write/group_commit.ts";
import type { Task, Transaction } from "../write/transaction.ts";
import {
  expireStream,
  type ExpiryStores,
  SLACK_PART,
  sweepEnd,
  type SweepTime,
} from "./expire_stream.ts";
import { RuleSet } from "./rules.ts";
import { type StreamRow, streamsBelow } from "./streams_below.ts";

/** Time between two looks whether a sweep is due, ms. */
const TICK_MS = 60_000;

/** Longest time between two sweeps, ms. */
const MAX_EVERY_MS = 3_600_000;

/** Time one task may take, ms: streams that are left are taken by the next one. */
const TASK_MS = 4;

/** Most streams of one task. */
const TASK_STREAMS = 64;

/** Versions looked at in one go. */
const PAGE_VERSIONS = 64;

/** Time between two reports of progress, ms. */
const REPORT_MS = 200;

/** Parts of an open database, and its clock. */
export interface ExpiryParts extends ExpiryStores {
  readonly db: Database;
  /** Runs something on one state of the database. */
  onOneState<T>(work: () => T): T;
  /** Queues a task for the writer. */
  submit<T>(task: Task<T>): Promise<T>;
  /** ms since the Unix epoch. */
  now(): number;
  /** Time between two looks whether a sweep is due, ms; for tests. */
  readonly tickMs?: number | undefined;
}

/** A sweep under way. */
interface Sweep extends SweepTime {
  readonly options: ExpiryCallOptions;
  readonly failed: { uuid: Uint8Array; message: string }[];
  looked: number;
  streams: number;
  points: bigint;
  /** Streams to be worked on. */
  waiting: Uint8Array[];
  reportedMs: number;
}

/** Removes points by their age. */
export class Expiry {
  readonly #parts: ExpiryParts;
  readonly #page: (prefix: string) => Iterator<StreamRow[]>;
  readonly #versions: Statement;
  #timer: ReturnType<typeof setInterval> | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;
  /** Time of the next sweep in the background, of `performance.now()`. */
  #dueMs = 0;

  constructor(parts: ExpiryParts) {
    const { db } = parts;
    this.#parts = parts;
    this.#page = streamsBelow(db);
    this.#versions = db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? AND major > ? AND major < ? " +
        `ORDER BY major LIMIT ${PAGE_VERSIONS}`,
    );
  }

  /** Begins to sweep in the background, now and whenever it is due. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#parts.tickMs ?? TICK_MS);
    this.#tick();
  }

  /** Has the next look begin a sweep: the rules have changed. */
  rulesChanged(): void {
    this.#dueMs = 0;
  }

  /** Ends what is under way, between two tasks. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #tick(): void {
    if (this.#running !== undefined || performance.now() < this.#dueMs) return;
    this.#running = this.#background().finally(() => this.#running = undefined);
  }

  /** A sweep whose errors are reported to who asks for one; it is tried again. */
  async #background(): Promise<void> {
    this.#dueMs = Infinity;
    let everyMs = 0;
    try {
      // Rules that are set while a database is being opened wait for the next look.
      const { rules } = this.#parts.rules.read();
      const ages = rules.flatMap(({ maxAge }) => maxAge === null ? [] : [maxAge]);
      if (ages.length > 0) {
        everyMs = Math.min(...ages.map((age) => Number(age / SLACK_PART) / 1e6), MAX_EVERY_MS);
        await yieldToEventLoop();
        await this.#sweep(this.#newSweep(true, {}));
      }
    } catch {
      // The disk is full, the database was closed, or the rules are damaged.
    }
    // Unless the rules have changed meanwhile.
    if (this.#dueMs === Infinity) this.#dueMs = performance.now() + everyMs;
  }

  /**
   * Removes everything that is too old now, and waits until its room can be used again.
   *
   * @throws {BTrDBError} `CORRUPT` if a rule is damaged.
   */
  async expire(options: ExpiryCallOptions): Promise<ExpiryReport> {
    const sweep = this.#newSweep(false, options);
    await this.#sweep(sweep);
    if (options.dryRun !== true) {
      await abortable(this.#parts.reclaimer.finishedAll(), options, "expire");
    }
    return { ...progressOf(sweep), failed: sweep.failed };
  }

  #newSweep(isLenient: boolean, options: ExpiryCallOptions): Sweep {
    const nowNs = BigInt(Math.floor(this.#parts.now())) * 1_000_000n;
    const counts = { looked: 0, streams: 0, points: 0n, waiting: [], reportedMs: 0 };
    return { nowNs, isLenient, options, failed: [], ...counts };
  }

  async #sweep(sweep: Sweep): Promise<void> {
    const { onOneState, rules } = this.#parts;
    const { rules: assumed } = sweep.options;
    const set = assumed === undefined ? onOneState(() => rules.read()) : new RuleSet(assumed);
    for (const rule of set.rules) {
      if (rule.maxAge === null) continue;
      const pages = this.#page(rule.prefix);
      for (;;) {
        const page = onOneState(() => this.#lookAtPage(sweep, pages, (name) => set.of(name), rule));
        if (page === undefined) break;
        for (const row of page.unknown) await this.#findDeleted(row, sweep);
        if (sweep.waiting.length >= TASK_STREAMS) await this.#work(sweep);
        await this.#pause(sweep);
      }
    }
    await this.#work(sweep);
    sweep.options.onProgress?.(progressOf(sweep));
  }

  /** Lets others run; throws if the sweep is to end. */
  async #pause(sweep: Sweep): Promise<void> {
    if (isDue()) await yieldToEventLoop();
    if (this.#isStopped) throw closedError();
    throwIfOver(sweep.options as CallOptions, "expire");
    const now = performance.now();
    if (now - sweep.reportedMs < REPORT_MS) return;
    sweep.reportedMs = now;
    sweep.options.onProgress?.(progressOf(sweep));
  }

  /**
   * Looks at the next streams.
   *
   * @returns Streams of which it is not known what was deleted; `undefined` after the last streams.
   */
  #lookAtPage(
    sweep: Sweep,
    pages: Iterator<StreamRow[]>,
    ruleOf: (collection: string) => RetentionRule | undefined,
    rule: RetentionRule,
  ): { unknown: StreamRow[] } | undefined {
    const { done, value: rows } = pages.next();
    if (done) return undefined;
    const unknown: StreamRow[] = [];
    for (const row of rows) {
      if (ruleOf(row.collection) !== rule) continue;
      sweep.looked++;
      try {
        if (this.#look(sweep, row, rule.maxAge!) === "unknown") unknown.push(row);
      } catch (error) {
        noteFailure(sweep, row.uuid, error);
      }
    }
    return { unknown };
  }

  /** Looks whether a stream has something that is too old. */
  #look(sweep: Sweep, { id, uuid, prunedBelow }: StreamRow, maxAge: bigint): "unknown" | void {
    const { streams, deletions } = this.#parts;
    const head = streams.peek(id, uuid);
    if (sweep.options.dryRun === true) {
      const points = this.#countOld(head, sweep.nowNs - maxAge);
      if (points > 0) sweep.streams++;
      sweep.points += BigInt(points);
      return;
    }
    const end = sweepEnd(sweep, maxAge);
    if (this.#hasOld(head, end)) return void sweep.waiting.push(uuid);
    const deletion = deletions.get(id);
    if (deletion === undefined || deletion.major <= prunedBelow) return;
    if (deletion.start === undefined) return "unknown";
    if (deletion.start < end) sweep.waiting.push(uuid);
  }

  #hasOld({ root, buffer }: Head, end: bigint): boolean {
    const { store, versions } = this.#parts;
    const [first] = buffer.sorted.times;
    if (first !== undefined && first < end) return true;
    return hasBefore(store.passing, versions.open(root), end);
  }

  #countOld({ root, buffer }: Head, end: bigint): number {
    const { store, versions } = this.#parts;
    const inTree = countBefore(store.passing, versions.open(root), end);
    return inTree + lowerBound(buffer.sorted.times, end);
  }

  /**
   * Finds out, once, what an earlier release has deleted from a stream, by looking at all its
   * versions.
   */
  async #findDeleted({ id, uuid, prunedBelow }: StreamRow, sweep: Sweep): Promise<void> {
    const { deletions, store, streams, versions, submit } = this.#parts;
    const deletion = deletions.get(id);
    if (deletion === undefined || deletion.start !== undefined) return;
    let start: bigint | undefined;
    let after = prunedBelow - 1;
    let reading = after;
    try {
      for (;;) {
        const page = this.#versions.all(id, after, deletion.major);
        if (page.length === 0) break;
        for (const row of page) {
          const { major, root } = checkedRoot(id, row);
          reading = major;
          const oldest = oldestTime(store.passing, versions.open(root));
          if (oldest !== undefined && (start === undefined || oldest < start)) start = oldest;
          after = major;
          if (isDue()) await this.#pause(sweep);
        }
      }
    } catch (error) {
      // What was pruned meanwhile is not there the next time.
      const isGone = error instanceof MissingBlock && !streams.hasStill(id, uuid, reading);
      if (!isGone) noteFailure(sweep, uuid, error);
      return;
    }
    await submit({
      points: 0,
      kind: "points",
      run: () => {
        const now = deletions.get(id);
        if (now === undefined || now.start !== undefined) return;
        if (start !== undefined) deletions.set(id, { start, major: now.major });
        else deletions.remove(id);
      },
    });
  }

  /** Works on the streams that wait. */
  async #work(sweep: Sweep): Promise<void> {
    const { submit } = this.#parts;
    let most = TASK_STREAMS;
    while (sweep.waiting.length > 0) {
      const batch = sweep.waiting.slice(0, most);
      try {
        const done = await submit({
          points: 0,
          kind: "points",
          isBackground: true,
          run: (tx) => this.#expireSome(tx, batch, sweep),
        });
        sweep.waiting = sweep.waiting.slice(done.looked);
        sweep.streams += done.streams;
        sweep.points += done.points;
      } catch (error) {
        if (batch.length === 1) {
          noteFailure(sweep, batch[0]!, error);
          sweep.waiting = sweep.waiting.slice(1);
        }
        most = 1; // What one stream cannot do is not held against the others.
      }
      await this.#pause(sweep);
    }
  }

  /** Works on streams, one at least, as long as one task may take. */
  *#expireSome(
    tx: Transaction,
    uuids: readonly Uint8Array[],
    time: SweepTime,
  ): Generator<undefined, ExpiryProgress> {
    const endMs = performance.now() + TASK_MS;
    let looked = 0, streams = 0, points = 0n;
    while (looked < uuids.length && (looked === 0 || performance.now() < endMs)) {
      const removed = yield* expireStream(this.#parts, tx, uuids[looked]!, time);
      looked++;
      if (removed === undefined) continue;
      streams++;
      points += BigInt(removed);
    }
    return { looked, streams, points };
  }
}

function progressOf({ looked, streams, points }: Sweep): ExpiryProgress {
  return { looked, streams, points };
}

/** Most streams that are named as failed. */
const MAX_FAILED = 1000;

/** Notes that a stream is damaged; throws errors of another kind. */
function noteFailure(sweep: Sweep, uuid: Uint8Array, error: unknown): void {
  const isOfStream = error instanceof BTrDBError && error.status === "CORRUPT";
  if (!isOfStream) throw error;
  if (sweep.failed.length < MAX_FAILED) sweep.failed.push({ uuid, message: error.message });
}
