/**
 * The writer that a database file names, and what must be beside the file for it to be opened.
 *
 * A file says itself who writes it, or ended without closing it (docs/engine.md, "One writer"). The
 * points that it acknowledged last are in SQLite's log, so a file is not opened without its log, nor
 * with that of another file.
 *
 * @module
 */

import { closeSync, openSync, statSync } from "node:fs";
import { BTrDBError } from "../../core/errors.ts";
import { fileAt, hasLog } from "./file_system.ts";
import { FileHeader } from "./header.ts";
import { refuseDamagedLog } from "./log_damage.ts";
import { type Database, openSqlite } from "./sqlite.ts";
import { MAX_EPOCH, parseUserVersion, readUserVersion, type UserVersion } from "./user_version.ts";
import { logStateAt } from "./wal_file.ts";

/** Rows of `setting` that name the writer: the key, because values are integers. */
export const WRITER_KEY = "writer ";

/** Values of those rows. */
export const WriterStage = {
  /** It has the file, and has acknowledged nothing. */
  claimed: 1,
  /**
   * Its log is there, and may hold what it has acknowledged. Each log that is begun anew has the next
   * even number, and the one after it once it is copied to the file.
   */
  logged: 2,
} as const;

/** Numbers of a log that is begun anew, and of one that is copied to the file, in SQL. */
export const NEXT_LOG = "value + 2 - value % 2", COPIED_LOG = "value | 1";

/** Number of a log, whether it is copied or not. */
function logOf({ logNumber }: Writer): number {
  return Math.floor(logNumber / 2);
}

/** A writer, as the file names it. */
export interface Writer {
  /** Identity of the lock file it holds; empty if the file names no writer. */
  readonly lock: string;
  /** Path by which it opened the file. */
  readonly path: string;
  /** True if its log is there while it has the file. */
  readonly hasLog: boolean;
  /** Number of its log, and whether it is copied to the file. */
  readonly logNumber: number;
  /** True if each of its transactions is on the disk before the next begins. */
  readonly isSynced: boolean;
  /** User version of the file. */
  readonly userVersion: number;
}

/** A path that nobody knows. */
export const ANOTHER_PATH = "another path";
const UNKNOWN_WRITER: Writer = {
  lock: "",
  path: ANOTHER_PATH,
  hasLog: false,
  logNumber: 0,
  isSynced: false,
  userVersion: 0,
};

