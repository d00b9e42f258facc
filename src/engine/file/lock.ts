/**
 * One writer per database file.
 *
 * The lock is an SQLite transaction on a file of its own beside the database, `<path>-lock`, which
 * stays empty: the operating system releases it when the process ends, however it ends, and readers
 * are not kept out. The file stays; removing it could let two writers in.
 *
 * @module
 */

import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { BTrDBError } from "../../core/errors.ts";
import { SUFFIXES_BESIDE } from "./file_system.ts";
import { type Database, openSqlite, sqliteError } from "./sqlite.ts";

/** Links that are followed to a file that is not there yet. */
const MAX_LINKS = 40;

/** The file itself where `path` leads to it through links, as SQLite opens it. */
export function realPath(path: string, links = 0): string {
  try {
    return realpathSync(path);
  } catch {
    // It is not there yet. A link may say where it will be made.
  }
  if (links === MAX_LINKS) return path;
  try {
    return realPath(resolve(dirname(path), readlinkSync(path)), links + 1);
  } catch {
    return path;
  }
}

/** A held lock. */
export interface WriterLock {
  release(): void;
}

/**
 * Takes the writer's lock of a database.
 *
 * @throws {BTrDBError} With status `LOCKED` if another process has it, `CANNOT_OPEN` if a symbolic
 *   link stands where a file beside the database belongs.
 */
export function lockForWriting(path: string): WriterLock {
  const real = realPath(path);
  refuseLinks(path, real);
  let db: Database | undefined;
  try {
    db = openSqlite(`${real}-lock`, { readOnly: false });
    db.exec("PRAGMA journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db?.close();
    const mapped = sqliteError(error, path);
    const status = mapped instanceof BTrDBError ? mapped.status : undefined;
    if (status === "NOT_A_DATABASE") {
      throw new BTrDBError(
        `Cannot open ${path}: ${real}-lock is not the empty file that is its lock; if no program has ` +
          `the database open, remove it`,
        { status: "CANNOT_OPEN", cause: error },
      );
    }
    if (status !== "LOCKED") throw mapped;
    throw new BTrDBError(
      `Cannot open ${path}: another writer has it open; close it, or open this one read-only`,
      { status: "LOCKED", retryable: true, cause: error },
    );
  }
  const held = db;
  return { release: () => held.close() };
}

/** Refuses links where SQLite would follow them and make or overwrite a file elsewhere. */
function refuseLinks(path: string, real: string): void {
  for (const suffix of SUFFIXES_BESIDE) {
    const info = lstatSync(`${real}${suffix}`, { throwIfNoEntry: false });
    if (info?.isSymbolicLink() !== true) continue;
    throw new BTrDBError(`Cannot open ${path}: ${real}${suffix} is a symbolic link; remove it`, {
      status: "CANNOT_OPEN",
    });
  }
}
