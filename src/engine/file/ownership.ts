/**
 * One writer per database file, whatever path leads to it.
 *
 * SQLite keeps its log beside the path that a file was opened by. Through a hard link, or a mount
 * of the file alone, the same file has another log, and two writers would not see each other. So
 * the file says itself who writes it: its header holds an epoch, which every writer raises, and a
 * mark while it is open; the table `setting` names the writer and the lock file it holds. A writer
 * that finds the mark of one with another lock file does not open the file. Before and after each
 * commit a writer reads the header from the file itself, past its log: if the epoch is not its own,
 * nothing is acknowledged any more (docs/engine.md, "One writer").
 *
 * @module
 */

import { statSync } from "node:fs";
import { BTrDBError } from "../../core/errors.ts";
import { FileHeader } from "./header.ts";
import { fileAt, hasLog } from "./file_system.ts";
import { beginFile, SCHEMA_VERSION, transaction } from "./schema.ts";
import { type Database, openSqlite } from "./sqlite.ts";

/** Bits of the user version: 4 for the schema, 1 for the mark, the rest for the epoch. */
const [SCHEMA_BITS, OPEN_BIT, EPOCH_SHIFT] = [0xf, 0x10, 5];
/** Largest epoch; after it they begin anew. */
const MAX_EPOCH = 2 ** 26 - 1;
/** Two writers that begin at the same moment raise the epoch by different numbers, most likely. */
const MAX_STEP = 31;
/** Time in which two writers that begin at the same moment see each other, ms. */
const SETTLE_MS = 250;
/** Rows of `setting` that name the writer: the key, because values are integers. */
const WRITER_KEY = "writer ";

/** Parts of a user version. */
export interface UserVersion {
  /** Version of the schema. */
  readonly schema: number;
  /** True if a writer has the file open, or ended without closing it. */
  readonly isOpen: boolean;
  readonly epoch: number;
}

/** Takes a user version apart. */
export function parseUserVersion(value: number): UserVersion {
  return {
    schema: value & SCHEMA_BITS,
    isOpen: (value & OPEN_BIT) !== 0,
    epoch: value >> EPOCH_SHIFT,
  };
}

function userVersionOf({ schema, isOpen, epoch }: UserVersion): number {
  return epoch << EPOCH_SHIFT | (isOpen ? OPEN_BIT : 0) | schema;
}

