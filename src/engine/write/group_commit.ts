/**
 * Group commit: queued tasks share one transaction and one sync of the disk. Changes of a task
 * become visible when the transaction is durable.
 *
 * @module
 */

import { nextTick } from "node:process";
import { setImmediate } from "node:timers";
import { throwIfOver } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import type { CallOptions } from "../../endpoint/endpoint.ts";
import { nextTurn } from "../../core/event_loop.ts";
import { isDue, yieldToEventLoop } from "../../core/pacer.ts";
import { MAX_INSERT_POINTS } from "../constants.ts";
import { PageCache } from "../file/page_cache.ts";
import { rollback } from "../file/schema.ts";
import { type Database, sqliteError, type Statement } from "../file/sqlite.ts";
import type { Head, StreamState } from "../stream/registry.ts";
import { Refusal, type Task, Transaction } from "./transaction.ts";
import { TaskQueue } from "./task_queue.ts";

/** Most tasks in one transaction; those of metadata are all done in one turn of the event loop. */
const MAX_GROUP_TASKS = { points: 4096, metadata: 64 } as const;

/** Tasks whose callers are answered in one turn of the event loop. */
const STEP_TASKS = 32;

/**
 * Most points of a transaction of several tasks, those of the longest insert: what it wrote is copied from
 * the log to the file in one turn of the event loop.
 */
const MAX_GROUP_POINTS = MAX_INSERT_POINTS;

/** The end of a task: its result, or the error of it alone. */
interface Outcome {
  value?: unknown;
  refusal?: BTrDBError;
}

