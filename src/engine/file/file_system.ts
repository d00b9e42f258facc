/**
 * Checks of a database file in the file system.
 *
 * @module
 */

import { closeSync, openSync, type Stats, statSync } from "node:fs";

/** Status of the file at a path; `undefined` if there is none or it may not be read. */
export function fileAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Tells whether a write-ahead log with changes lies beside a database. */
export function hasLog(path: string): boolean {
  return (fileAt(`${path}-wal`)?.size ?? 0) > 0;
}

/**
 * Tells whether an existing file is on a read-only file system. Call it only when SQLite
 * could not open the file: where it is open, closing it here would take back SQLite's locks.
 */
export function isOnReadOnlyDisk(path: string): boolean {
  try {
    closeSync(openSync(path, "r+"));
    return false;
  } catch (error) {
    return (error as { code?: unknown }).code === "EROFS";
  }
}
