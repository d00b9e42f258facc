/**
 * Memory for pages of the file, of a writer's connection.
 *
 * @module
 */

import type { Database } from "./sqlite.ts";

/** Memory for pages, KiB. */
export const PAGES_KIB = 16_384;

/** The same while a transaction has very many points, KiB. */
const BULK_PAGES_KIB = 2_048;

/** Points of such a transaction. */
const BULK_POINTS = 65_536;

/**
 * Keeps few pages while very many are made: SQLite then writes the others to its log as they are made. A
 * commit would write all of them at once, within one turn of the event loop.
 */
export class PageCache {
  readonly #db: Pick<Database, "exec">;
  #kib = PAGES_KIB;

  /** @param db Connection that keeps {@linkcode PAGES_KIB}. */
  constructor(db: Pick<Database, "exec">) {
    this.#db = db;
  }

  /** Call it before a transaction with so many points, and with 0 after it. */
  expect(points: number): void {
    const kib = points >= BULK_POINTS ? BULK_PAGES_KIB : PAGES_KIB;
    if (kib === this.#kib) return;
    try {
      this.#db.exec(`PRAGMA cache_size = -${kib}`);
      this.#kib = kib;
    } catch {
      // Only how long a commit takes depends on it: the next transaction tries again.
    }
  }
}
