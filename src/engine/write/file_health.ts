/**
 * Tells whether the file of a database can be used now, and finds out by itself when it can be written
 * again: who hears that it cannot writes nothing more.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import { isDue } from "../../core/pacer.ts";
import type { Ownership } from "../file/ownership.ts";
import type { ReaderPlace } from "../file/reader_place.ts";
import type { Database } from "../file/sqlite.ts";
import type { GroupCommit } from "./group_commit.ts";

/** Shortest time between two trials to write while writing fails, ms. */
const TRIAL_MS = 1_000;

/** Bytes that an insert of a single point may write: nodes from the root down, and a full buffer. */
const LEAST_BYTES = 1 << 20;

/** Bytes that an insert writes for each point at most, as far as it has very many. */
const POINT_BYTES = 32;

/** Bytes that a trial writes at once. */
const PIECE_BYTES = 1 << 20;

/** Pages that SQLite keeps in memory during a trial: it writes all others at once. */
const TRIAL_PAGES = 10;

/** An open file. */
export interface HealthParts {
  readonly db: Database;
  readonly path: string;
  /** Absent of a database in memory, and of a file that is open for reading. */
  readonly ownership: Ownership | undefined;
  /** Place of a file that is open for reading. */
  readonly place: ReaderPlace | undefined;
  readonly groupCommit: GroupCommit;
}

/** Health of the file of an open database. */
export class FileHealth {
  readonly #parts: HealthParts;
  /** Time before which nothing is written to see whether that can be done again, ms. */
  #nextTrial = 0;
  /** True while a trial waits or is under way. */
  #isTrying = false;

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  /**
   * Why nothing can be written now, or nothing be read from a file that is open for reading;
   * `undefined` if nothing is known of it.
   */
  trouble(): BTrDBError | undefined {
    const { ownership, place, path, groupCommit } = this.#parts;
    try {
      place?.check();
      const trouble = ownership?.trouble();
      if (trouble !== undefined) return trouble;
      const { failed } = groupCommit;
      this.tryAgain();
      return failed;
    } catch (error) {
      if (error instanceof BTrDBError) return error;
      const text = `Cannot use ${path}: the disk reports an error (${String(error)})`;
      return new BTrDBError(text, { status: "IO_ERROR", cause: error });
    }
  }

  /**
   * If writing fails, looks whether as much can be written as failed to be, at most once a second. Call it
   * after each transaction, too: those that succeed may all be smaller.
   */
  tryAgain(): void {
    const { db, ownership, groupCommit } = this.#parts;
    if (groupCommit.failed === undefined || this.#isTrying) return;
    const now = performance.now();
    if (now < this.#nextTrial) return;
    this.#isTrying = true;
    this.#nextTrial = now + TRIAL_MS;
    const points = groupCommit.failedPoints;
    const run = function* (): Generator<undefined, void> {
      yield* writeInVain(db, LEAST_BYTES + points * POINT_BYTES);
      ownership?.writeFirstPage(db);
    };
    // Its error is what `trouble` tells next.
    groupCommit.submit({ points, kind: "points", isBackground: true, run }).catch(() => {})
      .finally(() => this.#isTrying = false);
  }
}

/**
 * Writes so many bytes to the log and takes them back: the log keeps its length, and with it the room on
 * the disk. Call it within a transaction.
 *
 * @throws What SQLite says if there is no room.
 */
function* writeInVain(db: Database, bytes: number): Generator<undefined, void> {
  const pages = Number(db.prepare("PRAGMA cache_size").get()!["cache_size"]);
  db.exec(`SAVEPOINT trial; PRAGMA cache_size = ${TRIAL_PAGES}`);
  try {
    const insert = db.prepare("INSERT INTO block (id, data) VALUES (?, zeroblob(?))");
    for (let left = bytes, i = 0; left > 0; left -= PIECE_BYTES, i++) {
      insert.run(Number.MAX_SAFE_INTEGER - i, Math.min(left, PIECE_BYTES));
      if (isDue()) yield;
    }
    db.exec("ROLLBACK TO trial; RELEASE trial");
  } finally {
    db.exec(`PRAGMA cache_size = ${pages}`);
  }
}
