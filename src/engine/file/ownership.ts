/**
 * One writer per database file, whatever path leads to it.
 *
 * SQLite keeps its log beside the path that a file was opened by. Through a hard link, or a mount
 * of the file alone, the same file has another log, and two writers would not see each other. So
 * the file says itself who writes it: its header holds an epoch, which every writer raises, and a
 * mark while it is open; the table `setting` names the writer and the lock file it holds. A writer
 * that finds the mark of one with another lock file does not open the file. Around each commit a
 * writer reads the header from the file itself, past its log: if the epoch is not its own, or the
 * file and its log are not where they were, nothing is acknowledged any more
 * (docs/engine.md, "One writer").
 *
 * @module
 */

import { closeSync, openSync } from "node:fs";
import { BTrDBError } from "../../core/errors.ts";
import { hasLog } from "./file_system.ts";
import { FilesInPlace } from "./files_in_place.ts";
import { FileHeader } from "./header.ts";
import { countedRows, forgetRows } from "./row_counts.ts";
import { beginFile, SCHEMA_VERSION, transaction } from "./schema.ts";
import { type Database, openSqlite } from "./sqlite.ts";
import { onUncaughtError } from "./uncaught_errors.ts";
import { MAX_EPOCH, parseUserVersion, readUserVersion, userVersionOf } from "./user_version.ts";
import {
  ANOTHER_PATH,
  COPIED_LOG,
  foreignError,
  lockIdentity,
  logKeeper,
  NEXT_LOG,
  readAsItIs,
  readWriter,
  refuseForeignWriter,
  refuseLostTransactions,
  refuseStrayLog,
  refuseWriterElsewhere,
  type Writer,
  writerKey,
  writerOf,
  WriterStage,
} from "./writer_mark.ts";

/** Two writers that begin at the same moment raise the epoch by different numbers, most likely. */
const MAX_STEP = 31;
/** Time in which two writers that begin at the same moment see each other, ms. */
const SETTLE_MS = 250;
/**
 * A file that was this writer's is not looked at again for so long before a transaction, but after each. It
 * is a small part of the time in which another writer that has claimed it writes nothing.
 */
const FRESH_MS = 5;

/** Ownership of a file by its writer. */
export class Ownership {
  readonly #path: string;
  readonly #isSynced: boolean;
  readonly #header: FileHeader;
  readonly #mine: number;
  #files: FilesInPlace | undefined;
  /** Why nothing is acknowledged any more: what is in the log and what callers were told differ. */
  #lost: BTrDBError | undefined;
  #isReleased = false;
  #stopWatchingErrors = (): void => {};
  /** Marks the file again, once its mark was taken back because of an error that nobody caught. */
  #markAgain: (() => void) | undefined;
  /** The file may say that its log is there. */
  #mayNeedLog = false;
  /** The first page is not in the log since it was begun anew. */
  #lacksFirstPage = true;
  #writesFirstPage = false;
  /** The log says that it is copied to the file. */
  #isCopyNoted = false;
  /** The file has all of the log. */
  #isLogInFile = false;
  /** The last time the file was found to be this writer's, ms. */
  #checkedAt = -Infinity;

  private constructor(path: string, isSynced: boolean, header: FileHeader, mine: number) {
    this.#path = path;
    this.#isSynced = isSynced;
    this.#header = header;
    this.#mine = mine;
  }

  /**
   * Marks a file as written by this process, and makes it where it is not there.
   *
   * @param path Path of the file itself, whose lock file is held.
   * @param isSynced True if each transaction will be on the disk before the next begins.
   * @param prepare Brings a connection's file to the state of this release.
   * @throws {BTrDBError} `LOCKED` if another writer has it open or was quicker, `CORRUPT` if the log
   * beside the file is missing or not its own.
   */
  static claim(path: string, isSynced: boolean, prepare: (db: Database) => void): Ownership {
    refuseStrayLog(path);
    openSqlite(path, { readOnly: false }).close(); // Makes the file, or says why it cannot be.
    refuseWriterElsewhere(path);
    const header = FileHeader.open(path);
    const keepLog = logKeeper(path);
    try {
      const isLocked = header.tryLock();
      if (isLocked === false) throw foreignError(path, writerOf(path)?.path ?? ANOTHER_PATH);
      refuseForeignWriter(path, isLocked);
      refuseDamage(path);
      // A writer that ended without closing the file left the mark of this lock file: nothing is written.
      const left = writerOf(path);
      const isPresent = parseUserVersion(left?.userVersion ?? 0).schema === SCHEMA_VERSION;
      if (isPresent && left?.lock === lockIdentity(path)) {
        return new Ownership(path, isSynced, header, header.userVersion());
      }
      const name = writerKey(path, isSynced);
      const claim = { path, name, left, prepare };
      const alone = claimAlone(claim);
      const ownership = new Ownership(path, isSynced, header, alone ?? claimBeside(claim));
      if (alone === undefined) settle(path, name);
      ownership.check();
      return ownership;
    } catch (error) {
      keepLog();
      header.close();
      throw error;
    }
  }

