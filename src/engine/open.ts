/**
 * Opening a database.
 *
 * @module
 */

import { BTrDBError } from "../core/errors.ts";
import { MAX_BUFFER_AGE_MS, MAX_INSERT_POINTS } from "./constants.ts";
import { Engine } from "./engine.ts";
import { lockForWriting, type WriterLock } from "./lock.ts";
import { DEFAULT_CACHE_BYTES, type EngineOptions } from "./options.ts";
import { PAGE_BYTES, readSchemaVersion, SCHEMA_VERSION, writeSchema } from "./schema.ts";
import { type Database, openSqlite, sqliteError } from "./sqlite.ts";
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
    if (path !== MEMORY && !readOnly) lock = lockForWriting(path);
    db = (options.openDatabase ?? openSqlite)(path, { readOnly });
    prepare(db, path, options);
    return new Engine(
      new Storage({
        db,
        path,
        readOnly,
        lock,
        store: new BlockStore(db, options.cacheBytes ?? DEFAULT_CACHE_BYTES, nextAddress(db)),
        maxInsertPoints: options.maxInsertPoints ?? MAX_INSERT_POINTS,
        maxBufferAgeMs: options.maxBufferAgeMs ?? MAX_BUFFER_AGE_MS,
      }),
    );
  } catch (error) {
    db?.close();
    lock?.release();
    throw sqliteError(error, path);
  }
}

function prepare(db: Database, path: string, options: EngineOptions): void {
  const version = readSchemaVersion(db, path);
  if (options.readOnly) {
    if (version === SCHEMA_VERSION) return;
    throw new BTrDBError(
      `Cannot open ${path}: its schema has version ${version}; open it for writing once`,
      { status: "SCHEMA_TOO_OLD" },
    );
  }
  if (version === 0) db.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
  db.exec("PRAGMA journal_mode = WAL");
  db.exec(`PRAGMA synchronous = ${options.durability === "relaxed" ? "NORMAL" : "FULL"}`);
  db.exec("PRAGMA cache_size = -16384");
  db.exec("PRAGMA temp_store = MEMORY");
  writeSchema(db, version);
}

/** First block address that was never used. */
function nextAddress(db: Database): number {
  const last = Number(db.prepare("SELECT max(id) AS id FROM block").get()?.["id"] ?? 0);
  const row = db.prepare("SELECT value FROM setting WHERE key = 'next_block'").get();
  return Math.max(last + 1, Number(row?.["value"] ?? 1));
}
