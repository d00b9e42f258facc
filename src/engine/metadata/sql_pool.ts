/**
 * SQL queries in processes beside the database, so that one that runs long holds up nothing else and
 * is killed at its deadline (docs/engine.md, "SQL").
 *
 * @module
 */

import { abortable, type CallOptions, deadlineExceeded, throwIfOver } from "../../core/call.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { FairSemaphore } from "../../core/fair_semaphore.ts";
import type { SqlOptions, SqlRequest } from "../../endpoint/endpoint.ts";
import { closedError } from "../write/group_commit.ts";
import type { Database } from "../file/sqlite.ts";
import { HeldResults } from "./held_results.ts";
import type { SqlReport, StreamRow } from "./sql_messages.ts";
import { type SqlRunner, startSqlRunner } from "./sql_runner.ts";

/** Longest duration of a query without a limit of its own, ms. */
const MAX_SQL_MS = 60_000;

/** Queries that run at once, each of another owner. */
const MAX_RUNNING = 2;

/** Most queries of an owner that wait for their turn. */
const MAX_WAITING = 64;

/** Runners that were given up and still work; the next query waits. A process ends at once. */
const MAX_ENDING = 2;

/** Streams of a database in memory that are sent to a runner at once. */
const PAGE_ROWS = 1_000;

/** Time for a thread to close its connection at the end, ms. */
const CLOSE_MS = 1_000;

/** Source of the data of a {@linkcode SqlPool}. */
export interface SqlSource {
  readonly db: Database;
  /** Canonical path of the file; absent: the database is in memory. */
  readonly path: string | undefined;
  /** Number that differs when metadata may have changed. */
  readonly metadataVersion: () => number;
}

/** A runner and the streams it has. */
interface Lane {
  readonly runner: SqlRunner;
  /** Metadata version of what it was sent; of a database in memory. */
  sentVersion: number;
}

/** Runs the SQL queries of one database, each owner's one at a time. */
export class SqlPool {
  /** Results whose queries are over. */
  readonly results: HeldResults = new HeldResults();
  readonly #source: SqlSource;
  readonly #turns = new FairSemaphore(MAX_RUNNING);
  /** Runners that have nothing to do. */
  readonly #idle: Lane[] = [];
  readonly #busy = new Set<Lane>();
  readonly #ending = new Set<Promise<void>>();
  #isClosed = false;

  /** @param source Data of the queries. The first runner starts with the first query. */
  constructor(source: SqlSource) {
    this.#source = source;
  }

  /**
   * Runs a query.
   *
   * @returns Rows as JSON objects in text form.
   * @throws {BTrDBError} 441 when the query is not allowed, wrong or too expensive; 426 when too
   *   many of its owner wait; `DEADLINE_EXCEEDED` when it takes too long.
   */
  async run(request: SqlRequest, options: SqlOptions = {}): Promise<string[]> {
    const { owner } = options;
    throwIfOver(options, "run SQL");
    if (this.#turns.waiting(owner) >= MAX_WAITING) {
      throw new BTrDBError("Cannot run SQL: too many queries are waiting", {
        code: ErrorCode.ResourceDepleted,
      });
    }
    await this.#turns.take(owner, options, "run SQL");
    try {
      const lastMs = Date.now() + (options.limitMs ?? MAX_SQL_MS);
      const call = { ...options, deadlineMs: Math.min(options.deadlineMs ?? Infinity, lastMs) };
      while (this.#ending.size >= MAX_ENDING) {
        await abortable(Promise.race(this.#ending), call, "run SQL");
      }
      return await this.#inTurn(request, call);
    } finally {
      this.#turns.release(owner);
    }
  }

  /** Ends all runners. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const lane of [...this.#idle, ...this.#busy]) this.#end(lane);
    this.#idle.length = 0;
    const ended = Promise.all(this.#ending);
    await abortable(ended, { deadlineMs: Date.now() + CLOSE_MS }, "close SQL").catch(() => {});
  }

  /** Ends a runner, whose connection to a file is then closed. */
  #end(lane: Lane): void {
    const end: Promise<void> = lane.runner.end().finally(() => this.#ending.delete(end));
    this.#ending.add(end);
  }

  async #inTurn(request: SqlRequest, call: { deadlineMs: number } & CallOptions) {
    let lane = this.#idle.pop();
    while (lane?.runner.isAlive() === false) lane = this.#idle.pop();
    lane ??= this.#start();
    this.#busy.add(lane);
    lane.runner.hold(true);
    let isWhole = false;
    try {
      await this.#sendStreams(lane, call);
      const rows = this.#rows(lane.runner);
      lane.runner.order({ type: "query", request, deadlineMs: call.deadlineMs });
      const answer = await abortable(rows, call, "run SQL");
      isWhole = true;
      return answer;
    } catch (error) {
      isWhole = error instanceof BTrDBError && error.code !== 0;
      throw error;
    } finally {
      this.#busy.delete(lane);
      if (!this.#isClosed) {
        lane.runner.hold(false);
        if (isWhole) this.#idle.push(lane);
        else this.#end(lane);
      }
    }
  }

  #start(): Lane {
    if (this.#isClosed) throw closedError();
    const runner = startSqlRunner();
    const { path } = this.#source;
    if (path !== undefined) runner.order({ type: "open", path });
    return { runner, sentVersion: -1 };
  }

  /** The rows that a runner reports. */
  #rows(runner: SqlRunner): Promise<string[]> {
    const rows: string[] = [];
    return new Promise<string[]>((resolve, reject) => {
      const hear = (report: SqlReport) => {
        if ("message" in report) {
          unlisten();
          return reject(errorOf(report));
        }
        for (const row of report.rows) rows.push(row);
        if (!report.isLast) return;
        unlisten();
        resolve(rows);
      };
      const fail = (error?: Error) => {
        unlisten();
        reject(this.#isClosed ? closedError() : error ?? ended());
      };
      const unlisten = runner.listen(hear, fail);
    });
  }

  /** Brings the streams of a database in memory up to date in a runner. */
  async #sendStreams(lane: Lane, call: CallOptions): Promise<void> {
    const { db, path, metadataVersion } = this.#source;
    const version = metadataVersion();
    if (path !== undefined || version === lane.sentVersion) return;
    const page = db.prepare(
      "SELECT id, uuid, collection, tags, annotations, property_version FROM stream " +
        `WHERE id > ? ORDER BY id LIMIT ${PAGE_ROWS}`,
    );
    let last = -1;
    for (let first = true;; first = false) {
      const rows = page.all(last).map((row) => Object.values(row) as unknown as StreamRow);
      lane.runner.order({ type: "streams", rows, first });
      if (rows.length < PAGE_ROWS) break;
      last = rows.at(-1)![0];
      await new Promise((resolve) => setTimeout(resolve, 0));
      throwIfOver(call, "run SQL");
      if (this.#isClosed) throw closedError();
    }
    lane.sentVersion = version;
  }
}

function errorOf({ message, code, status }: Extract<SqlReport, { message: string }>): BTrDBError {
  if (status === "DEADLINE_EXCEEDED") return deadlineExceeded("run SQL");
  return new BTrDBError(message, code === 0 ? { status } : { code });
}

/** The error of a query whose process has ended, which only another process can have brought about. */
function ended(): BTrDBError {
  return new BTrDBError("Cannot run SQL: its process has ended", {
    status: "INTERNAL",
    retryable: true,
  });
}
