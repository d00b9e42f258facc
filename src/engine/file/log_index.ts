/**
 * SQLite's index of a write-ahead log, the `-shm` beside a database (sqlite.org/walformat.html, 2).
 *
 * It says how many frames the log has, and SQLite believes it. If another program writes an older state of
 * it, or that of another database, over it while a writer has it open, what is written next goes to the
 * wrong place: over what was acknowledged before, or where nobody finds it.
 *
 * @module
 */

import { openSync, writeSync } from "node:fs";
import type { LogState, OpenLog } from "./wal_file.ts";

/** Bytes of the header, which is there twice. */
const HEADER_BYTES = 96;

/** Times that a log is begun anew just when it is looked at. */
const MAX_TRIES = 8;

/**
 * Descriptors of indexes that were discarded. To close one would take back the locks that the process has
 * on it, those of other connections too.
 */
const leftOpen: number[] = [];

/** The index of an open log. */
export class LogIndex {
  readonly #path: string;
  readonly #log: OpenLog;
  /** The log and its frames when they were counted last. */
  #counted: { readonly state: LogState; readonly frames: number } | undefined;

  /**
   * @param path Path of the index.
   * @param log The log.
   */
  constructor(path: string, log: OpenLog) {
    this.#path = path;
    this.#log = log;
  }

  /**
   * Tells whether the index can be that of the log: with no fewer frames than before, unless the log was
   * begun anew, and the last one ends a transaction of this log.
   *
   * @param count Counts the frames by the index, outside of transactions.
   */
  isOfLog(count: () => number): boolean {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const state = this.#log.state();
      const frames = count();
      if (this.#log.state() !== state) continue;
      // A log that may be begun anew has no frames; what is no log is found elsewhere.
      if (typeof state !== "bigint" || frames === 0) {
        this.#counted = undefined;
        return true;
      }
      const before = this.#counted;
      if (state === before?.state && frames < before.frames) return false;
      if (!this.#log.hasTransactionOf(frames)) return false;
      this.#counted = { state, frames };
      return true;
    }
    return true;
  }

  /** Makes SQLite read the log itself and write the index anew. Call it outside of transactions. */
  discard(): void {
    const index = openSync(this.#path, "r+");
    leftOpen.push(index);
    writeSync(index, new Uint8Array(HEADER_BYTES), 0, HEADER_BYTES, 0);
  }
}
