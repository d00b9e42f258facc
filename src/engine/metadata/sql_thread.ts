/**
 * SQL queries in a thread beside the database, so that one that runs long holds up nothing else and
 * can be given up at its deadline (docs/engine.md, "SQL").
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { abortable, type CallOptions, throwIfOver } from "../../core/call.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { Semaphore } from "../../core/semaphore.ts";
import type { SqlRequest } from "../../endpoint/endpoint.ts";
import { closedError } from "../write/group_commit.ts";
import type { Database } from "../file/sqlite.ts";
import { CLOSED, type SqlOrder, type SqlReport, type StreamRow } from "./sql_messages.ts";

/** Longest duration of a query without a deadline, ms. */
const MAX_SQL_MS = 60_000;

/** Most queries that wait for the thread. */
const MAX_WAITING = 64;

/** Most threads that were given up and still work: SQLite cannot be interrupted inside of a row. */
const MAX_ABANDONED = 2;

/** Streams of a database in memory that are sent to the thread at once. */
const PAGE_ROWS = 1_000;

/** Time for the thread to close its connection at the end, ms. */
const CLOSE_MS = 1_000;

/** Source of the data of a {@linkcode SqlThread}. */
export interface SqlSource {
  readonly db: Database;
  /** Canonical path of the file; absent: the database is in memory. */
  readonly path: string | undefined;
  /** Number that differs when metadata may have changed. */
  readonly metadataVersion: () => number;
}

/** Runs the SQL queries of one database, one at a time, in a thread that is replaced when need be. */
export class SqlThread {
  readonly #source: SqlSource;
  readonly #turn = new Semaphore(1);
  #worker: Worker | undefined;
  #sentVersion = -1;
  #abandoned = 0;
  #isClosed = false;

  /** @param source Data of the queries. The thread starts with the first query. */
  constructor(source: SqlSource) {
    this.#source = source;
  }

  /**
   * Runs a query.
   *
   * @returns Rows as JSON objects in text form.
   * @throws {BTrDBError} 441 when the query is not allowed, wrong or too expensive; 426 when too
   *   many wait; `DEADLINE_EXCEEDED` when it takes too long.
   */
  async run(request: SqlRequest, options: CallOptions = {}): Promise<string[]> {
    throwIfOver(options, "run SQL");
    const lastMs = Date.now() + MAX_SQL_MS;
    const call = { ...options, deadlineMs: Math.min(options.deadlineMs ?? Infinity, lastMs) };
    if (this.#turn.waiting >= MAX_WAITING || this.#abandoned >= MAX_ABANDONED) {
      throw new BTrDBError("Cannot run SQL: too many queries are running", {
        code: ErrorCode.ResourceDepleted,
      });
    }
    await this.#turn.take(call, "run SQL");
    try {
      return await this.#inTurn(request, call);
    } finally {
      this.#turn.release();
    }
  }

  /** Closes the connection of the thread and ends it. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    const end = this.#retire(worker);
    await abortable(end, { deadlineMs: Date.now() + CLOSE_MS }, "close SQL").catch(() => {});
    await worker.terminate();
  }

  /** Ends a thread once its statement has ended and its connection is closed. */
  async #retire(worker: Worker): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      worker.on("message", (message) => message === CLOSED && resolve());
      worker.once("error", () => resolve());
    });
    this.#order(worker, { type: "close" });
    await closed;
    await worker.terminate();
  }

  async #inTurn(request: SqlRequest, call: { deadlineMs: number } & CallOptions) {
    const worker = this.#worker ??= this.#start();
    worker.ref();
    try {
      await this.#sendStreams(worker, call);
      const report = this.#report(worker);
      this.#order(worker, { type: "query", request, deadlineMs: call.deadlineMs });
      const answer = await abortable(report, call, "run SQL");
      if ("rows" in answer) return answer.rows;
      const { message, code, status } = answer;
      throw new BTrDBError(message, code === 0 ? { status } : { code });
    } catch (error) {
      if (!(error instanceof BTrDBError) || error.code === 0) this.#abandon(worker);
      throw error;
    } finally {
      worker.unref();
    }
  }

  #start(): Worker {
    if (this.#isClosed) throw closedError();
    const worker = new Worker(new URL("./sql_worker.ts", import.meta.url));
    this.#sentVersion = -1;
    const { path } = this.#source;
    if (path !== undefined) this.#order(worker, { type: "open", path });
    return worker;
  }

  /** Gives a thread up; the next query starts another. */
  #abandon(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#abandoned++;
    this.#retire(worker).then(() => this.#abandoned--);
  }

  #order(worker: Worker, order: SqlOrder): void {
    worker.postMessage(order);
  }

  #report(worker: Worker): Promise<SqlReport> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        worker.off("message", hear);
        worker.off("error", fail);
        worker.off("exit", exit);
      };
      const hear = (report: SqlReport) => (settle(), resolve(report));
      const fail = (error: Error) => (settle(), reject(error));
      // Only when the database is closed meanwhile.
      const exit = () => fail(closedError());
      worker.on("message", hear);
      worker.on("error", fail);
      worker.on("exit", exit);
    });
  }

  /** Brings the streams of a database in memory up to date in the thread. */
  async #sendStreams(worker: Worker, call: CallOptions): Promise<void> {
    const { db, path, metadataVersion } = this.#source;
    const version = metadataVersion();
    if (path !== undefined || version === this.#sentVersion) return;
    const page = db.prepare(
      "SELECT id, uuid, collection, tags, annotations, property_version FROM stream " +
        `WHERE id > ? ORDER BY id LIMIT ${PAGE_ROWS}`,
    );
    let last = -1;
    for (let first = true;; first = false) {
      const rows = page.all(last).map((row) => Object.values(row) as unknown as StreamRow);
      this.#order(worker, { type: "streams", rows, first });
      if (rows.length < PAGE_ROWS) break;
      last = rows.at(-1)![0];
      await new Promise((resolve) => setTimeout(resolve, 0));
      throwIfOver(call, "run SQL");
      if (this.#isClosed) throw closedError();
    }
    this.#sentVersion = version;
  }
}
