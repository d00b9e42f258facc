/**
 * Checks of a database file in the file system.
 *
 * @module
 */

import { closeSync, openSync, readvSync, type Stats, statSync } from "node:fs";
import process from "node:process";
import { BTrDBError } from "../../core/errors.ts";
import { foreignLinkAt } from "../../core/foreign_link.ts";
import { pathProblem } from "../../core/path_problem.ts";
import { kindOf } from "../../core/plain_file.ts";
import { mayKnowUser } from "../deno_permissions.ts";

/** Status of the file at a path; `undefined` if there is none or it may not be read. */
export function fileAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Opens a file for reading; `undefined` if there is none, or none any more. */
export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A reader of a few bytes at places of files, again and again. */
export class FieldReader {
  /** The bytes that were read last. */
  readonly view: DataView<ArrayBuffer>;
  readonly #bytes: readonly [Uint8Array<ArrayBuffer>];

  /** @param length Bytes that are read at once. */
  constructor(length: number) {
    this.view = new DataView(new ArrayBuffer(length));
    this.#bytes = [new Uint8Array(this.view.buffer)];
  }

  /**
   * Reads the bytes at a place of a file.
   *
   * @returns True if the file has all of them.
   */
  read(fd: number, at: number): boolean {
    // Under Deno in two thirds of the time of `readSync`: it is called after each commit.
    return readvSync(fd, this.#bytes, at) === this.view.byteLength;
  }
}

/** Endings of the names of the files that SQLite and the engine make beside a database. */
export const SUFFIXES_BESIDE = ["-lock", "-wal", "-shm", "-journal"] as const;

/**
 * Refuses whatever is no file, in the place of a database or of a file beside it: SQLite waits without
 * end for someone to write to a FIFO.
 *
 * @param path The database, as it is shown.
 * @param real The database, as SQLite opens it.
 * @throws {BTrDBError} `CANNOT_OPEN`.
 */
export function refuseOtherThanFiles(path: string, real: string): void {
  for (const suffix of ["", ...SUFFIXES_BESIDE]) {
    const found = fileAt(`${real}${suffix}`);
    if (found === undefined || found.isFile()) continue;
    const kind = kindOf(found);
    const what = suffix === "" ? `it is ${kind}` : `${real}${suffix} is ${kind}; remove it`;
    throw new BTrDBError(`Cannot open ${path}: ${what}`, { status: "CANNOT_OPEN" });
  }
}

/**
 * Refuses a link of another user, who would choose the file that is read, written or made.
 *
 * @param path The database.
 * @throws {BTrDBError} `CANNOT_OPEN`.
 */
export function refuseForeignLinks(path: string): void {
  const mayKnow = mayKnowUser();
  const link = foreignLinkAt(path, () => mayKnow ? process.getuid?.() : undefined);
  if (link === undefined) return;
  const where = "of another user, in a folder that everyone may write to; remove it, or open " +
    "the file that it leads to";
  const what = mayKnow
    ? `is a link ${where}`
    : `may be a link ${where}, or allow --allow-sys=uid if it is yours`;
  throw new BTrDBError(`Cannot open ${path}: ${link} ${what}`, { status: "CANNOT_OPEN" });
}

/**
 * The error to show for one of the file system that the path is to blame for.
 *
 * @param error Any error; others pass unchanged.
 * @param path The database.
 * @returns A `BTrDBError` of status `CANNOT_OPEN`, or `error`.
 */
export function fileError(error: unknown, path: string): unknown {
  const problem = pathProblem(error);
  if (problem === undefined) return error;
  const text = `Cannot open ${path}: ${problem}`;
  return new BTrDBError(text, { status: "CANNOT_OPEN", cause: error });
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