/** Identity of the lock file that a writer of this path holds; `undefined` if there is none. */
export function lockIdentity(path: string): string | undefined {
  try {
    const { dev, ino, birthtimeNs } = statSync(`${path}-lock`, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}

/** Begins the name of a writer whose transactions are synced. */
const SYNCED = "synced:";

/**
 * The row of `setting` that names a writer.
 *
 * @param path Path of the file itself, whose lock file it holds.
 * @param isSynced True if each of its transactions is on the disk before the next begins.
 */
export function writerKey(path: string, isSynced: boolean): string {
  const name = `${isSynced ? SYNCED : ""}${crypto.randomUUID()}`;
  return `${WRITER_KEY}${lockIdentity(path)} ${name} ${path}`;
}

/** The writer that a connection sees. */
export function readWriter(db: Database): Writer {
  const row = db.prepare("SELECT key, value FROM setting WHERE key LIKE 'writer %'").get();
  const [, lock = "", name = "", ...path] = String(row?.["key"] ?? "").split(" ");
  const stage = Number(row?.["value"] ?? 0);
  return {
    lock,
    path: path.join(" "),
    hasLog: stage >= WriterStage.logged,
    logNumber: stage,
    isSynced: name.startsWith(SYNCED),
    userVersion: readUserVersion(db),
  };
}

/**
 * Reads a file with the log beside it, or else the file alone, without locks. Not every one of these
 * ways is open: a log may need to be recovered, and permissions for one path do not cover its URL.
 */
export function readAsItIs<T>(path: string, read: (db: Database) => T): T {
  const ways = hasLog(path) ? [false, true] : [true, false];
  const errors: unknown[] = [];
  for (const immutable of ways) {
    let db: Database | undefined;
    try {
      db = openSqlite(path, { readOnly: true, immutable });
      return read(db);
    } catch (error) {
      errors.push(error);
    } finally {
      db?.close();
    }
  }
  throw errors[0];
}

/**
 * User version in the file itself. SQLite reads it, since its locks for other threads would be lost with a
 * descriptor that it does not know of.
 */
function storedUserVersion(path: string): number {
  try {
    const db = openSqlite(path, { readOnly: true, immutable: true });
    try {
      return readUserVersion(db);
    } finally {
      db.close();
    }
  } catch {
    // It is no database, or SQLite may not be asked so here: not every runtime and permission allows it.
  }
  const header = FileHeader.open(path);
  try {
    return header.userVersion();
  } finally {
    header.close();
  }
}

/**
 * The writer that has a file open, or ended without closing it: the header of the file itself has the
 * mark, and the log, where it is beside this path, or else the file has the name.
 */
export function writerOf(path: string): Writer | undefined {
  if (fileAt(path) === undefined) return undefined;
  if (!parseUserVersion(storedUserVersion(path)).isOpen) return undefined;
  try {
    return readAsItIs(path, readWriter);
  } catch {
    return UNKNOWN_WRITER; // What is wrong with the file is said by who opens it.
  }
}

/** The error of a file that another writer has open. */
export function foreignError(path: string, other: string): BTrDBError {
  if (other === "") {
    return new BTrDBError(
      `Cannot open ${path}: it has the mark of a writer, and does not name one; another program ` +
        "has changed its user_version",
      { status: "CORRUPT" },
    );
  }
  if (other === path) {
    return new BTrDBError(
      `Cannot open ${path}: ${path}-lock was removed or replaced while a writer had the file open, ` +
        `or after it ended without closing it; if no writer has it open, open it for writing with ` +
        `Deno on Linux, where that is checked`,
      { status: "LOCKED", retryable: true },
    );
  }
  const isThere = other === ANOTHER_PATH || fileAt(other) !== undefined;
  const advice = isThere
    ? "open it by that path"
    : `nothing is there any more: move ${other}-wal here as ${path}-wal, or the file back`;
  return new BTrDBError(
    `Cannot open ${path}: a writer has the same file open as ${other}, or ended there without ` +
      `closing it; ${advice}`,
    { status: "LOCKED", retryable: isThere },
  );
}

/** Tells whether one path leads to the same file as another, without being it. */
function leadsTo(other: string, path: string): boolean {
  if (other === path) return false;
  const [one, two] = [fileAt(other), fileAt(path)];
  return one !== undefined && one.ino === two?.ino && one.dev === two.dev;
}

/**
 * Refuses a file that cannot be opened by this path without losing what a writer has acknowledged: a
 * writer has it open by another path or did not close it there, the log of such a writer is missing,
 * or the log beside the file is not its own.
 *
 * @param path Path of the file itself.
 * @param isAlone True if no other process can have the file open for writing, by whatever path.
 * @throws {BTrDBError} `LOCKED`, or `CORRUPT` if it is about the log.
 */
export function refuseForeignWriter(path: string, isAlone = false): void {
  refuseStrayLog(path);
  refuseForeignLog(path);
  const writer = writerOf(path);
  if (writer === undefined) return;
  const isHere = writer.lock === lockIdentity(path) || (isAlone && writer.path === path);
  if (isHere) {
    if (hasLogElsewhere(path, writer)) throw foreignError(path, writer.path);
    return refuseMissingLog(path, writer);
  }
  // A database that was moved or copied with its log names the path where it was.
  if (hasLog(path) && !leadsTo(writer.path, path)) return;
  throw foreignError(path, writer.path);
}

/**
 * Tells whether the log of a writer is beside another hard link to the file, and not here too: also the lock
 * file can have several names.
 */
function hasLogElsewhere(path: string, writer: Writer): boolean {
  if (!writer.hasLog || !leadsTo(writer.path, path) || !hasLog(writer.path)) return false;
  const [there, here] = [fileAt(`${writer.path}-wal`), fileAt(`${path}-wal`)];
  return there?.ino !== here?.ino || there?.dev !== here?.dev;
}

/**
 * Refuses a file that a writer has open by another path, or did not close there, before the file is opened
 * past SQLite: if that writer is another thread, its locks would be lost.
 *
 * @param path Path of the file itself.
 * @throws {BTrDBError} `LOCKED`.
 */
export function refuseWriterElsewhere(path: string): void {
  const writer = writerOf(path);
  if (writer === undefined || writer.lock === lockIdentity(path)) return;
  if (leadsTo(writer.path, path)) throw foreignError(path, writer.path);
}

/**
 * Refuses a log without a file, which SQLite would remove.
 *
 * @throws {BTrDBError} `CANNOT_OPEN`.
 */
export function refuseStrayLog(path: string): void {
  if (!hasLog(path) || (fileAt(path)?.size ?? 0) > 0) return;
  throw new BTrDBError(
    `Cannot open ${path}: it is not there, but ${path}-wal is, the log of a database that was moved ` +
      `or removed; move the log to that database, or away`,
    { status: "CANNOT_OPEN" },
  );
}

/** Refuses a file that its writer did not close, and whose log is gone or overwritten. */
function refuseMissingLog(path: string, writer: Writer): void {
  if (!writer.hasLog) return;
  const problem = problemOfLog(path);
  if (problem === undefined) return;
  // If the same writer still has the mark, it did not close the file since it was looked at.
  if (storedUserVersion(path) !== writer.userVersion) return;
  throw new BTrDBError(
    `Cannot open ${path}: its writer ended without closing it, and ${path}-wal, the log with what it ` +
      `wrote last, is ${problem}; put it back, or an empty file in its place: to do without it, or because another ` +
      `program that uses SQLite has moved all of it into the file`,
    { status: "CORRUPT" },
  );
}

/**
 * Keeps the log of a writer that did not close the file, although SQLite removes a log when the last
 * connection closes and all of it is in the file: whoever opens the file next expects it.
 *
 * @param path Path of the file itself.
 * @returns A function to call when the connection is closed.
 */
export function logKeeper(path: string): () => void {
  const log = `${path}-wal`;
  if (fileAt(log) === undefined) return () => {};
  return () => {
    if (fileAt(log) !== undefined || !parseUserVersion(storedUserVersion(path)).isOpen) return;
    closeSync(openSync(log, "a"));
  };
}

function problemOfLog(path: string): "missing" | "damaged" | undefined {
  const state = logStateAt(path);
  return state === "missing" ? state : state === undefined ? "damaged" : undefined;
}

/** Refuses a log that another file was written with, or that is older than the file. */
function refuseForeignLog(path: string): void {
  if (!hasLog(path)) return;
  for (;;) {
    const stored = storedUserVersion(path);
    const problem = logProblem(path, stored);
    if (problem === undefined) return;
    if (storedUserVersion(path) !== stored) continue; // A writer has opened or closed it meanwhile.
    throw new BTrDBError(
      `Cannot open ${path}: the log beside it, ${path}-wal, ${problem}; move the log away`,
      { status: "CORRUPT" },
    );
  }
}

/**
 * Refuses a log of which transactions that were acknowledged cannot be read.
 *
 * @param path Path of the file itself.
 * @param db A connection that only reads it.
 * @throws {BTrDBError} `CORRUPT`.
 */
export function refuseLostTransactions(path: string, db: Database): void {
  if (hasLog(path)) refuseDamagedLog(path, db, () => isLogSynced(path));
}

/** Tells whether all that is in the log was synced, transaction by transaction, as far as can be seen. */
function isLogSynced(path: string): boolean {
  const writers = [writerIn(path, true), writerIn(path, false)]
    .filter((writer) => writer !== undefined && writer.lock !== "");
  return writers.length > 0 && writers.every((writer) => writer?.isSynced);
}

/** The reason why a log cannot be that of the file beside it. */
function logProblem(path: string, stored: number): string | undefined {
  const before = writerIn(path, true);
  const writer = writerIn(path, false);
  if (writer === undefined) return undefined; // What is wrong with the file is said by who opens it.
  const [inFile, inLog] = [parseUserVersion(stored), parseUserVersion(writer.userVersion)];
  if (isBefore(inLog, inFile)) {
    return "is older than the file, which was written by another path since";
  }
  // A writer that has just claimed the file, and acknowledged nothing, has its mark in the log alone.
  if (writer.lock !== "" && !writer.hasLog) return undefined;
  // Every other one marked the file itself before, and takes the mark back there last.
  const isOther = inLog.epoch !== inFile.epoch || (inLog.isOpen && !inFile.isOpen);
  if (isOther) return NOT_ITS_OWN;
  // Others were begun and are in the true file by now, which a writer may do meanwhile.
  const after = writerIn(path, true);
  if (before?.lock !== writer.lock || after?.lock !== writer.lock) return undefined;
  if (logOf(writer) > logOf(after) + 1) return NOT_ITS_OWN;
  return writer.logNumber < before.logNumber ? "is older than the file" : undefined;
}

const NOT_ITS_OWN = "is not its own: the file was put in the place of another one";

/** The writer that a file names, alone or with the log beside it; `undefined` if it cannot be read. */
function writerIn(path: string, immutable: boolean): Writer | undefined {
  try {
    const db = openSqlite(path, { readOnly: true, immutable });
    try {
      return readWriter(db);
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}

function isBefore(one: UserVersion, other: UserVersion): boolean {
  return one.epoch < other.epoch && other.epoch - one.epoch <= MAX_EPOCH / 2;
}
