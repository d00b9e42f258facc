/**
 * Opening a database.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import { BTrDBError } from "../core/errors.ts";
import { MAX_BUFFER_AGE_MS, MAX_BUFFERED_POINTS, MAX_INSERT_POINTS } from "./constants.ts";
import { Engine } from "./engine.ts";
import { lockForWriting, type WriterLock } from "./lock.ts";
import { DEFAULT_CACHE_BYTES, type EngineOptions } from "./options.ts";
import { PAGE_BYTES, readSchemaVersion, SCHEMA_VERSION, writeSchema } from "./schema.ts";
import { type Database, type OpenDatabase, openSqlite, sqliteError } from "./sqlite.ts";
import { Storage } from "./storage.ts";
import { BlockStore } from "./store.ts";

/** Name of a database in memory, in messages. */
const MEMORY = ":memory:";

/**
 * Opens the embedded engine.
 *
 * @param options Where the database is, and how it is used.
 * @returns An `Endpoint`; close it when done.
 * @throws {BTrDBError} Code 0; `status` says what is wrong with the file: `LOCKED`, `CANNOT_OPEN`,
 *   `NOT_A_DATABASE`, `SCHEMA_TOO_NEW`, `CORRUPT`, `READ_ONLY`, `DISK_FULL`, `IO_ERROR`.
 */
// deno-lint-ignore require-await
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const { path = MEMORY, readOnly = false } = options;
  let lock: WriterLock | undefined;
  let db: Database | undefined;
  try {
    if (path !== MEMORY) checkHeader(path);
    if (path !== MEMORY && !readOnly) lock = lockForWriting(path);
    db = readOnly ? openForReading(path, options.openDatabase) : openForWriting(path, options);
    return new Engine(
      new Storage({
        db,
        path,
        readOnly,
        lock,
        store: new BlockStore(db, options.cacheBytes ?? DEFAULT_CACHE_BYTES, nextAddress(db)),
        maxInsertPoints: options.maxInsertPoints ?? MAX_INSERT_POINTS,
        maxBufferAgeMs: options.maxBufferAgeMs ?? MAX_BUFFER_AGE_MS,
        maxBufferedPoints: options.maxBufferedPoints ?? MAX_BUFFERED_POINTS,
      }),
    );
  } catch (error) {
    db?.close();
    lock?.release();
    throw sqliteError(error, path);
  }
}

/**
 * Opens an existing file without changing it, beside a writer if there is one.
 *
 * @throws {BTrDBError} If it is not a database of this engine.
 */
export function openForReading(path: string, open: OpenDatabase = openSqlite): Database {
  let db: Database | undefined;
  try {
    db = open(path, { readOnly: true });
    const version = readSchemaVersion(db, path);
    if (version === SCHEMA_VERSION) return db;
    throw new BTrDBError(
      `Cannot open ${path}: its schema has version ${version}; open it for writing once`,
      { status: "SCHEMA_TOO_OLD" },
    );
  } catch (error) {
    db?.close();
    throw sqliteError(error, path);
  }
}

function openForWriting(path: string, options: EngineOptions): Database {
  const db = (options.openDatabase ?? openSqlite)(path, { readOnly: false });
  try {
    const version = readSchemaVersion(db, path);
    if (version === 0) db.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    db.exec("PRAGMA journal_mode = WAL");
    db.exec(`PRAGMA synchronous = ${options.durability === "relaxed" ? "NORMAL" : "FULL"}`);
    db.exec("PRAGMA cache_size = -16384");
    db.exec("PRAGMA temp_store = MEMORY");
    writeSchema(db, version);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The first bytes of every SQLite database that is not empty. */
const MAGIC = "SQLite format 3\0";

/** Refuses a file that is no database before anything is made beside it. */
function checkHeader(path: string): void {
  const head = new Uint8Array(16);
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return; // SQLite finds out whether it may be made, and says why it cannot be opened.
  }
  try {
    if (readSync(file, head) === 0) return;
  } catch (error) {
    const message = `Cannot open ${path}: ${(error as Error).message}`;
    throw new BTrDBError(message, { status: "CANNOT_OPEN", cause: error });
  } finally {
    closeSync(file);
  }
  if (new TextDecoder("latin1").decode(head) !== MAGIC) {
    throw new BTrDBError(`Cannot open ${path}: it is not a database`, {
      status: "NOT_A_DATABASE",
    });
  }
}

/** First block address that was never used. */
function nextAddress(db: Database): number {
  const last = Number(db.prepare("SELECT max(id) AS id FROM block").get()?.["id"] ?? 0);
  const row = db.prepare("SELECT value FROM setting WHERE key = 'next_block'").get();
  return Math.max(last + 1, Number(row?.["value"] ?? 1));
}
