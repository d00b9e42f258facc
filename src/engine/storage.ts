/**
 * Open database: checks calls, runs reads on one state, queues writes.
 *
 * @module
 */

import { abortable, throwIfOver } from "../core/call.ts";
import { inSlices } from "../core/pacer.ts";
import { invalidType } from "../core/argument_error.ts";
import { BTrDBError } from "../core/errors.ts";
import type { CallOptions, CreateRequest, Readers } from "../endpoint/endpoint.ts";
import { ChangeQueue } from "./metadata/change_queue.ts";
import { newStreamInSteps } from "./metadata/new_stream.ts";
import type { CompactCallOptions, CompactReport } from "../endpoint/retention.ts";
import { Checkpointer } from "./file/checkpointer.ts";
import { Deletions } from "./file/deletions.ts";
import { realPath, type WriterLock } from "./file/lock.ts";
import type { HeldFile } from "./file/held_file.ts";
import type { ReaderPlace } from "./file/reader_place.ts";
import type { Ownership } from "./file/ownership.ts";
import { compact } from "./write/compact.ts";
import { SqlPool } from "./metadata/sql_pool.ts";
import { type ChangeRequest, MetadataStore } from "./metadata/store.ts";
import { type Database, sqliteError } from "./file/sqlite.ts";
import type { BlockStore } from "./tree/block_store.ts";
import type { LateLimits } from "./tree/late_plan.ts";
import type { LateStore } from "./tree/late_store.ts";
import { Journal } from "./stream/journal.ts";
import type { StartReaders } from "./options.ts";
import { Expiry } from "./retention/expiry.ts";
import type { LeafPacker } from "./packing/leaf_packer.ts";
import { RetentionRules } from "./retention/rules.ts";
import { StreamRegistry } from "./stream/registry.ts";
import { SubscriptionHub } from "./subscription_hub.ts";
import { BufferFlusher } from "./write/buffer_flusher.ts";
import { Reclaimer } from "./write/reclaimer.ts";
import { FileHealth } from "./write/file_health.ts";
import { Removals } from "./removals.ts";
import { PointWriter } from "./write/point_writer.ts";
import { closedError, GroupCommit } from "./write/group_commit.ts";
import type { Task } from "./write/transaction.ts";

/** Parts of an open database. */
export interface StorageParts {
  db: Database;
  path: string;
  readOnly: boolean;
  lock: WriterLock | undefined;
  ownership: Ownership | undefined;
  /** Held while a file is open for reading. */
  held: HeldFile | undefined;
  /** Place of a file that is open for reading. */
  place: ReaderPlace | undefined;
  store: BlockStore;
  versions: LateStore;
  lateLimits: LateLimits;
  maxInsertPoints: number;
  maxBufferAgeMs: number;
  maxBufferedPoints: number;
  cacheStreams: number;
  now: (() => number) | undefined;
  expiryTickMs: number | undefined;
  cacheBytes: number;
  startReaders: StartReaders | undefined;
  packer: LeafPacker | undefined;
}

/** Connections to files that another writer has taken: closing one would write its log to the file. */
const abandoned = new Set<Database>();

/** An open database. */
export class Storage {
  readonly db: Database;
  readonly store: BlockStore;
  readonly versions: LateStore;
  readonly streams: StreamRegistry;
  readonly metadata: MetadataStore;
  readonly points: PointWriter;
  readonly sql: SqlPool;
  readonly hub: SubscriptionHub = new SubscriptionHub();
  readonly #changes = new ChangeQueue();
  readonly rules: RetentionRules;
  readonly expiry: Expiry;
  readonly removals: Removals;
  readonly maxInsertPoints: number;
  readonly #parts: StorageParts;
  readonly #checkpointer: Checkpointer | undefined;
  readonly #groupCommit: GroupCommit;
  readonly #health: FileHealth;
  readonly #flusher: BufferFlusher;
  readonly #reclaimer: Reclaimer;
  readonly #deletions: Deletions;
  readonly #journal: Journal;
  readonly #dataVersion;
  /** Work that waits until no transaction is under way. */
  #between: (() => void)[] = [];
  #seenVersion: unknown;
  #closing: Promise<void> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #pools = new Set<Readers>();
  /** True while a reader holds on to a state, so that nested reads see the same one. */
  #holdsState = false;

