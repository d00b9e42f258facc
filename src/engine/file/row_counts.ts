/**
 * Numbers of rows that a file had when its writer closed it, and checksums of their keys.
 *
 * Rows have checksums, but a bit of the count of an SQLite page hides rows of it without a trace, and
 * one of a key, or of where the page has it, hides those that a search passes. So the last change of a
 * writer notes how many rows there are and what their keys are, and whoever opens the file next compares
 * (docs/engine.md, "File format"). The note holds for the epoch in it only: it says nothing about a
 * file that was written since, or that was not closed.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import { checkParts } from "./checksum.ts";
import { IN_TAIL } from "./journal_rows.ts";
import { rollback } from "./schema.ts";
import { type Database, sqliteError } from "./sqlite.ts";
import { parseUserVersion, readUserVersion } from "./user_version.ts";

/** Row of `setting` with the numbers: in the key, because values are integers. */
export const ROWS_KEY = "rows ";

/** A number that is noted. */
interface Counted {
  /** Name in the note, and in messages. */
  readonly name: string;
  /**
   * Gives it as `n`, or a text of which the checksum is noted. SQLite counts whole tables by pages, 3 to
   * 6 ns a row, and sums up keys in 60 to 90 ns.
   */
  readonly sql: string;
  /**
   * Counts the rows of which it is. If that can be done, all pages can be read: where keys cannot, a search
   * may pass them, and find less without an error.
   */
  readonly count?: string;
  /** Finds a row if there are so many that to count them would take long. */
  readonly isLong?: string | undefined;
}

function countOf(from: string): string {
  return `SELECT count(*) AS n FROM ${from}`;
}

/** Rows of a table or an index, or some of them. */
function rows(name: string, from: string, isLong?: string): Counted {
  return {
    name: `the number of rows of ${name}`,
    sql: countOf(from),
    isLong,
  };
}

/** Rows of a table that has some hundred bytes in each at most: 65,536 are counted in 0.4 ms. */
function shortRows(name: string): Counted {
  return rows(name, name, `SELECT 1 FROM ${name} LIMIT 1 OFFSET 65536`);
}

/** The keys of a table or an index, or of some rows, as a sum: each is numbers. */
function sumOfKeys(name: string, key: string, from: string, isLong?: string): Counted {
  const sql = `SELECT ifnull(sum((${key}) & 4294967295), 0) AS n FROM ${from}`;
  return { name: `the sum of the keys of ${name}`, sql, count: countOf(from), isLong };
}

/** The keys of a table or an index, in their order: each is bytes or a text. */
function checksumOfKeys(name: string, key: string, from: string, isLong: string): Counted {
  const sql = `SELECT ifnull(group_concat(${key}), '') AS n FROM ${from}`;
  return { name: `the checksum of the keys of ${name}`, sql, count: countOf(from), isLong };
}

/** Finds a row if there are so many that to read their keys would take long. */
function manyRows(name: string, most: number): string {
  return `SELECT 1 FROM ${name} LIMIT 1 OFFSET ${most}`;
}

/** Keys that are numbers, of a table with some hundred bytes in each row at most. */
function shortKeys(name: string, key: string): Counted {
  return sumOfKeys(name, key, name, manyRows(name, 65_536));
}

/** Rows of the tail of the journal. */
const TAIL = `journal WHERE ${IN_TAIL}`;

/** Finds a stream that is not one of the first 4,096. */
const SOME_STREAMS = "SELECT 1 FROM stream WHERE id > 4096 LIMIT 1";

/** Finds a stream that is not one of the first 16,384: rows of streams are long. */
const MANY_STREAMS = "SELECT 1 FROM stream WHERE id > 16384 LIMIT 1";

/** Finds a journal row that may have 262,144 others behind it. */
const LONG_JOURNAL = "SELECT 1 FROM journal " +
  "WHERE seq < (SELECT max(seq) FROM journal) - 262144 LIMIT 1";

/** Everything but blocks and older journal rows, which others miss, and `setting` itself. */
const COUNTED: readonly Counted[] = [
  // The next block has the next number: no other may have had it.
  { name: "the number of the last block", sql: "SELECT ifnull(max(id), 0) AS n FROM block" },
  // As has the next stream, of which there may be something left.
  {
    name: "the number of the last stream",
    sql: "SELECT ifnull(max(seq), 0) AS n FROM sqlite_sequence WHERE name = 'stream'",
  },
  rows("stream", "stream NOT INDEXED", MANY_STREAMS),
  rows("stream by uuid", "stream WHERE uuid >= x''", MANY_STREAMS),
  rows("stream by sort_key", "stream WHERE sort_key >= x''", MANY_STREAMS),
  rows("journal", TAIL),
  rows("journal_index", "journal_index", LONG_JOURNAL),
  shortRows("version"),
  shortRows("collection"),
  shortRows("tombstone"),
  shortRows("property"),
  shortRows("key_set"),
  shortRows("reclaim"),
  shortRows("retention"),
  shortRows("deletion"),
  checksumOfKeys("stream by uuid", "quote(uuid) || id", "stream WHERE uuid >= x''", SOME_STREAMS),
  checksumOfKeys(
    "stream by sort_key",
    "quote(sort_key) || id",
    "stream WHERE sort_key >= x''",
    SOME_STREAMS,
  ),
  sumOfKeys("journal", "stream * 2654435761 + seq", TAIL),
  shortKeys("journal_index", "stream * 2654435761 + seq"),
  shortKeys("version", "stream * 2654435761 + major"),
  shortKeys("property", "key * 3 + value * 5 + stream"),
  checksumOfKeys("collection", "quote(sort_key)", "collection", manyRows("collection", 4096)),
  checksumOfKeys("tombstone", "quote(uuid)", "tombstone", manyRows("tombstone", 4096)),
  checksumOfKeys(
    "key_set",
    "quote(collection) || quote(keys)",
    "key_set",
    manyRows("key_set", 4096),
  ),
  shortKeys("reclaim", "stream * 2654435761 + below"),
  shortKeys("deletion", "stream"),
];

