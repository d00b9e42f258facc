/**
 * Rollback journals beside database files. A file of the engine has a write-ahead log, so a rollback
 * journal beside it belongs to another state or another file, and SQLite would copy its pages into the
 * file without asking (sqlite.org/lockingv3.html, "Dealing with hot journals").
 *
 * @module
 */

import { closeSync, readSync } from "node:fs";
import { BTrDBError } from "../../core/errors.ts";
import { fileAt, openIfThere } from "./file_system.ts";
import { FileHeader } from "./header.ts";

/**
 * Refuses a journal that SQLite would roll back into a file that has a write-ahead log.
 *
 * @param path The database, as it is shown.
 * @param real The database, as SQLite opens it.
 * @throws {BTrDBError} `CANNOT_OPEN`.
 */
export function refuseRollbackJournal(path: string, real: string): void {
  const journal = `${real}-journal`;
  if (!isHot(journal) || fileAt(real) === undefined) return;
  const header = FileHeader.open(real);
  try {
    // A crash while the first page is made leaves the journal of that page.
    if (!header.hasWriteAheadLog() || fileAt(real)!.size <= header.pageBytes()) return;
  } finally {
    header.close();
  }
  throw new BTrDBError(
    `Cannot open ${path}: ${journal} is a rollback journal, which this file never has; it belongs ` +
      "to another file, or to a copy: move it away",
    { status: "CANNOT_OPEN" },
  );
}

/** Tells whether a journal may be rolled back: SQLite writes zeros over the first bytes of others. */
function isHot(journal: string): boolean {
  if ((fileAt(journal)?.size ?? 0) === 0) return false;
  const fd = openIfThere(journal);
  if (fd === undefined) return false; // A writer that was making the file has removed it since.
  try {
    const first = new Uint8Array(1);
    return readSync(fd, first, 0, 1, 0) === 1 && first[0] !== 0;
  } finally {
    closeSync(fd);
  }
}
