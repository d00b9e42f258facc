/**
 * Free pages of a database file, and their return to the file system.
 *
 * @module
 */

import type { CompactProgress } from "../../endpoint/retention.ts";
import type { Database } from "./sqlite.ts";

/** Value of `auto_vacuum` of files that give pages back in steps. */
const INCREMENTAL = 2;

/** Most pages one step moves: 1 MiB of them, each with its parent. */
const MOST_PAGES = 64;

/** Time a step with its commit should take, ms. */
const STEP_MS = 8;

function pragma(db: Database, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

/** Size of a database, and what of it nothing uses. */
export function sizeOf(db: Database): CompactProgress {
  const pageBytes = pragma(db, "page_size");
  return {
    bytes: pragma(db, "page_count") * pageBytes,
    free: pragma(db, "freelist_count") * pageBytes,
  };
}

/** Tells whether a file can give back pages in steps. */
export function isIncremental(db: Database): boolean {
  return pragma(db, "auto_vacuum") === INCREMENTAL;
}

/** Moves pages from the end of a file to where nothing is, as many at a time as go quickly. */
export class VacuumSteps {
  readonly #db: Database;
  #pages = 8;
  #beganMs = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Does a step within the transaction of the caller.
   *
   * @returns The sizes after it.
   */
  run(): CompactProgress {
    this.#beganMs = performance.now();
    this.#db.exec(`PRAGMA incremental_vacuum(${this.#pages})`);
    return sizeOf(this.#db);
  }

  /** Takes note that the step is durable: the next one is as long as one should be. */
  committed(): void {
    const ms = performance.now() - this.#beganMs;
    if (ms > STEP_MS) this.#pages = Math.max(1, this.#pages >> 1);
    else if (ms < STEP_MS / 2) this.#pages = Math.min(MOST_PAGES, this.#pages * 2);
  }
}

/**
 * Writes a whole database anew, so that it can give back pages in steps from then on. It is atomic,
 * and cannot be stopped.
 */
export function rewrite(db: Database): void {
  // What is made on the way is as large as the database, and had better not be in memory.
  db.exec("PRAGMA temp_store = FILE");
  try {
    db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec("VACUUM");
  } finally {
    db.exec("PRAGMA temp_store = MEMORY");
  }
}