  constructor(parts: StorageParts) {
    const { db } = parts;
    this.#parts = parts;
    this.db = db;
    this.store = parts.store;
    this.versions = parts.versions;
    this.maxInsertPoints = parts.maxInsertPoints;
    this.#journal = new Journal(
      db,
      parts.readOnly ? undefined : (task) => this.#groupCommit.submit(task),
    );
    this.streams = new StreamRegistry(
      db,
      this.#journal,
      parts.cacheStreams,
      // What a transaction under way has changed is with the states it has seen.
      () => parts.readOnly || !this.#groupCommit.isRunning,
    );
    this.metadata = new MetadataStore(db);
    const { path } = parts;
    this.sql = new SqlPool({
      db,
      path: path === ":memory:" ? undefined : realPath(path),
      metadataVersion: () => this.metadata.changes,
    });
    const { store, versions, lateLimits } = parts;
    this.#deletions = new Deletions(db);
    this.rules = new RetentionRules(db, parts.readOnly);
    this.points = new PointWriter(
      db,
      store,
      versions,
      lateLimits,
      this.#journal,
      this.#deletions,
      parts.packer,
    );
    const checkpointer = this.#checkpointer = parts.readOnly
      ? undefined
      : new Checkpointer(db, parts.ownership && ((count) => parts.ownership!.checkIndex(count)));
    this.#groupCommit = new GroupCommit(db, parts.path, {
      checkOwner: (nowMs) => {
        parts.ownership?.beforeTransaction(checkpointer!.isLogInFile(nowMs), nowMs);
      },
      began: () => parts.ownership?.signLog(db),
      checkFiles: (nowMs) => parts.ownership?.checkFiles(nowMs),
      publish: (state, head) => this.streams.replaceHead(state, head),
      isCheckpointDue: (nowMs) => checkpointer?.isDue(nowMs) === true,
      checkpoint: () => {
        parts.ownership?.checkSize();
        parts.ownership?.noteCopy(db);
        checkpointer?.run();
        parts.ownership?.checkSize();
      },
      afterGroup: () => {
        const between = this.#between;
        this.#between = [];
        for (const work of between) work();
        this.#flusher.commitLater(this.streams.forgetIdle());
        this.#flusher.relieve();
        this.#health.tryAgain();
      },
    });
    this.#health = new FileHealth({ ...parts, groupCommit: this.#groupCommit });
    this.#flusher = new BufferFlusher({
      streams: this.streams,
      journal: this.#journal,
      maxBufferAgeMs: parts.maxBufferAgeMs,
      maxBufferedPoints: parts.maxBufferedPoints,
      submit: (task) => this.#groupCommit.submit(task),
      flush: (tx, state) => this.points.flush(tx, state),
    });
    this.#reclaimer = new Reclaimer(
      db,
      parts.store,
      (task) => this.#groupCommit.submit(task),
    );
    this.removals = new Removals({
      streams: this.streams,
      metadata: this.metadata,
      journal: this.#journal,
      deletions: this.#deletions,
      reclaimer: this.#reclaimer,
      submit: (task, options) => this.submit(task, options),
    });
    this.expiry = new Expiry({
      db,
      store,
      versions,
      streams: this.streams,
      metadata: this.metadata,
      points: this.points,
      deletions: this.#deletions,
      rules: this.rules,
      reclaimer: this.#reclaimer,
      onOneState: (work) => this.onOneState(work),
      submit: (task) => this.submit(task, undefined),
      now: parts.now ?? Date.now,
      tickMs: parts.expiryTickMs,
    });
    this.#dataVersion = db.prepare("PRAGMA data_version");
    if (!parts.readOnly) {
      const everyMs = Math.min(parts.maxBufferAgeMs, 120_000);
      this.#timer = setInterval(() => {
        this.#flusher.flushOld();
        this.streams.age();
      }, Math.max(everyMs, 10));
      this.#reclaimer.start();
      this.#journal.start();
      this.expiry.start();
    }
  }

  /**
   * Runs `work` with the errors of SQLite translated.
   *
   * @throws What `work` throws; a `BTrDBError` with status `CLOSED` after {@linkcode close}.
   */
  // deno-lint-ignore require-await
  async checked<T>(options: CallOptions | undefined, work: () => T | Promise<T>): Promise<T> {
    throwIfOver(options, "begin the call");
    return this.onOneState(work);
  }

  /**
   * Runs `work` on one state of the database. The writer is alone; a reader beside it takes note of
   * what it did and holds on to that state meanwhile.
   */
  onOneState<T>(work: () => T): T {
    if (this.#closing !== undefined) throw closedError();
    try {
      if (!this.#parts.readOnly || this.#holdsState) return work();
      this.#parts.place?.check();
      this.db.exec("BEGIN");
      this.#holdsState = true;
      try {
        this.#refresh();
        return work();
      } finally {
        this.#holdsState = false;
        this.db.exec("COMMIT");
      }
    } catch (error) {
      throw sqliteError(error, this.#parts.path);
    }
  }

  /** Runs `work` with the errors of SQLite translated, on the state that there is. */
  withOwnErrors<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw sqliteError(error, this.#parts.path);
    }
  }

  #refresh(): void {
    const version = this.#dataVersion.get()?.["data_version"];
    if (version === this.#seenVersion) return;
    this.streams.reload();
    this.#seenVersion = version;
  }

  /**
   * A source whose errors are translated, and which ends with an error when the database closes.
   */
  *translated<T>(source: Iterable<T>): Generator<T> {
    if (this.#closing !== undefined) throw closedError();
    try {
      for (const item of source) {
        yield item;
        if (this.#closing !== undefined) throw closedError();
      }
    } catch (error) {
      throw sqliteError(error, this.#parts.path);
    }
  }

  /**
   * Why nothing can be written now, or nothing be read from a file that is open for reading;
   * `undefined` if nothing is known of it.
   */
  trouble(): BTrDBError | undefined {
    if (this.#closing !== undefined) return closedError();
    return this.#health.trouble();
  }

  /** True if the file was opened for reading only. */
  get isReadOnly(): boolean {
    return this.#parts.readOnly;
  }

  /** Queues a task for the writer. */
  submit<T>(task: Task<T>, options: CallOptions | undefined): Promise<T> {
    if (this.#parts.readOnly) {
      const message = `Cannot write to ${this.#parts.path}: it was opened read-only`;
      return Promise.reject(new BTrDBError(message, { status: "READ_ONLY" }));
    }
    return this.#groupCommit.submit(task, options);
  }

  /** Does something while no transaction is under way, before the next one begins. */
  betweenTransactions(work: () => void, options: CallOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      this.#between.push(() => {
        if (isOver) return;
        try {
          this.#parts.ownership?.check();
          this.#checkpointer?.check();
          work();
          resolve();
        } catch (error) {
          reject(sqliteError(error, this.#parts.path));
        }
      });
      this.submit({ points: 0, kind: "points", run: () => {} }, options).catch((error) => {
        isOver = true;
        reject(error);
      });
    });
  }

  /** Gives room that nothing uses back to the file system, once what is to be removed is removed. */
  async compact(options: CompactCallOptions): Promise<CompactReport> {
    await abortable(this.#reclaimer.finishedAll(), options, "compact");
    await abortable(this.#journal.removeSpent(), options, "compact");
    const { path } = this.#parts;
    return await compact({
      db: this.db,
      path,
      submit: (task, options) => this.submit(task, options),
      betweenTransactions: (work, options) => this.betweenTransactions(work, options),
    }, options);
  }

  /** Queues a change of the metadata. */
  changeMetadata(
    change: (metadata: MetadataStore) => void,
    options: CallOptions | undefined,
  ): Promise<void> {
    return this.submit(
      { points: 0, kind: "metadata", run: () => change(this.metadata) },
      options,
    );
  }

  /** Makes a stream. The rows of one with many tags are worked out in steps, and written in one. */
  createStream(request: CreateRequest, options: CallOptions | undefined): Promise<void> {
    const isShort = this.isReadOnly ||
      !(this.#changes.isUnderWay(request.uuid) || this.metadata.isLongNew(request));
    if (isShort) return this.changeMetadata((metadata) => metadata.create(request), options);
    return this.#changes.run(request.uuid, async () => {
      const stream = await inSlices(newStreamInSteps(request), options, "write");
      await this.changeMetadata((metadata) => metadata.add(stream), options);
    });
  }

  /**
   * Changes the metadata of a stream. A long change is worked out in steps, and written in one; those of
   * a stream follow each other, as each is worked out on the one before it.
   */
  changeStream(request: ChangeRequest, options: CallOptions | undefined): Promise<void> {
    const isShort = this.isReadOnly ||
      !(this.#changes.isUnderWay(request.uuid) || this.metadata.isLong(request));
    if (isShort) return this.changeMetadata((metadata) => metadata.change(request), options);
    return this.#changes.run(request.uuid, () => this.#workOutAndWrite(request, options));
  }

  async #workOutAndWrite(
    request: ChangeRequest,
    options: CallOptions | undefined,
  ): Promise<void> {
    // Once more if a short change was under way, or the stream was being made.
    for (let isWritten = false; !isWritten;) {
      const steps = this.#onOpenFile(this.metadata.workOut(request));
      const change = await inSlices(steps, options, "write");
      const run = () => this.metadata.write(request, change);
      isWritten = await this.submit({ points: 0, kind: "metadata", run }, options);
    }
  }

  /** As {@linkcode translated}, of steps that have a result. */
  *#onOpenFile<T>(steps: Generator<undefined, T>): Generator<undefined, T> {
    try {
      for (;;) {
        if (this.#closing !== undefined) throw closedError();
        const step = steps.next();
        if (step.done) return step.value;
        yield;
      }
    } catch (error) {
      throw sqliteError(error, this.#parts.path);
    }
  }

  /**
   * Opens the file in threads too. Their caches are together as large as the one of this database.
   *
   * @param count Number of threads.
   * @throws {TypeError} If the database is in memory.
   */
  async openReaders(count: number): Promise<Readers> {
    if (this.#closing !== undefined) throw closedError();
    const { path, place, cacheBytes, cacheStreams, startReaders } = this.#parts;
    if (path === ":memory:" || startReaders === undefined) {
      throw invalidType(
        `Cannot read in ${count} threads: the database is in memory, expected one in a file`,
      );
    }
    const pool = startReaders(count, {
      path: realPath(path),
      cacheBytes: Math.floor(cacheBytes / count),
      cacheStreams: Math.floor(cacheStreams / count),
    }, () => place?.check());
    this.#pools.add(pool);
    try {
      await pool.opened();
      place?.check();
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  /** Finishes what is queued, then closes everything; idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.expiry.stop();
    await this.#groupCommit.close();
    await Promise.all([...this.#pools].map((pool) => pool.close()));
    await this.sql.close();
    this.hub.close();
    const { ownership, held, lock, path } = this.#parts;
    try {
      ownership?.checkFiles();
      ownership?.checkSize();
      this.#checkpointer?.check();
    } catch (error) {
      // Closing would write the log over another's file, or remove it although its file is elsewhere.
      abandoned.add(this.db);
      ownership?.close();
      lock?.release();
      throw sqliteError(error, path);
    }
    ownership?.release(this.db);
    this.db.close();
    held?.close();
    ownership?.close();
    lock?.release();
  }
}