  /**
   * Notes in the file itself that its log is there from now on, and watches both. Nothing may be
   * acknowledged before.
   *
   * @param db The writer's connection.
   */
  watch(db: Database): void {
    this.#mayNeedLog = true;
    if (!readWriter(db).hasLog) {
      transaction(db, () => {
        db.prepare("UPDATE setting SET value = ? WHERE key LIKE 'writer %'").run(
          WriterStage.logged,
        );
      });
      db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    }
    if (readWriter(db).isSynced !== this.#isSynced) this.#noteSync(db);
    this.#files = new FilesInPlace(this.#path, this.#header);
    this.checkFiles();
    this.#stopWatchingErrors();
    const name = db.prepare("SELECT key FROM setting WHERE key LIKE 'writer %'").get()?.["key"];
    this.#stopWatchingErrors = onUncaughtError(() => this.#prepareForEnd(db, String(name)));
  }

  /**
   * Notes whether transactions are synced from now on, other than those of a writer that did not close
   * the file. Parts that a power failure left of its log must not be behind those that are.
   */
  #noteSync(db: Database): void {
    const { busy } = db.prepare("PRAGMA wal_checkpoint(RESTART)").get()!;
    if (busy !== 0 && this.#isSynced) return; // Readers need the log as it is.
    transaction(db, () => {
      this.writeFirstPage(db);
      const number = busy === 0 ? NEXT_LOG : "value";
      db.prepare(`UPDATE setting SET key = ?, value = ${number} WHERE key LIKE 'writer %'`)
        .run(writerKey(this.#path, this.#isSynced));
    });
    db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /**
   * Takes the mark back before an uncaught error ends the process: SQLite's connections are closed then,
   * and the log is removed when all of it is in the file. With the mark, that would be a lost one.
   */
  #prepareForEnd(db: Database, name: string): void {
    if (this.#isReleased || this.trouble() !== undefined) return;
    this.release(db);
    if (!this.#isReleased) return;
    this.#markAgain = () => {
      this.#isReleased = false;
      this.#markAgain = undefined;
      writeOwner(db, this.#mine, name);
      this.watch(db);
    };
  }

  /**
   * Throws if another writer has taken the file.
   *
   * @param nowMs The time, on the clock of `performance.now()`.
   * @throws {BTrDBError} `LOCKED`; `MOVED` if the file or its log was found to be gone before.
   */
  check(nowMs: number = performance.now()): void {
    // The process went on after an error that nobody caught.
    this.#markAgain?.();
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#header.userVersion() === this.#mine) {
      this.#checkedAt = nowMs;
      return;
    }
    throw this.#lost = this.#takenError();
  }

  /**
   * The error with which the next transaction would fail, as far as it can be seen without one. A file
   * that is put back before anything was written is no loss.
   */
  trouble(): BTrDBError | undefined {
    if (this.#markAgain !== undefined) return undefined;
    if (this.#lost !== undefined) return this.#lost;
    if (this.#header.userVersion() !== this.#mine) return this.#takenError();
    const missing = this.#files?.misplaced();
    return missing === undefined ? undefined : this.#movedError(missing);
  }

  /**
   * Call it before each transaction, which {@linkcode signLog} and {@linkcode checkFiles} follow.
   *
   * @param isLogInFile True if the file has all of the log: what is written next begins the log anew if
   *   no reader needs it.
   * @param nowMs The time, on the clock of `performance.now()`.
   * @throws {BTrDBError} As {@linkcode check} does.
   */
  beforeTransaction(isLogInFile: boolean, nowMs: number): void {
    const mayBeOld = this.#lost !== undefined || this.#markAgain !== undefined;
    if (mayBeOld || nowMs - this.#checkedAt > FRESH_MS) this.check(nowMs);
    this.#isLogInFile = isLogInFile;
    if (isLogInFile) this.#lacksFirstPage = true;
  }

  /**
   * Throws if what was written would not be found by who opens the file next.
   *
   * @param nowMs The time, on the clock of `performance.now()`.
   * @throws {BTrDBError} `LOCKED`, or `MOVED` if the file or its log is not where it was.
   */
  checkFiles(nowMs: number = performance.now()): void {
    this.check(nowMs);
    const missing = this.#files?.missing();
    if (missing === undefined) {
      if (this.#files?.isLogNew === true) this.#lacksFirstPage = true;
      if (this.#writesFirstPage) this.#lacksFirstPage = false;
      this.#writesFirstPage = false;
      return;
    }
    throw this.#lost = this.#movedError(missing);
  }

  /**
   * Call it before the log is copied to the file, and after that, when the file is longer.
   *
   * @throws {BTrDBError} As {@linkcode check} does, and `MOVED` if the end of the file was cut off.
   */
  checkSize(): void {
    this.check();
    const cut = this.#files?.cutFile();
    if (cut !== undefined) throw this.#lost = this.#movedError(cut);
  }

  /**
   * Throws if SQLite's index of the log is of another state, or of another log: what is written next
   * would not be found. First it is made anew, from the log.
   *
   * @param count Counts the frames of the log by the index. Call it outside of transactions.
   * @throws {BTrDBError} `MOVED` if frames that were there are not found even then.
   */
  checkIndex(count: () => number): void {
    const index = this.#files?.index;
    if (index === undefined || this.#lost !== undefined || index.isOfLog(count)) return;
    try {
      index.discard();
    } catch {
      // It is not there any more.
    }
    if (!index.isOfLog(count)) throw this.#lost = this.#movedError(`${this.#path}-shm`);
  }

  /**
   * Writes the first page, which has the epoch, to a log that lacks it, and the next number of a log
   * that may be begun anew: whoever finds the log beside another file, or an older state of its own,
   * can tell. Call it within the transaction.
   */
  signLog(db: Database): void {
    if (!this.#lacksFirstPage) return;
    this.writeFirstPage(db);
    // Never before: a file has at least the number before that of its log.
    if (this.#isLogInFile) {
      db.exec(`UPDATE setting SET value = ${NEXT_LOG} WHERE key LIKE 'writer %'`);
      this.#isCopyNoted = false;
    }
  }

  /**
   * Notes in the log that it is copied to the file from now on, once in each log: whoever finds an
   * earlier state of the log beside the file later can tell. Call it outside of transactions.
   */
  noteCopy(db: Database): void {
    if (this.#isCopyNoted) return;
    try {
      transaction(db, () => {
        db.exec(`UPDATE setting SET value = ${COPIED_LOG} WHERE key LIKE 'writer %'`);
      });
      this.#isCopyNoted = true;
    } catch {
      // The disk is full: it is better to copy the log, which makes room.
    }
  }

  /** Writes the first page to the log as it is. Call it within a transaction. */
  writeFirstPage(db: Database): void {
    db.exec(`PRAGMA user_version = ${this.#mine}`);
    this.#writesFirstPage = true;
  }

  #takenError(): BTrDBError {
    return new BTrDBError(
      `Cannot write to ${this.#path}: another writer has taken the file by another path`,
      { status: "LOCKED" },
    );
  }

  #movedError(missing: string): BTrDBError {
    return new BTrDBError(
      `Cannot write to ${this.#path}: ${missing} was moved, replaced, truncated or removed while ` +
        `the database was open; put it back and open the database again`,
      { status: "MOVED" },
    );
  }

  /**
   * Takes the mark back, and writes everything from the log to the file, as far as readers let it.
   * If the disk does not allow it, the mark stays, and this path's next writer takes it over.
   */
  release(db: Database): void {
    try {
      // The log keeps its size, so that the mark can be taken back although the disk is full.
      db.exec("PRAGMA wal_checkpoint(RESTART)");
      const mine = parseUserVersion(this.#mine);
      const rows = countedRows(db, mine.epoch);
      writeOwner(db, userVersionOf({ ...mine, isOpen: false }), rows);
      this.#isReleased = true;
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // The disk is full or broken: what was acknowledged is in the log, which stays.
    }
  }

  /** Lets the file go. Call it after the connection is closed. */
  close(): void {
    this.#stopWatchingErrors();
    const isMarked = this.#mayNeedLog && this.#lost === undefined && !this.#isReleased;
    this.#files?.close();
    this.#files = undefined;
    this.#header.close();
    // SQLite removes a log when all of it is in the file. With the mark, that would be a lost one.
    if (isMarked) closeSync(openSync(`${this.#path}-wal`, "a"));
  }
}

/** Refuses a log of which transactions that were acknowledged cannot be read. */
function refuseDamage(path: string): void {
  if (!hasLog(path)) return;
  const db = openSqlite(path, { readOnly: true });
  try {
    refuseLostTransactions(path, db);
  } finally {
    db.close();
  }
}

/** Claim of a writer to the file. */
interface Claim {
  readonly path: string;
  /** Its row of `setting`. */
  readonly name: string;
  /** The writer whose mark may be taken over. */
  readonly left: Writer | undefined;
  /** Brings the file to the state of this release. */
  prepare(db: Database): void;
}

/**
 * Claims a file while no other process has it open, by whatever path: SQLite's exclusive lock is on
 * the file itself.
 *
 * @returns The user version that is this writer's; `undefined` if others have the file open.
 */
function claimAlone(claim: Claim): number | undefined {
  let db: Database | undefined;
  try {
    db = openSqlite(claim.path, { readOnly: false });
    beginFile(db);
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec("BEGIN IMMEDIATE; COMMIT");
    return writeClaim(db, claim);
  } catch {
    // Either others have it open, or the next one who opens it reports the error.
    return undefined;
  } finally {
    db?.close();
  }
}

/** Claims a file that others have open: readers, or a writer that begins at the same moment. */
function claimBeside(claim: Claim): number {
  const db = openSqlite(claim.path, { readOnly: false });
  try {
    beginFile(db);
    db.exec("PRAGMA busy_timeout = 2000"); // Who compacts the file holds its lock for short steps.
    return writeClaim(db, claim);
  } finally {
    db.close();
  }
}

/** Waits until a writer that began at the same moment must have been seen. */
function settle(path: string, name: string): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLE_MS);
  readAsItIs(path, (db) => {
    const row = db.prepare("SELECT 1 FROM setting WHERE key = ?").get(name);
    if (row === undefined) throw foreignError(path, readWriter(db).path);
  });
}

/** Raises the epoch, and writes it to the file itself. */
function writeClaim(db: Database, { path, name, left, prepare }: Claim): number {
  refuseNewcomer(db, path, left);
  prepare(db);
  const { schema, epoch } = parseUserVersion(readUserVersion(db));
  const step = 1 + Math.floor(Math.random() * MAX_STEP);
  const next = epoch + step > MAX_EPOCH ? step : epoch + step;
  const mine = userVersionOf({ schema, isOpen: true, epoch: next });
  writeOwner(db, mine, name);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  return mine;
}

/** Refuses a file that another writer has marked since it was looked at. */
function refuseNewcomer(db: Database, path: string, left: Writer | undefined): void {
  if (!parseUserVersion(readUserVersion(db)).isOpen) return;
  const writer = readWriter(db);
  if (writer.lock === lockIdentity(path) || writer.lock === left?.lock) return;
  throw foreignError(path, writer.path);
}

/**
 * Writes who has the file.
 *
 * @param name Row of `setting`: of its writer, or of a writer that closes it.
 */
function writeOwner(db: Database, userVersion: number, name: string): void {
  transaction(db, () => {
    db.exec(`PRAGMA user_version = ${userVersion}`);
    db.exec("DELETE FROM setting WHERE key LIKE 'writer %'");
    forgetRows(db);
    db.prepare("INSERT INTO setting VALUES (?, ?)").run(name, WriterStage.claimed);
  });
}
