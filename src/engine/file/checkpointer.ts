/**
 * Copies SQLite's log to the file once it is long, apart from the commits (docs/engine.md,
 * "Concurrency"). By itself SQLite does so at the end of a commit, as a part of it.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import type { Database, Statement } from "./sqlite.ts";

/** Pages of the log from which on it is copied after a commit, 4 MiB: it is begun anew then. */
const LONG_LOG_PAGES = 256;

/** Time for which nobody else is expected to copy the log, ms. */
const FRESH_MS = 5;

/**
 * Makes the statement that counts the pages of the log and those that are in the file, as an array
 * behind a 0 or 1, without doing anything.
 *
 * @returns `undefined` in releases of SQLite before 3.51.
 */
export function logFrames(db: Pick<Database, "prepare">): Statement | undefined {
  const version = String(db.prepare("SELECT sqlite_version() AS version").get()!["version"]);
  const [major, minor] = version.split(".").map(Number);
  if (!(major! > 3 || (major === 3 && minor! >= 51))) return undefined;
  const frames = db.prepare("PRAGMA wal_checkpoint(NOOP)");
  frames.setReturnArrays?.(true);
  return frames;
}

/** Checkpoints of a writer's log. */
export class Checkpointer {
  readonly #db: Database;
  readonly #frames: Statement | undefined;
  readonly #checkIndex: ((count: () => number) => void) | undefined;
  #inLog = 0;
  /** Pages of the log that are in the file; `undefined` if some are not. */
  #inFile: number | undefined;
  /** The last time that both were counted, ms, if nothing but transactions was written or copied since. */
  #countedAt = -Infinity;

  /**
   * @param db The writer's connection; where SQLite cannot tell how long its log is, commits copy it.
   * @param checkIndex Is called whenever pages are counted, with a function that counts them. Throws if
   *   they cannot be those of the log.
   */
  constructor(db: Database, checkIndex?: (count: () => number) => void) {
    this.#db = db;
    this.#checkIndex = checkIndex;
    this.#frames = logFrames(db);
    const pages = this.#frames === undefined ? LONG_LOG_PAGES : 0;
    db.exec(`PRAGMA wal_autocheckpoint = ${pages}`);
  }

  /**
   * Tells whether the log is long, and the file lacks some of it. Call it after each transaction, outside
   * of others. While the log is short, its pages are counted after those that end more than 5 ms after
   * the last count: a count takes as long as a small insert's statement.
   *
   * @param nowMs The time, on the clock of `performance.now()`.
   */
  isDue(nowMs: number): boolean {
    if (this.#inLog < LONG_LOG_PAGES && this.#isFresh(nowMs)) {
      this.#inFile = undefined;
      return false;
    }
    this.#count();
    return this.#inLog >= LONG_LOG_PAGES && this.#inLog !== this.#inFile;
  }

  /**
   * Tells whether the file has all of the log, so that what is written next begins it anew if no reader
   * needs it. Call it before a transaction. A count is trusted for 5 ms: another program may have
   * copied the log.
   *
   * @param nowMs The time, on the clock of `performance.now()`.
   */
  isLogInFile(nowMs: number): boolean {
    if (!this.#isFresh(nowMs)) this.#count();
    return this.#inLog === this.#inFile;
  }

  #isFresh(nowMs: number): boolean {
    return nowMs - this.#countedAt <= FRESH_MS;
  }

  /** Copies what readers permit; what fails loses nothing, because the log has everything. */
  run(): void {
    this.forget();
    this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /** Call it when something else than a transaction wrote to the log or copied it. */
  forget(): void {
    this.#countedAt = -Infinity;
  }

  /**
   * Counts the pages if no read is under way, for the check of them alone: what comes next writes to the
   * log, or copies it.
   *
   * @throws {BTrDBError} If they cannot be those of the log.
   */
  check(): void {
    try {
      this.#count();
    } catch (error) {
      if (error instanceof BTrDBError) throw error;
    } finally {
      this.forget();
    }
  }

  #count(): void {
    this.forget();
    const frames = this.#frames;
    if (frames === undefined) return;
    const count = (): number => {
      const [, inLog, inFile] = Object.values(frames.get()!);
      this.#inLog = Number(inLog);
      this.#inFile = Number(inFile);
      return this.#inLog;
    };
    if (this.#checkIndex === undefined) count();
    else this.#checkIndex(count);
    this.#countedAt = performance.now();
  }
}
