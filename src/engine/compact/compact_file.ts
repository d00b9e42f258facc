/**
 * Compacts a database file, even beside the process that writes it.
 *
 * @module
 */

import { statSync } from "node:fs";
import { checkPath } from "../../core/check_path.ts";
import { delay, throwIfOver } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import type { CompactCallOptions, CompactReport } from "../../endpoint/retention.ts";
import { fileError } from "../file/file_system.ts";
import { rollback } from "../file/schema.ts";
import { type Database, openSqlite, sqliteError } from "../file/sqlite.ts";
import { isIncremental, sizeOf, VacuumSteps } from "../file/vacuum.ts";
import { openEngine, openForReading } from "../open.ts";
import { rewriteNeeded } from "../write/compact.ts";

/** Shortest pause between two steps beside a writer, ms: it is left alone for as long as it waited. */
const PAUSE_MS = 5;

/** Longest time a writer may be in transactions whenever it is looked at, ms. */
const MAX_WAIT_MS = 60_000;

/**
 * Makes a file smaller: gives back the room that nothing uses, in small steps. If another process
 * writes it, the steps are taken beside it: they change where things are, and nothing that it knows.
 *
 * @throws {BTrDBError} `REWRITE_NEEDED` if the file was not made for it and may not be written anew,
 *   `LOCKED` if it is to be written anew while another process writes it, `CANNOT_OPEN` if it is not
 *   there.
 */
export async function compactFile(
  path: string,
  options: CompactCallOptions = {},
): Promise<CompactReport> {
  checkPath("compact", path, "path");
  refuseMissing(path);
  try {
    await using engine = await openEngine({ path });
    return await engine.compact(options);
  } catch (error) {
    const isLocked = error instanceof BTrDBError && error.status === "LOCKED";
    if (!isLocked || options.rewrite === true) throw error;
  }
  const { db: reader, held } = openForReading(path); // Says what is wrong with the file.
  let db: Database | undefined;
  try {
    db = openSqlite(path, { readOnly: false });
    // What is moved is where it was if the power fails: nothing depends on it.
    db.exec("PRAGMA synchronous = NORMAL");
    return await compactBeside(db, path, options);
  } catch (error) {
    throw sqliteError(error, path);
  } finally {
    db?.close();
    // Closed last: SQLite removes a log with the last connection that may write, and the file of a writer
    // that was killed meanwhile is not opened without it.
    reader.close();
    held?.close();
  }
}

function refuseMissing(path: string): void {
  try {
    statSync(path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw fileError(error, path);
    throw new BTrDBError(`Cannot open ${path}: it is not there`, { status: "CANNOT_OPEN" });
  }
}

async function compactBeside(
  db: Database,
  path: string,
  options: CompactCallOptions,
): Promise<CompactReport> {
  if (!isIncremental(db)) throw rewriteNeeded(path);
  const begin = sizeOf(db);
  const steps = new VacuumSteps(db);
  let size = begin;
  // What is freed meanwhile is left for the next time, or it might never end.
  const end = size.bytes - size.free;
  let begun = performance.now();
  while (size.free > 0 && size.bytes > end) {
    throwIfOver(options, "compact");
    const start = performance.now();
    if (begins(db, start - begun < MAX_WAIT_MS)) {
      begun = start;
      try {
        size = steps.run();
        db.exec("COMMIT");
      } catch (error) {
        rollback(db);
        throw error;
      }
      steps.committed();
      options.onProgress?.(size);
    }
    await delay(Math.max(PAUSE_MS, performance.now() - start), options);
  }
  db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  return { before: begin.bytes, after: size.bytes, free: size.free };
}

/**
 * Begins a transaction, unless the writer has one under way.
 *
 * @param mayWait False to throw in that case.
 */
function begins(db: Database, mayWait: boolean): boolean {
  try {
    db.exec("BEGIN IMMEDIATE");
    return true;
  } catch (error) {
    const mapped = sqliteError(error, "");
    if (mayWait && mapped instanceof BTrDBError && mapped.status === "LOCKED") return false;
    throw error;
  }
}
