/**
 * Opening a database.
 *
 * @module
 */

import { BTrDBError } from "../core/errors.ts";
import {
  CACHE_STREAMS,
  MAX_BUFFER_AGE_MS,
  MAX_BUFFERED_POINTS,
  MAX_INSERT_POINTS,
} from "./constants.ts";
import { Engine } from "./engine.ts";
import { counterProblems } from "./file/counters.ts";
import { lockForWriting, realPath, type WriterLock } from "./file/lock.ts";
import { Ownership } from "./file/ownership.ts";
import {
  fileAt,
  fileError,
  hasLog,
  isOnReadOnlyDisk,
  refuseForeignLinks,
  refuseOtherThanFiles,
} from "./file/file_system.ts";
import { HeldFile } from "./file/held_file.ts";
import { ReaderPlace } from "./file/reader_place.ts";
import { checkOptions, DEFAULT_CACHE_BYTES, type EngineOptions } from "./options.ts";
import {
  beginFile,
  readSchemaVersion,
  refuseForeignObjects,
  SCHEMA_VERSION,
  writeSchema,
} from "./file/schema.ts";
import { refuseLostRows } from "./file/row_counts.ts";
import { PAGES_KIB } from "./file/page_cache.ts";
import { type Database, type OpenDatabase, openSqlite, sqliteError } from "./file/sqlite.ts";
import { refuseRollbackJournal } from "./file/rollback_journal.ts";
import { refuseForeignWriter, refuseLostTransactions } from "./file/writer_mark.ts";
import { Storage } from "./storage.ts";
import { BlockStore } from "./tree/block_store.ts";
import { LATE_LIMITS } from "./tree/late_plan.ts";
import { LateStore } from "./tree/late_store.ts";

/** Name of a database in memory, in messages. */
const MEMORY = ":memory:";

/**
 * Opens the embedded engine.
 *
 * @param options Path, access and limits.
 * @returns An `Endpoint`; close it when done.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If a number among the options is out of its range.
 * @throws {BTrDBError} Code 0; `status` says what is wrong with the file: `LOCKED`, `CANNOT_OPEN`,
 *   `NOT_A_DATABASE`, `SCHEMA_TOO_NEW`, `CORRUPT`, `READ_ONLY`, `DISK_FULL`, `IO_ERROR`.
 */
// deno-lint-ignore require-await
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  checkOptions(options);
  const { path = MEMORY, readOnly = false, ownWriter = false } = options;
  let lock: WriterLock | undefined;
  let ownership: Ownership | undefined;
  let held: HeldFile | undefined;
  let db: Database | undefined;
  try {
    if (path !== MEMORY && !ownWriter) checkIsDatabase(path);
    if (path !== MEMORY && !readOnly) {
      lock = lockForWriting(path);
      const isSynced = options.durability !== "relaxed";
      ownership = Ownership.claim(realPath(path), isSynced, (file) => prepareFile(file, path));
    }
    if (readOnly) ({ db, held } = openForReading(path, options.openDatabase, ownWriter));
    else db = openForWriting(path, options);
    const place = held === undefined ? undefined : new ReaderPlace(path, held);
    place?.check();
    if (path !== MEMORY) {
      refuseForeignObjects(db, path);
      refuseForgedCounters(db, path, readOnly);
      if (readOnly) refuseLostRows(db, path);
    }
    ownership?.watch(db);
    const cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
    const store = new BlockStore(db, cacheBytes, nextAddress(db));
    return new Engine(
      new Storage({
        db,
        path,
        readOnly,
        lock,
        ownership,
        held,
        place,
        store,
        versions: new LateStore(store, cacheBytes / 4),
        lateLimits: options.lateLimits ?? LATE_LIMITS,
        maxInsertPoints: options.maxInsertPoints ?? MAX_INSERT_POINTS,
        maxBufferAgeMs: options.maxBufferAgeMs ?? MAX_BUFFER_AGE_MS,
        maxBufferedPoints: options.maxBufferedPoints ?? MAX_BUFFERED_POINTS,
        cacheStreams: options.cacheStreams ?? CACHE_STREAMS,
        now: options.now,
        expiryTickMs: options.expiryTickMs,
        cacheBytes,
        startReaders: options.startReaders,
        packer: options.packer,
      }),
    );
  } catch (error) {
    db?.close();
    held?.close();
    ownership?.close();
    lock?.release();
    const mapped = fileError(sqliteError(error, path), path);
    if (!readOnly && statusOf(mapped) === "CANNOT_OPEN" && isOnReadOnlyDisk(path)) {
      throw new BTrDBError(
        `Cannot open ${path}: its disk is read-only; open it read-only`,
        { status: "READ_ONLY", cause: error },
      );
    }
    throw mapped;
  }
}

function statusOf(error: unknown): string | undefined {
  return error instanceof BTrDBError ? error.status : undefined;
}

/** A file that is open for reading. */
export interface OpenForReading {
  readonly db: Database;
  /**
   * Keeps SQLite's locks of it, whoever else opens and closes the file in this thread; to be closed
   * after the connection.
   */
  readonly held: HeldFile | undefined;
}