/** Identity of the lock file that a writer of this path holds; `undefined` if there is none. */
function lockIdentity(path: string): string | undefined {
  try {
    const { dev, ino, birthtimeNs } = statSync(`${path}-lock`, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}

/**
 * Refuses a file that a writer has open by another path, or did not close there: what it has
 * acknowledged is in a log that cannot be seen from here.
 *
 * @param path Path of the file itself.
 * @throws {BTrDBError} `LOCKED`.
 */
export function refuseForeignWriter(path: string): void {
  const writer = writerOf(path);
  if (writer === undefined || writer.lock === lockIdentity(path)) return;
  // A database that was moved or copied with its log names the path where it was.
  if (hasLog(path) && !leadsTo(writer.path, path)) return;
  throw foreignError(path, writer.path);
}

/** Tells whether one path leads to the same file as another, without being it. */
function leadsTo(other: string, path: string): boolean {
  if (other === path) return false;
  const [one, two] = [fileAt(other), fileAt(path)];
  return one !== undefined && one.ino === two?.ino && one.dev === two.dev;
}

/**
 * The writer that has a file open, or ended without closing it: the header of the file itself has the
 * mark, and the log, where it is beside this path, or else the file has the name.
 */
function writerOf(path: string): Writer | undefined {
  if (fileAt(path) === undefined) return undefined;
  const header = FileHeader.open(path);
  try {
    if (!parseUserVersion(header.userVersion()).isOpen) return undefined;
    return readAsItIs(path, readWriter);
  } catch {
    return UNKNOWN_WRITER; // What is wrong with the file is said by who opens it.
  } finally {
    header.close();
  }
}

/**
 * Reads a file with the log beside it, or else the file alone, without locks. Not every one of these
 * ways is open: a log may need to be recovered, and permissions for one path do not cover its URL.
 */
function readAsItIs<T>(path: string, read: (db: Database) => T): T {
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

function foreignError(path: string, other: string): BTrDBError {
  return new BTrDBError(
    `Cannot open ${path}: a writer has the same file open as ${other}, or ended there without ` +
      `closing it; open it by that path`,
    { status: "LOCKED", retryable: true },
  );
}

function readUserVersion(db: Database): number {
  return Number(Object.values(db.prepare("PRAGMA user_version").get() ?? {})[0] ?? 0);
}

/** A writer, as the file names it. */
interface Writer {
  /** Identity of the lock file it holds. */
  readonly lock: string;
  /** Path by which it opened the file. */
  readonly path: string;
  /** Schema of the file. */
  readonly schema: number;
}

const ANOTHER_PATH = "another path";
const UNKNOWN_WRITER: Writer = { lock: "", path: ANOTHER_PATH, schema: 0 };

function readWriter(db: Database): Writer {
  const row = db.prepare("SELECT key FROM setting WHERE key LIKE 'writer %'").get();
  const [, lock = "", , ...path] = String(row?.["key"] ?? "").split(" ");
  return { lock, path: path.join(" "), schema: parseUserVersion(readUserVersion(db)).schema };
}

/** Ownership of a file by its writer. */
export class Ownership {
  readonly #path: string;
  readonly #header: FileHeader;
  readonly #mine: number;

  private constructor(path: string, header: FileHeader, mine: number) {
    this.#path = path;
    this.#header = header;
    this.#mine = mine;
  }

  /**
   * Marks a file as written by this process, and makes it where it is not there.
   *
   * @param path Path of the file itself, whose lock file is held.
   * @param prepare Brings a connection's file to the state of this release.
   * @throws {BTrDBError} `LOCKED` if another writer has it open or was quicker, `CORRUPT` if the log
   * beside the file is older than the file.
   */
  static claim(path: string, prepare: (db: Database) => void): Ownership {
    openSqlite(path, { readOnly: false }).close(); // Makes the file, or says why it cannot be.
    const header = FileHeader.open(path);
    try {
      if (!header.tryLock(path)) throw foreignError(path, writerOf(path)?.path ?? ANOTHER_PATH);
      refuseForeignWriter(path);
      refuseOldLog(path);
      // A writer that ended without closing the file left the mark of this lock file: nothing is written.
      const left = writerOf(path);
      if (left?.schema === SCHEMA_VERSION && left.lock === lockIdentity(path)) {
        return new Ownership(path, header, header.userVersion());
      }
      const name = `${WRITER_KEY}${lockIdentity(path)} ${crypto.randomUUID()} ${path}`;
      const claim = { path, name, left, prepare };
      const alone = claimAlone(claim);
      const ownership = new Ownership(path, header, alone ?? claimBeside(claim));
      if (alone === undefined) settle(path, name);
      ownership.check();
      return ownership;
    } catch (error) {
      header.close();
      throw error;
    }
  }

  /**
   * Throws if another writer has taken the file.
   *
   * @throws {BTrDBError} `LOCKED`.
   */
  check(): void {
    if (this.#header.userVersion() === this.#mine) return;
    throw new BTrDBError(
      `Cannot write to ${this.#path}: another writer has taken the file by another path`,
      { status: "LOCKED" },
    );
  }

  /**
   * Takes the mark back, and writes everything from the log to the file, as far as readers let it.
   * If the disk does not allow it, the mark stays, and this path's next writer takes it over.
   */
  release(db: Database): void {
    try {
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      writeOwner(db, this.#mine & ~OPEN_BIT, undefined);
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // The disk is full or broken: what was acknowledged is in the log, which stays.
    }
  }

  /** Lets the file go. Call it after the connection is closed. */
  close(): void {
    this.#header.close();
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

/** Refuses a log that was left behind while the file was written by another path. */
function refuseOldLog(path: string): void {
  if (!hasLog(path)) return;
  const header = FileHeader.open(path);
  let db: Database | undefined;
  try {
    const stored = parseUserVersion(header.userVersion()).epoch;
    db = openSqlite(path, { readOnly: true });
    const seen = parseUserVersion(readUserVersion(db)).epoch;
    if (seen >= stored || stored - seen > MAX_EPOCH / 2) return;
    throw new BTrDBError(
      `Cannot open ${path}: the log beside it, ${path}-wal, is older than the file, which was ` +
        `written by another path since; move the log away`,
      { status: "CORRUPT" },
    );
  } catch (error) {
    if (error instanceof BTrDBError) throw error;
  } finally {
    db?.close();
    header.close();
  }
}

function writeOwner(db: Database, userVersion: number, name: string | undefined): void {
  transaction(db, () => {
    db.exec(`PRAGMA user_version = ${userVersion}`);
    db.exec("DELETE FROM setting WHERE key LIKE 'writer %'");
    if (name !== undefined) db.prepare("INSERT INTO setting VALUES (?, 1)").run(name);
  });
}
