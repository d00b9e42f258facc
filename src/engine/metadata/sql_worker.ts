/**
 * Process or thread that runs SQL queries on a read-only connection of its own. A database in memory
 * is sent to it as the rows of its streams.
 *
 * @module
 */

import process from "node:process";
import { parentPort } from "node:worker_threads";
import { deadlineExceeded } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import { type Database, openSqlite, sqliteError } from "../file/sqlite.ts";
import { writeSqlView } from "../file/schema.ts";
import { runSql } from "./sql.ts";
import { checkGrowth } from "./sql_growth.ts";
import { CLOSED, type SqlOrder, type SqlReport } from "./sql_messages.ts";

const TABLE = "CREATE TABLE stream (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, " +
  "collection TEXT NOT NULL, tags TEXT NOT NULL, annotations TEXT NOT NULL, " +
  "property_version INTEGER NOT NULL)";

/**
 * Memory of SQLite in a process of queries, bytes: of sorted rows, and of JSON that is put together,
 * which is as long as its rows before its length is looked at. A query that needs more fails.
 */
const MAX_MEMORY = 512 << 20;

/** Characters of rows that one message carries, so that reading it holds nobody up. */
const MESSAGE_CHARACTERS = 1 << 18;

const MEMORY = ":memory:";

const send = (message: SqlReport | typeof CLOSED): void => {
  if (parentPort === null) process.send?.(message);
  else parentPort.postMessage(message);
};
let db: Database | undefined;
let path = MEMORY;
let isMemoryLimited = false;
let deadlineMs = 0;
let isLate = false;

/**
 * Called by SQLite for every row of a query that it visits. A function that throws would never
 * return on some runtimes, so rows are left out when time is up and the rest is thrown away.
 */
function isInTime(): number {
  isLate ||= Date.now() >= deadlineMs;
  return isLate ? 0 : 1;
}

function open(location: string, readOnly: boolean): Database {
  db?.close();
  path = location;
  db = openSqlite(location, { readOnly });
  if (!readOnly) db.exec(TABLE);
  writeSqlView(db, isInTime);
  return db;
}

/**
 * Bounds the memory of SQLite, which can be done once. It holds for all databases of the program, so it
 * is not for threads. The streams of a database in memory may double.
 */
function limitMemory(target: Database): void {
  if (isMemoryLimited || parentPort !== null) return;
  isMemoryLimited = true;
  const pages = Number(target.prepare("PRAGMA page_count").get()!["page_count"]);
  const pageBytes = Number(target.prepare("PRAGMA page_size").get()!["page_size"]);
  const ownBytes = path === MEMORY ? 2 * pages * pageBytes : 0;
  target.exec(`PRAGMA hard_heap_limit = ${MAX_MEMORY + ownBytes}`);
}

/** Answers a query with one or several messages. */
function* answer(order: Extract<SqlOrder, { type: "query" }>): Generator<SqlReport> {
  deadlineMs = order.deadlineMs;
  isLate = false;
  try {
    limitMemory(db!);
    if (parentPort !== null) checkGrowth(order.request.query);
    const rows = runSql(db!, order.request, { deadlineMs });
    if (isLate) throw deadlineExceeded("run SQL");
    yield* messages(rows);
  } catch (thrown) {
    const error = sqliteError(isLate ? deadlineExceeded("run SQL") : thrown, path);
    const { code, status } = error instanceof BTrDBError ? error : { code: 0, status: "INTERNAL" };
    yield { message: (error as Error).message, code, status };
  }
}

function* messages(rows: readonly string[]): Generator<SqlReport> {
  let held: string[] = [];
  let length = 0;
  for (const row of rows) {
    held.push(row);
    length += row.length;
    if (length < MESSAGE_CHARACTERS) continue;
    yield { rows: held, isLast: false };
    held = [];
    length = 0;
  }
  yield { rows: held, isLast: true };
}

function insertAll(target: Database, rows: Extract<SqlOrder, { type: "streams" }>["rows"]): void {
  const insert = target.prepare("INSERT INTO stream VALUES (?, ?, ?, ?, ?, ?)");
  target.exec("BEGIN");
  for (const row of rows) insert.run(...row);
  target.exec("COMMIT");
}

function obey(order: SqlOrder): void {
  if (order.type === "open") open(order.path, true);
  else if (order.type === "streams") {
    insertAll(order.first ? open(MEMORY, false) : db!, order.rows);
  } else if (order.type === "query") {
    for (const report of answer(order)) send(report);
  } else {
    db?.close();
    send(CLOSED);
  }
}

if (parentPort !== null) parentPort.on("message", obey);
else {
  process.on("message", obey);
  // The program that started it is gone.
  process.on("disconnect", () => process.exit());
  // A terminal sends these to all processes; the program decides when this one ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
}
