/**
 * The part of `node:sqlite` that the engine uses, behind an interface that tests can replace, and
 * the meaning of its errors.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { BTrDBError } from "../../core/errors.ts";

/** A value SQLite stores. */
export type Value = null | number | bigint | string | Uint8Array;

/** A row by column name. */
export type Row = Record<string, Value>;

/**
 * A prepared statement. There is no `iterate`: in Deno 2.9 it ends at an error as if there were no
 * more rows. Long results are read in pages.
 */
export interface Statement {
  run(...params: Value[]): { lastInsertRowid: number | bigint };
  get(...params: Value[]): Row | undefined;
  all(...params: Value[]): Row[];
  /** Has rows given as arrays, which takes half the time for short ones. Missing in older runtimes. */
  setReturnArrays?(enabled: boolean): void;
  columns(): { name: string; column: string | null }[];
  readonly sourceSQL: string;
}

/** Decides whether a statement may do something; SQLite's codes. */
export type Authorizer = (
  action: number,
  first: string | null,
  second: string | null,
  database: string | null,
  view: string | null,
) => number;

/** An open database. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** Missing in older runtimes. */
  setAuthorizer?(authorizer: Authorizer | null): void;
  /**
   * Defines a function for statements. One that throws makes its statement run without end in Deno
   * 2.9. Missing in older runtimes.
   */
  function?(
    name: string,
    options: { useBigIntArguments: boolean },
    run: (argument: unknown) => Value,
  ): void;
  /**
   * Limits of SQLite that may be changed; `length` is that of a text or blob. Missing in some
   * runtimes.
   */
  readonly limits?: { length: number } | undefined;
  close(): void;
}

/** Options of opening a database. */
export interface OpenOptions {
  readOnly: boolean;
  /**
   * Nobody writes the file: SQLite takes no locks, makes no files beside it and does not look into
   * its log. Runtimes that do not know it say that the file cannot be opened.
   */
  immutable?: boolean;
}

/** Opens a database; tests replace it to inject faults. */
export type OpenDatabase = (path: string, options: OpenOptions) => Database;

/** SQLite's name of a database in memory. */
const MEMORY = ":memory:";

/** Opens a database with `node:sqlite`. */
export function openSqlite(path: string, { readOnly, immutable }: OpenOptions): Database {
  // A name that begins with "file:" would be a URI to SQLite, with options in it; an absolute path
  // never is.
  const absolute = path === MEMORY ? path : resolve(path);
  const location = immutable ? `${pathToFileURL(path).href}?immutable=1` : absolute;
  const db = new DatabaseSync(location, { readOnly }) as unknown as Database;
  db.exec("PRAGMA trusted_schema = OFF");
  return db;
}

const CORRUPT: (typeof MEANING)[number] = [
  11,
  "database disk image is malformed",
  "CORRUPT",
  "its content is damaged",
];

/** SQLite's primary result codes that say something to a user, with SQLite's own texts. */
const MEANING: readonly [code: number, own: string, status: string, text: string][] = [
  [5, "database is locked", "LOCKED", "another process is using it"],
  [6, "database table is locked", "LOCKED", "another process is using it"],
  [8, "attempt to write a readonly database", "READ_ONLY", "it cannot be written"],
  [10, "disk I/O error", "IO_ERROR", "the disk reports an error"],
  CORRUPT,
  [13, "database or disk is full", "DISK_FULL", "the disk is full"],
  [14, "unable to open database file", "CANNOT_OPEN", "it cannot be opened"],
  // The engine looks before it writes: only rows that it did not write can break a rule of theirs.
  [19, "constraint failed", "CORRUPT", "its content is damaged"],
  [20, "datatype mismatch", "CORRUPT", "its content is damaged"],
  [26, "file is not a database", "NOT_A_DATABASE", "it is not a database"],
];

/** SQLite's messages when the tables are not those of this engine, whose statements are fixed. */
const OTHER_TABLES = /^(no such (table|column)|table \w+ has no column|malformed database schema)/;

/**
 * The error to show for one that SQLite threw; other errors pass unchanged.
 *
 * @param error The thrown value. `node:sqlite` gives the result code of statements as `errcode`, of
 *   everything else only SQLite's text.
 * @param path The database.
 */
export function sqliteError(error: unknown, path: string): unknown {
  if (error instanceof BTrDBError || !(error instanceof Error)) return error;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  // An integer beyond 2^53, which this engine never writes.
  const isDamage = code === "ERR_OUT_OF_RANGE" || OTHER_TABLES.test(error.message);
  if (code !== "ERR_SQLITE_ERROR" && !isDamage) return error;
  const known = isDamage
    ? CORRUPT
    : MEANING.find(([number, own]) =>
      typeof errcode === "number" ? (errcode & 0xff) === number : error.message.startsWith(own)
    );
  const [, , status, text] = known ?? [0, "", "STORAGE_ERROR", "SQLite reports an error"];
  return new BTrDBError(`Cannot use ${path}: ${text} (${error.message})`, {
    status,
    retryable: status === "LOCKED",
    cause: error,
  });
}
