/**
 * What the file system lets be done with a database file.
 *
 * @module
 */

import { closeSync, openSync, type Stats, statSync } from "node:fs";

/** What is at a path; `undefined` if nothing is, or nobody may know. */
export function fileAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Whether there are changes beside a database that are not in it yet. */
export function hasLog(path: string): boolean {
  return (fileAt(`${path}-wal`)?.size ?? 0) > 0;
}

/**
 * Whether nobody can write to the file system an existing file is on. To be asked only when SQLite
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
