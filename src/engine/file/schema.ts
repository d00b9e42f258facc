/**
 * The tables of a database file, and how older files are brought up to date (docs/engine.md).
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import { Deletions } from "./deletions.ts";
import { keyPages } from "./key_pages.ts";
import { KeySets, placeOfRow } from "./key_sets.ts";
import { propertyRowsOf, UNKNOWN_KEY } from "./property_rows.ts";
import { type Database, openSqlite, type Row } from "./sqlite.ts";
import { STREAM_COLUMNS } from "./stream_row.ts";

/** Marks the files of this engine: "BTrE". */
export const APPLICATION_ID = 0x42547245;

/** Page size of new files, bytes: several leaves fit on a page. */
const PAGE_BYTES = 16_384;

/**
 * Gives a new file pages of that size, which can be given back in steps when nothing uses them. It must
 * come before anything that makes the first page; a file that has pages stays as it is.
 */
export function beginFile(db: Pick<Database, "exec" | "prepare">): void {
  if (pragma(db, "page_count") > 0) return;
  db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`);
}

/** Rows of the view that SQL queries read. */
const SELECT_STREAMS = `SELECT
  lower(substr(hex(uuid), 1, 8) || '-' || substr(hex(uuid), 9, 4) || '-' ||
    substr(hex(uuid), 13, 4) || '-' || substr(hex(uuid), 17, 4) || '-' ||
    substr(hex(uuid), 21)) AS uuid,
  collection,
  tags ->> 'name' AS name,
  tags ->> 'unit' AS unit,
  tags ->> 'ingress' AS ingress,
  property_version,
  tags,
  annotations
FROM stream`;

const STREAMS_VIEW = `
CREATE VIEW streams AS ${SELECT_STREAMS};
`;

/** SQL function that tells for each row of a query whether there is time left. */
export const IN_TIME = "btrdb_in_time";

/**
 * Makes the view `streams` of one connection, which asks before each row whether to go on.
 *
 * @param db Needs a table `stream`; nothing is written to it.
 * @param isInTime 0: the row is left out. Must not throw.
 */
export function writeSqlView(db: Database, isInTime: () => number): void {
  if (db.function === undefined) return;
  db.function(IN_TIME, { useBigIntArguments: true }, (_id: unknown) => isInTime());
  db.exec("PRAGMA temp_store = MEMORY");
  db.exec(`CREATE TEMP VIEW streams AS ${SELECT_STREAMS} WHERE ${IN_TIME}(id)`);
}

/** Tables of the first version; {@linkcode MIGRATIONS} add the others, to new files too. */
const TABLES = `
CREATE TABLE stream (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid BLOB NOT NULL UNIQUE,
  collection TEXT NOT NULL,
  tags TEXT NOT NULL,
  annotations TEXT NOT NULL,
  property_version INTEGER NOT NULL,
  sort_key BLOB NOT NULL UNIQUE,
  checksum INTEGER NOT NULL,
  pruned_below INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE collection (sort_key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE tombstone (uuid BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE version (
  stream INTEGER NOT NULL,
  major INTEGER NOT NULL,
  root INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (stream, major)
) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  points INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;
CREATE TABLE block (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE setting (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
${STREAMS_VIEW}`;

/** Brings a file from one schema version to the next. */
type Migration = (db: Pick<Database, "exec" | "prepare">) => void;

/** Steps from schema version `i + 1` to `i + 2`, each run in a transaction of its own. */
const MIGRATIONS: readonly Migration[] = [
  noteObliterated,
  indexJournal,
  indexProperties,
  allowLatePoints,
  addRetention,
  countKeySets,
  allowCompressedNodes,
];

/** Version of the tables this code writes. */
export const SCHEMA_VERSION: number = MIGRATIONS.length + 1;

/**
 * Adds the table of streams whose versions below a bound are to be removed, with the obliterated
 * streams whose versions are still there: one query a stream, because the versions are many.
 */
function noteObliterated(db: Pick<Database, "exec">): void {
  db.exec(`
    CREATE TABLE reclaim (stream INTEGER PRIMARY KEY, below INTEGER NOT NULL) STRICT;
    WITH RECURSIVE versioned (stream) AS (
      SELECT min(stream) FROM version
      UNION ALL
      SELECT (SELECT min(v.stream) FROM version v WHERE v.stream > versioned.stream)
      FROM versioned WHERE versioned.stream IS NOT NULL
    )
    INSERT INTO reclaim (stream, below)
    SELECT stream, ${Number.MAX_SAFE_INTEGER} FROM versioned
    WHERE stream IS NOT NULL AND stream NOT IN (SELECT id FROM stream)`);
}

/** Adds the index of the journal by stream, and notes which rows are not in it yet: none. */
function indexJournal(db: Pick<Database, "exec">): void {
  db.exec(`
    CREATE TABLE journal_index (
      stream INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      PRIMARY KEY (stream, seq)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO journal_index SELECT stream, seq FROM journal ORDER BY stream, seq;
    INSERT INTO setting (key, value)
    SELECT 'journal_tail', ifnull(max(seq), 0) + 1 FROM journal`);
}

/** Streams read in one go. */
const PAGE_ROWS = 1000;

/** Rows of all streams, damaged or not. */
function* streamRows(db: Pick<Database, "prepare">): Generator<Row> {
  const page = db.prepare(
    `SELECT id, ${STREAM_COLUMNS} FROM stream WHERE id > ? ORDER BY id LIMIT ${PAGE_ROWS}`,
  );
  for (const rows of keyPages((after) => page.all(after), "id", 0)) yield* rows;
}

/** Adds the index of streams by tags and annotations. */
function indexProperties(db: Pick<Database, "exec" | "prepare">): void {
  db.exec(`CREATE TABLE property (
      key INTEGER NOT NULL,
      value INTEGER NOT NULL,
      stream INTEGER NOT NULL,
      PRIMARY KEY (key, value, stream)
    ) STRICT, WITHOUT ROWID`);
  const add = db.prepare(
    "INSERT INTO property (key, value, stream) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  for (const row of streamRows(db)) {
    const entries = propertyRowsOf(row) ?? [{ key: UNKNOWN_KEY, value: 0 }];
    for (const { key, value } of entries) add.run(key, value, row["id"]!);
  }
}

/** Blocks may be late points and lists of them: earlier releases cannot read these. */
function allowLatePoints(): void {}

/**
 * Adds the rules by which points expire, and what was deleted and is still in older versions: of the
 * streams that there are nobody knows, so it is looked for when a rule covers them.
 */
function addRetention(db: Pick<Database, "exec" | "prepare">): void {
  db.exec(`
    CREATE TABLE retention (
      prefix TEXT PRIMARY KEY,
      max_age TEXT NOT NULL,
      checksum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE deletion (
      stream INTEGER PRIMARY KEY,
      start INTEGER,
      major INTEGER NOT NULL,
      checksum INTEGER NOT NULL
    ) STRICT`);
  const next = db.prepare(
    "SELECT stream, major FROM version " +
      "WHERE stream = (SELECT min(stream) FROM version WHERE stream > ?) " +
      "ORDER BY major DESC LIMIT 1",
  );
  const isThere = db.prepare("SELECT 1 FROM stream WHERE id = ?");
  const deletions = new Deletions(db);
  for (const [row] of keyPages((after) => next.all(after), "stream", 0)) {
    const stream = Number(row!["stream"]);
    if (isThere.get(stream) === undefined) continue;
    deletions.set(stream, { start: undefined, major: Number(row!["major"]) });
  }
}

/** Adds the numbers of streams by the keys that they have. */
function countKeySets(db: Pick<Database, "exec" | "prepare">): void {
  db.exec(`CREATE TABLE key_set (
      collection BLOB NOT NULL,
      keys TEXT NOT NULL,
      streams INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      PRIMARY KEY (collection, keys)
    ) STRICT, WITHOUT ROWID`);
  const sets = new KeySets(db);
  for (const row of streamRows(db)) sets.add(placeOfRow(row));
}

/** Inner nodes may be compressed: earlier releases cannot read these. */
function allowCompressedNodes(): void {}

/** Tables, indexes, views and triggers of a file, by name, with what makes them. */
function objectsOf(db: Pick<Database, "prepare">): Map<string, string> {
  const rows = db.prepare("SELECT type, name, sql FROM sqlite_schema").all();
  return new Map(
    rows.map((row) => [`${row["type"]} ${JSON.stringify(row["name"])}`, String(row["sql"] ?? "")]),
  );
}

/** The same of a file that the engine made, by schema version. */
const own = new Map<number, ReadonlyMap<string, string>>();

function ownObjects(version: number): ReadonlyMap<string, string> {
  const known = own.get(version);
  if (known !== undefined) return known;
  const db = openSqlite(":memory:", { readOnly: false });
  try {
    makeTables(db, version);
    const made = objectsOf(db);
    own.set(version, made);
    return made;
  } finally {
    db.close();
  }
}

/** Makes the tables of a new file. */
function makeTables(db: Pick<Database, "exec" | "prepare">, version: number): void {
  db.exec(TABLES);
  for (const step of MIGRATIONS.slice(0, version - 1)) step(db);
}

/**
 * Finds what a file has that the engine did not make: a trigger or view runs SQL of whoever made the
 * file, whenever it is used. Tables that share their pages are found too.
 *
 * @param version Schema version of the file.
 * @returns Descriptions, e.g. `The trigger "evil" is not known`.
 */
export function foreignObjects(
  db: Pick<Database, "prepare">,
  version: number = SCHEMA_VERSION,
): string[] {
  const problems: string[] = [];
  const expected = ownObjects(version);
  const found = objectsOf(db);
  for (const [name, sql] of found) {
    if (!expected.has(name)) problems.push(`The ${name} ${unknownBecause(name)}`);
    else if (expected.get(name) !== sql) {
      problems.push(`The ${name} is not as this release makes it`);
    }
  }
  for (const name of expected.keys()) {
    if (!found.has(name)) problems.push(`The ${name} is missing`);
  }
  return [...problems, ...sharedPages(db)];
}

/** Names tables and indexes that begin at the page of another one: rows of one would overwrite the other's. */
function sharedPages(db: Pick<Database, "prepare">): string[] {
  const rows = db.prepare(
    "SELECT max(type || ' ' || name) AS one, min(type || ' ' || name) AS other FROM sqlite_schema " +
      "WHERE rootpage > 0 GROUP BY rootpage HAVING count(*) > 1",
  ).all();
  return rows.map(({ one, other }) => `The ${one} is at the page of the ${other}`);
}

/** Reason to refuse an object that the engine did not make. */
function unknownBecause(name: string): string {
  const statistics = /^table "(sqlite_stat[134])"$/.exec(name)?.[1];
  return statistics === undefined
    ? "is not known"
    : "has statistics that ANALYZE or PRAGMA optimize of another program made, by which SQLite " +
      `would read in another order; DROP TABLE ${statistics} in the sqlite3 shell removes it, and ` +
      "loses nothing";
}

function pragma(db: Pick<Database, "prepare">, name: string): number {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return Number(Object.values(row ?? {})[0] ?? 0);
}

/**
 * Refuses a file with tables, views, indexes or triggers that this engine did not make.
 *
 * @throws {BTrDBError} `CORRUPT`.
 */
export function refuseForeignObjects(
  db: Pick<Database, "prepare">,
  path: string,
  version: number = SCHEMA_VERSION,
): void {
  const [problem] = foreignObjects(db, version);
  if (problem === undefined) return;
  throw new BTrDBError(`Cannot open ${path}: ${problem}`, {
    status: "CORRUPT",
  });
}

/**
 * Reads the schema version of a file.
 *
 * @returns 0 for an empty one, else the version of its schema.
 * @throws {BTrDBError} If it is not one of ours or newer than this code.
 */
export function readSchemaVersion(db: Database, path: string): number {
  const id = pragma(db, "application_id");
  const version = pragma(db, "user_version") & SCHEMA_BITS;
  const tables = Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!["n"]);
  if (id === 0 && version === 0 && tables === 0) return 0;
  if (id !== APPLICATION_ID) {
    const problem = id === 0 && hasOwnTables(db)
      ? "it has tables of this engine, but not its application_id, which a dump leaves out; for a " +
        `copy made so, PRAGMA application_id = ${APPLICATION_ID} and PRAGMA user_version = ` +
        `${SCHEMA_VERSION} (or the number of an older schema) in the sqlite3 shell put both back`
      : "it is an SQLite database of another application";
    throw new BTrDBError(`Cannot open ${path}: ${problem}`, { status: "NOT_A_DATABASE" });
  }
  if (version > SCHEMA_VERSION || version < 1) {
    const readable = `this release reads 1 to ${SCHEMA_VERSION}`;
    const advice = version < 1 ? "" : "; use a newer release of @btrdb/btrdb";
    throw new BTrDBError(
      `Cannot open ${path}: its schema has version ${version}, ${readable}${advice}`,
      { status: version < 1 ? "SCHEMA_TOO_OLD" : "SCHEMA_TOO_NEW" },
    );
  }
  return version;
}

/** Tells whether a file has all tables of the first schema, as the engine makes them. */
function hasOwnTables(db: Database): boolean {
  const found = objectsOf(db);
  return [...ownObjects(1)].every(([name, sql]) => found.get(name) === sql);
}

/** Bits of the user version that hold the schema version (docs/engine.md, "One writer"). */
const SCHEMA_BITS = 0xf;

/** Makes the tables of an empty file, or brings an older one up to date. */
export function writeSchema(db: Database, version: number): void {
  if (version === 0) {
    transaction(db, () => {
      makeTables(db, SCHEMA_VERSION);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      setSchemaVersion(db, SCHEMA_VERSION);
    });
    return;
  }
  migrate(db, version, MIGRATIONS);
}

/**
 * Brings a file up to date, a version at a time: whatever interrupts it, the file is of one version
 * or the next.
 *
 * @param steps From schema version `i + 1` to `i + 2`.
 */
export function migrate(
  db: Pick<Database, "exec" | "prepare">,
  version: number,
  steps: readonly Migration[],
): void {
  for (let v = version; v <= steps.length; v++) {
    transaction(db, () => {
      steps[v - 1]!(db);
      setSchemaVersion(db, v + 1);
    });
  }
}

/** Notes the schema version; the other bits of the user version stay. */
function setSchemaVersion(db: Pick<Database, "exec" | "prepare">, version: number): void {
  const others = pragma(db, "user_version") & ~SCHEMA_BITS;
  db.exec(`PRAGMA user_version = ${others | version}`);
}

/** Runs `work` in a transaction; an error rolls back. */
export function transaction<T>(db: Pick<Database, "exec">, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    rollback(db);
    throw error;
  }
}

/** Rolls back, unless SQLite has done so itself. */
export function rollback(db: Pick<Database, "exec">): void {
  try {
    db.exec("ROLLBACK");
  } catch {
    // SQLite rolls back by itself after errors such as a full disk; there is nothing left to undo.
  }
}