/** Reads a number; `undefined` if SQLite finds the pages damaged. */
function numberOf(db: Pick<Database, "prepare">, sql: string): number | undefined {
  return ifReadable(() => {
    const n = db.prepare(sql).get()!["n"];
    return typeof n === "string" ? checkParts(n) : Number(n);
  });
}

function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const mapped = sqliteError(error, "");
    if (mapped instanceof BTrDBError && mapped.status === "CORRUPT") return undefined;
    throw error;
  }
}

/** Tells whether a number is not to be noted. */
function isLeftOut(db: Pick<Database, "prepare">, { isLong }: Counted): boolean {
  if (isLong === undefined) return false;
  return ifReadable(() => db.prepare(isLong).get() === undefined) !== true;
}

/** The numbers to be noted, by name. */
function numbersToNote(db: Pick<Database, "prepare">): Record<string, number | undefined> {
  const counted = COUNTED.filter((counted) => !isLeftOut(db, counted));
  return Object.fromEntries(counted.map((counted) => [counted.name, numberOf(db, counted.sql)]));
}

/**
 * Counts the rows of a file. Call it before the last transaction of a writer, outside of others.
 *
 * @param epoch The writer's epoch.
 * @returns The row of `setting` that says how many there are.
 */
export function countedRows(db: Pick<Database, "exec" | "prepare">, epoch: number): string {
  const numbers = onOneState(db, () => numbersToNote(db));
  return `${ROWS_KEY}${epoch} ${JSON.stringify(numbers)}`;
}

/** Reads in a transaction. After damage COMMIT would tell of it again. */
function onOneState<T>(db: Pick<Database, "exec">, read: () => T): T {
  db.exec("BEGIN");
  try {
    return read();
  } finally {
    rollback(db);
  }
}

/** Removes the note. Call it when something is going to be written. */
export function forgetRows(db: Pick<Database, "exec">): void {
  db.exec(`DELETE FROM setting WHERE key LIKE '${ROWS_KEY}%'`);
}

/** Tells whether a search may pass what is damaged. SQLite tells all who come to a page that it cannot read. */
function isPassed(db: Pick<Database, "prepare">, { count }: Counted): boolean {
  return count !== undefined && numberOf(db, count) !== undefined;
}

/** The note in a file; `undefined` if there is none, or it is of an earlier state. */
function noteOf(db: Pick<Database, "prepare">): string | undefined {
  const { isOpen, epoch } = parseUserVersion(readUserVersion(db));
  if (isOpen) return undefined;
  const begin = `${ROWS_KEY}${epoch} `;
  const row = db.prepare("SELECT key FROM setting WHERE key >= ? ORDER BY key LIMIT 1").get(begin);
  const key = String(row?.["key"] ?? "");
  return key.startsWith(begin) ? key.slice(begin.length) : undefined;
}

/** The numbers of a note by name; `undefined` if it is damaged. */
function numbersOf(note: string): Map<string, unknown> | undefined {
  try {
    return new Map(Object.entries(JSON.parse(note)));
  } catch {
    return undefined;
  }
}

/**
 * Problems of the numbers of rows.
 *
 * @param db Must be on one state.
 */
export function* rowCountProblems(db: Pick<Database, "prepare">): Generator<string> {
  const note = noteOf(db);
  if (note === undefined) return;
  const noted = numbersOf(note);
  if (noted === undefined) return yield "the note of the numbers of its rows is damaged";
  for (const counted of COUNTED) {
    const before = noted.get(counted.name);
    const now = before === undefined ? before : numberOf(db, counted.sql);
    if (now === before || (now === undefined && !isPassed(db, counted))) continue;
    const is = now === undefined ? "cannot be read" : `is ${now}`;
    yield `${counted.name} ${is}, and was ${before} when the file was closed`;
  }
}

/**
 * Refuses a file that has lost rows since it was closed.
 *
 * @throws {BTrDBError} `CORRUPT`.
 */
export function refuseLostRows(db: Pick<Database, "exec" | "prepare">, path: string): void {
  const [problem] = onOneState(db, () => [...rowCountProblems(db)]);
  if (problem === undefined) return;
  throw new BTrDBError(
    `Cannot open ${path}: ${problem}; restore a copy, or to do without what is lost, DELETE FROM ` +
      `setting WHERE key LIKE '${ROWS_KEY}%' in the sqlite3 shell`,
    { status: "CORRUPT" },
  );
}