interface Queued {
  task: Task<unknown>;
  /** The caller whose turns it takes. */
  owner: unknown;
  options: CallOptions | undefined;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Tells whether a call still waits for a task; rejects it otherwise. */
function isWanted({ options, reject }: Queued): boolean {
  try {
    throwIfOver(options, "write");
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}

/** Points of tasks. */
function pointsOf(group: readonly Queued[]): number {
  return group.reduce((sum, { task }) => sum + task.points, 0);
}

function isGenerator(value: unknown): value is Generator<undefined, unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

/** Statuses of errors that the next transaction has too, unless the disk or the file is mended. */
const LASTING: ReadonlySet<string> = new Set([
  "CANNOT_OPEN",
  "DISK_FULL",
  "IO_ERROR",
  "LOCKED",
  "MOVED",
  "READ_ONLY",
]);

/** Longest time of the tasks of metadata of a transaction, ms; the last one may end later. */
const METADATA_MS = 4;

/** Longest time of the tasks of points of a transaction while several callers wait, ms; likewise. */
const SHARED_MS = 25;

/** Calls of a {@linkcode GroupCommit} to its owner. */
export interface GroupCommitHooks {
  /**
   * Called before each transaction. Throws if the file is another writer's.
   *
   * @param nowMs The time, on the clock of `performance.now()`: to ask for it takes as long as a look at a file.
   */
  checkOwner(nowMs: number): void;
  /** Called in each transaction, before its tasks. */
  began(): void;
  /**
   * Throws if what was committed would not be found in the file: nothing is acknowledged then, and
   * nothing is written any more.
   *
   * @param nowMs The time, on the same clock.
   */
  checkFiles(nowMs: number): void;
  /** Replaces the latest version of a stream. */
  publish(state: StreamState, head: Head): void;
  /**
   * Tells whether the log is to be copied to the file.
   *
   * @param nowMs The time, on the same clock.
   */
  isCheckpointDue(nowMs: number): boolean;
  /** Copies the log to the file, after the callers are answered and before the next transaction. */
  checkpoint(): void;
  /** Called after each transaction, before the next one begins. */
  afterGroup(): void;
}

/** Runs tasks in groups. */
export class GroupCommit {
  readonly #db: Database;
  // Of these, `get` takes half the time of `exec`, which compiles them, and of `run`, which counts.
  readonly #beginning: Statement;
  readonly #commit: Statement;
  readonly #path: string;
  readonly #hooks: GroupCommitHooks;
  readonly #pages: PageCache;
  readonly #queue = new TaskQueue<Queued>();
  #background: Queued[] = [];
  /** The last transaction was one of the background. */
  #wasBackground = false;
  #running: Promise<void> | undefined;
  #closed = false;
  /** Set when what is in the file and what is known of it may differ: nothing is written any more. */
  #lost: BTrDBError | undefined;
  /** Error of a transaction, if its kind lasts and none of as many points has succeeded since. */
  #failed: BTrDBError | undefined;
  #failedPoints = 0;

  constructor(db: Database, path: string, hooks: GroupCommitHooks) {
    this.#db = db;
    this.#beginning = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#path = path;
    this.#hooks = hooks;
    this.#pages = new PageCache(db);
  }

  /** Tells whether a transaction is under way, or about to begin. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** The error of a transaction if the next one of as many points will most likely have it too. */
  get failed(): BTrDBError | undefined {
    return this.#lost ?? this.#failed;
  }

  /** Points of the largest transaction that failed so; smaller ones may have succeeded since. */
  get failedPoints(): number {
    return this.#failedPoints;
  }

  /** Tasks that wait. */
  get waiting(): number {
    return this.#queue.size + this.#background.length;
  }

  /**
   * Does a task.
   *
   * @returns The result of the task, once it is durable.
   */
  submit<T>(task: Task<T>, options?: CallOptions): Promise<T> {
    if (this.#closed) return Promise.reject(closedError());
    return new Promise<T>((resolve, reject) => {
      const queued = {
        task,
        owner: options?.owner,
        options,
        resolve: resolve as (value: unknown) => void,
        reject,
      };
      if (task.isBackground === true) this.#background.push(queued);
      else this.#queue.add(queued);
      this.#running ??= this.#loop();
    });
  }

  /** Takes no more tasks and waits for those that are queued. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #loop(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.waiting > 0) {
      const group = this.#takeNext();
      if (group.length > 0) await this.#runGroup(group);
      if (isDue()) await yieldToEventLoop("write");
      else if (group.length === 1 && group[0]!.task.points > 0) await microtasksDone();
    }
    this.#running = undefined;
  }

  /** The tasks of the next transaction, in the background after every other one if there are any. */
  #takeNext(): Queued[] {
    this.#wasBackground = this.#background.length > 0 &&
      (this.#queue.size === 0 || !this.#wasBackground);
    if (!this.#wasBackground) return this.#takeGroup();
    const queued = this.#background.shift()!;
    return isWanted(queued) ? [queued] : [];
  }

  /**
   * The tasks of the next transaction that others wait for, one of each caller after another: metadata
   * tasks and pausing ones never share one.
   */
  #takeGroup(): Queued[] {
    const group: Queued[] = [];
    let points = 0;
    this.#queue.takeGroup((queued) => {
      const { task } = queued;
      if (group[0] !== undefined) {
        if (group.length >= MAX_GROUP_TASKS[group[0].task.kind]) return "stop";
        if (group[0].task.kind !== task.kind) return "later";
        if (points + task.points > MAX_GROUP_POINTS) return "later";
      }
      if (isWanted(queued)) {
        group.push(queued);
        points += task.points;
      }
      return "take";
    });
    return group;
  }

  async #runGroup(group: Queued[]): Promise<void> {
    const tx = new Transaction();
    const beganMs = performance.now();
    let outcomes: Outcome[], commitMs: number;
    this.#pages.expect(pointsOf(group));
    try {
      this.#begin(beganMs);
    } catch (error) {
      rollback(this.#db);
      // Nothing of them was tried, and none of them could begin by itself.
      this.#rejectAll(group, error, 0);
      return;
    }
    try {
      outcomes = await this.#runTasks(group, tx);
      commitMs = performance.now();
      tx.check();
      this.#commit.get();
    } catch (error) {
      rollback(this.#db);
      if (group.length === 1) this.#rejectAll(group, error, pointsOf(group));
      else await this.#runOneByOne(group);
      return;
    } finally {
      this.#pages.expect(0);
    }
    const committedMs = performance.now();
    try {
      this.#hooks.checkFiles(committedMs);
      tx.publish((state, head) => this.#hooks.publish(state, head));
    } catch (error) {
      this.#lost = this.#lossOf(error);
      this.#rejectAll(group, this.#lost, 0);
      return;
    }
    if (pointsOf(group) >= this.#failedPoints) {
      this.#failed = undefined;
      this.#failedPoints = 0;
    }
    // What the callers go on with has a turn of its own if this one is long already.
    const turnMs = group[0]?.task.kind === "metadata" ? beganMs : commitMs;
    if (committedMs - turnMs > METADATA_MS) await nextTurn();
    await answer(group, outcomes);
    const done = outcomes.length;
    if (done < group.length) this.#queue.putBack(group.slice(done), group.slice(0, done));
    try {
      if (this.#hooks.isCheckpointDue(committedMs)) {
        // The answers are sent before.
        await yieldToEventLoop("write");
        this.#hooks.checkpoint();
      }
    } catch {
      // The disk is full or broken, or the file is another writer's, as the next transaction finds too. The
      // log has everything and stays; SQLite, when it copies within a commit, does not tell either.
    }
    this.#hooks.afterGroup();
  }

  #begin(nowMs: number): void {
    if (this.#lost !== undefined) throw this.#lost;
    this.#hooks.checkOwner(nowMs);
    this.#beginning.get();
    this.#hooks.began();
  }

  /** Does tasks within a transaction: those of metadata, and of several callers, for which there is time. */
  async #runTasks(group: readonly Queued[], tx: Transaction): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const mayPause = group[0]?.task.kind === "points";
    const endMs = group.length === 1
      ? Infinity
      : performance.now() + (mayPause ? SHARED_MS : METADATA_MS);
    for (const { task } of group) {
      // The first one comes right after the last pause.
      if (mayPause && outcomes.length > 0 && isDue()) await yieldToEventLoop("write");
      try {
        const result = task.run(tx);
        const steps = isGenerator(result) ? result : undefined;
        let step = steps?.next();
        for (; step?.done === false; step = steps!.next()) {
          if (mayPause && isDue()) await yieldToEventLoop("write");
        }
        outcomes.push({ value: step === undefined ? result : step.value });
      } catch (error) {
        outcomes.push({ refusal: refusalOf(error) });
      }
      // Tasks of metadata never pause in a transaction: what is left has the next one.
      if (outcomes.length === group.length) break;
      if (performance.now() > endMs && (!mayPause || this.#isShared(group))) break;
    }
    // The commit has a slice of its own.
    if (mayPause && isDue()) await yieldToEventLoop("write");
    return outcomes;
  }

  /** Tells whether several callers wait for tasks. */
  #isShared(group: readonly Queued[]): boolean {
    const owner = group[0]?.owner;
    return this.#queue.hasOthers(owner) || group.some((queued) => queued.owner !== owner);
  }

  /** Does each task of a transaction that failed in one of its own, if it is still wanted. */
  async #runOneByOne(group: readonly Queued[]): Promise<void> {
    for (const queued of group) {
      if (isWanted(queued)) await this.#runGroup([queued]);
      if (isDue()) await yieldToEventLoop("write");
    }
  }

  /** @param points Points that were to be written when the error came up. */
  #rejectAll(group: readonly Queued[], error: unknown, points: number): void {
    const reason = sqliteError(error, this.#path);
    if (reason instanceof BTrDBError && LASTING.has(reason.status)) {
      this.#failed = reason;
      this.#failedPoints = Math.max(this.#failedPoints, points);
    }
    dropFrames(reason);
    for (const { reject } of group) reject(reason);
  }

  /** The error of everything that is to be written after one that came behind a commit. */
  #lossOf(error: unknown): BTrDBError {
    if (error instanceof BTrDBError) return error;
    return new BTrDBError(
      `Cannot use ${this.#path}: it was written, but could not be looked at afterwards (${error}); ` +
        `what was written last may be there; close the database and open it again`,
      { status: "IO_ERROR", cause: error },
    );
  }
}

/**
 * Lets whoever was answered go on, without a turn of the event loop. A loop of awaited inserts queues the
 * next one meanwhile; turns would take a tenth of its time, and there is one when it is due. Work that
 * nobody waits for has a turn for each of its tasks, however short.
 */
function microtasksDone(): Promise<void> {
  return new Promise((resolve) => nextTick(resolve));
}

/** Answers the callers of tasks, so many in a turn of the event loop: all of them go on at once. */
async function answer(group: readonly Queued[], outcomes: readonly Outcome[]): Promise<void> {
  const isLong = outcomes.length > STEP_TASKS;
  for (const [i, { value, refusal }] of outcomes.entries()) {
    if (isLong && i % STEP_TASKS === 0) {
      if (isDue()) await yieldToEventLoop("write");
      else await nextTurn();
    }
    if (refusal !== undefined) group[i]!.reject(refusal);
    else group[i]!.resolve(value);
  }
  // The last of them go on before the next transaction begins.
  if (isLong) await nextTurn();
}

/** The error of one task alone; throws what undoes the transaction. */
function refusalOf(error: unknown): BTrDBError {
  if (!(error instanceof Refusal)) throw error;
  dropFrames(error.error);
  return error.error;
}

/**
 * Takes the frames of an error that is no surprise. V8 keeps them as long as the error, with all that
 * generators among them hold: thousands of errors of one call would keep the points of as many tries.
 */
function dropFrames(error: unknown): void {
  if (!(error instanceof BTrDBError)) return;
  for (let at: unknown = error; at instanceof Error; at = at.cause) at.stack = String(at);
}

/** The error of a call on a database that was closed. */
export function closedError(): BTrDBError {
  return new BTrDBError("The database is closed", { status: "CLOSED" });
}