/**
 * Opens an existing file without changing it, beside a writer if there is one.
 *
 * @param ownWriter True if the writer is another thread of this process.
 * @throws {BTrDBError} If it is not a database of this engine.
 */
export function openForReading(
  path: string,
  open: OpenDatabase = openSqlite,
  ownWriter = false,
): OpenForReading {
  if (!ownWriter) refuseForeignLinks(path);
  const held = ownWriter ? undefined : heldFile(path);
  try {
    return { db: openBeside(path, open, ownWriter), held };
  } catch (error) {
    held?.close();
    throw error;
  }
}

function heldFile(path: string): HeldFile | undefined {
  try {
    return HeldFile.open(realPath(path));
  } catch {
    return undefined; // SQLite says what is wrong with the file.
  }
}

function openBeside(path: string, open: OpenDatabase, ownWriter: boolean): Database {
  try {
    return openAndCheck(path, open, false, ownWriter);
  } catch (error) {
    // SQLite wants to make files beside it. If nobody can, nobody can write it either.
    if (statusOf(error) !== "CANNOT_OPEN" || hasLog(path) || !isOnReadOnlyDisk(path)) throw error;
    return openAndCheck(path, open, true, ownWriter);
  }
}

function openAndCheck(
  path: string,
  open: OpenDatabase,
  immutable: boolean,
  ownWriter: boolean,
): Database {
  let db: Database | undefined;
  try {
    if (!immutable && !ownWriter) refuseForeignWriter(realPath(path));
    db = open(path, { readOnly: true, immutable });
    // A writer that opens the file, or closes it, holds SQLite's lock for short steps.
    db.exec("PRAGMA busy_timeout = 2000");
    const version = readSchemaVersion(db, path);
    if (!immutable && !ownWriter) refuseLostTransactions(realPath(path), db);
    if (version === SCHEMA_VERSION) return db;
    const what = version === 0 ? "it is an empty database" : `its schema has version ${version}`;
    throw new BTrDBError(`Cannot open ${path}: ${what}; open it for writing once`, {
      status: "SCHEMA_TOO_OLD",
    });
  } catch (error) {
    db?.close();
    throw sqliteError(error, path);
  }
}

/** Brings a file to the state of this release. */
function prepareFile(db: Database, path: string): void {
  const version = readSchemaVersion(db, path);
  if (version > 0) {
    refuseForeignObjects(db, path, version);
    refuseLostRows(db, path);
  }
  beginFile(db);
  db.exec("PRAGMA journal_mode = WAL");
  writeSchema(db, version);
}

function openForWriting(path: string, options: EngineOptions): Database {
  const db = (options.openDatabase ?? openSqlite)(path, { readOnly: false });
  try {
    if (path === MEMORY) prepareFile(db, path);
    db.exec(`PRAGMA synchronous = ${options.durability === "relaxed" ? "NORMAL" : "FULL"}`);
    db.exec(`PRAGMA cache_size = -${PAGES_KIB}`);
    // Only who compacts the file beside this writer holds SQLite's lock, and only for short steps.
    db.exec("PRAGMA busy_timeout = 2000");
    db.exec("PRAGMA temp_store = MEMORY");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Refuses a file that is no database before anything is made beside it. SQLite itself looks: if this
 * process opened and closed the file by other means, the operating system would take back the locks
 * that a writer in this process holds on it (sqlite.org/howtocorrupt.html, 2.2), and the next
 * program that looks into the file would remove the log the writer writes to.
 */
function checkIsDatabase(path: string): void {
  refuseForeignLinks(path);
  const real = realPath(path);
  refuseOtherThanFiles(path, real);
  refuseRollbackJournal(path, real);
  const file = fileAt(path);
  if (file === undefined || file.size === 0) return;
  let db: Database | undefined;
  try {
    db = openSqlite(path, { readOnly: true, immutable: true });
    db.prepare("PRAGMA schema_version").get();
  } catch (error) {
    if (statusOf(sqliteError(error, path)) !== "NOT_A_DATABASE") return; // What opens it says it.
    throw new BTrDBError(`Cannot open ${path}: it is not a database`, {
      status: "NOT_A_DATABASE",
      cause: error,
    });
  } finally {
    db?.close();
  }
}

/**
 * Refuses numbers from which the file cannot go on counting. With such a beginning of the journal's
 * tail, readers would not see what is in the journal, or points would be acknowledged under numbers
 * that cannot be read.
 */
function refuseForgedCounters(db: Database, path: string, readOnly: boolean): void {
  const [problem] = counterProblems(db, readOnly);
  if (problem === undefined) return;
  throw new BTrDBError(`Cannot open ${path}: ${problem}`, { status: "CORRUPT" });
}

/** First block address that was never used. */
function nextAddress(db: Database): number {
  const last = Number(db.prepare("SELECT max(id) AS id FROM block").get()?.["id"] ?? 0);
  const row = db.prepare("SELECT value FROM setting WHERE key = 'next_block'").get();
  return Math.max(last + 1, Number(row?.["value"] ?? 1));
}
