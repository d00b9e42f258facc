/**
 * Read-only SQL on the metadata: one statement on the view `streams`, nothing else. SQLite's
 * authorizer decides what a statement may touch; the rows it can visit are estimated from SQLite's
 * own plan before it starts, since SQLite cannot be interrupted here (docs/engine.md, "SQL").
 *
 * @module
 */

import { throwIfOver } from "../../core/call.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import type { CallOptions, SqlRequest } from "../../endpoint/endpoint.ts";
import { damaged } from "../file/checksum.ts";
import { sqlCost } from "./sql_cost.ts";
import { opensOther } from "./sql_tables.ts";
import { IN_TIME } from "../file/schema.ts";
import type { Authorizer, Database, Row, Statement } from "../file/sqlite.ts";

/** Most rows one query may return. */
export const MAX_SQL_ROWS = 100_000;

/** Most bytes of all values one query may return. */
export const MAX_SQL_BYTES: number = 64 << 20;

/** Most characters of all rows as JSON: control characters take six, names are in each row. */
const MAX_SQL_JSON = 2 * MAX_SQL_BYTES;

/** Most characters of one row as JSON: whoever sends rows holds a few of them for each reader. */
const MAX_ROW_JSON = 2 << 20;

/** Functions a query may call: none that makes long results from short ones. */
const FUNCTIONS: ReadonlySet<string> = new Set(
  ("abs avg ceil ceiling char coalesce concat concat_ws count date datetime dense_rank " +
    "first_value floor glob group_concat hex if ifnull iif instr json json_array " +
    "json_array_length json_extract json_group_array json_group_object json_object json_quote " +
    "json_type json_valid julianday lag last_value lead length like lower ltrim max min mod nullif " +
    "octet_length quote rank replace round row_number rtrim sign strftime string_agg substr " +
    "substring sum time total trim typeof unicode unixepoch upper -> ->>").split(" "),
);

function refuse(text: string, cause?: unknown): never {
  throw new BTrDBError(text, { code: ErrorCode.BadSQLValue, cause });
}

/** Questions and answers of SQLite's authorizer (sqlite.org/c3ref/c_alter_table.html). */
const SQLITE_OK = 0;
const SQLITE_DENY = 1;
const SQLITE_READ = 20;
const SQLITE_SELECT = 21;
const SQLITE_FUNCTION = 31;

/** Names that SQLite gives a meaning in a FROM clause; it lists some only after their first use. */
const RESERVED =
  /^(pragma_|sqlite_|jsonb?_|fts\d|rtree|geopoly|dbstat|bytecode|tables_used|generate_series)/i;

/** First word of a query. SQLite does not ask the authorizer about everything else, e.g. VACUUM. */
const FIRST_WORDS = /^(select|with|values)\b/i;

/** Longest query, and longest parameters together, in UTF-16 units. */
const MAX_SQL_INPUT = 65_536;
/** Most parameters. */
const MAX_SQL_PARAMS = 1_000;

/**
 * Index of the first character that is neither blank nor in a comment. Every character is looked at
 * once: a regular expression for this can take exponential time.
 *
 * @param blanks Characters that count as blank.
 */
function skipBlanks(sql: string, blanks: RegExp): number {
  let at = 0;
  while (at < sql.length) {
    if (sql.startsWith("--", at)) {
      const end = sql.indexOf("\n", at);
      if (end < 0) return sql.length;
      at = end + 1;
    } else if (sql.startsWith("/*", at)) {
      const end = sql.indexOf("*/", at + 2);
      if (end < 0) return sql.length;
      at = end + 2;
    } else if (blanks.test(sql[at]!)) at++;
    else return at;
  }
  return at;
}

/**
 * Refuses what is too long to be looked at.
 *
 * @throws {BTrDBError} 441.
 */
export function checkSqlInput({ query, params }: SqlRequest): void {
  if (query.length > MAX_SQL_INPUT) {
    refuse(`the query has ${query.length} characters, at most ${MAX_SQL_INPUT} are allowed`);
  }
  if (params.length > MAX_SQL_PARAMS) {
    refuse(`the query has ${params.length} parameters, at most ${MAX_SQL_PARAMS} are allowed`);
  }
  const length = params.reduce((sum, param) => sum + param.length, 0);
  if (length > MAX_SQL_INPUT) {
    refuse(`the parameters have ${length} characters, at most ${MAX_SQL_INPUT} are allowed`);
  }
}

/**
 * SQLite's authorizer: allows reading the view, and functions that are harmless. Counting the rows
 * of a subquery shows as reading a column without a name of a table without a database; that is
 * allowed for names that are nothing else.
 *
 * @param taken Names of tables and table-valued functions.
 */
function authorizer(taken: ReadonlySet<string>): Authorizer {
  return (action, first, second, database, view) => {
    if (action === SQLITE_SELECT) return SQLITE_OK;
    if (action === SQLITE_FUNCTION) {
      const name = (second ?? "").toLowerCase();
      return FUNCTIONS.has(name) || name === IN_TIME ? SQLITE_OK : SQLITE_DENY;
    }
    if (action !== SQLITE_READ || first === null) return SQLITE_DENY;
    if (first === "streams") return SQLITE_OK;
    if (first === "stream" && (view === "streams" || second === "")) return SQLITE_OK;
    const isSubquery = second === "" && database === null && !RESERVED.test(first) &&
      !taken.has(first.toLowerCase());
    return isSubquery ? SQLITE_OK : SQLITE_DENY;
  };
}

/** Names of everything that can stand in a FROM clause. */
function takenNames(db: Database): Set<string> {
  const sql = "SELECT name FROM pragma_module_list UNION SELECT name FROM sqlite_schema";
  return new Set(db.prepare(sql).all().map((row) => String(row["name"]).toLowerCase()));
}

/** Tells whether nothing but blanks, comments and semicolons is left. */
function isBlank(sql: string): boolean {
  return skipBlanks(sql, /[\s;]/) === sql.length;
}

/** A query that SQLite has looked at. */
interface Compiled {
  statement: Statement;
  /** Output of `EXPLAIN QUERY PLAN`. */
  plan: Row[];
  /** Output of `EXPLAIN`. */
  program: Row[];
}

/** Compiles a query with the authorizer on. */
function compile(db: Database, query: string): Compiled {
  if (db.setAuthorizer === undefined) {
    throw new BTrDBError("sqlQuery needs a runtime whose node:sqlite has setAuthorizer", {
      code: ErrorCode.NotImplemented,
    });
  }
  const first = query.slice(skipBlanks(query, /\s/)).slice(0, 7);
  if (!FIRST_WORDS.test(first)) refuse("the query is not a SELECT");
  db.setAuthorizer(authorizer(takenNames(db)));
  try {
    const statement = db.prepare(query);
    if (!isBlank(query.slice(query.indexOf(statement.sourceSQL) + statement.sourceSQL.length))) {
      refuse("the query has more than one statement");
    }
    return {
      statement,
      plan: db.prepare(`EXPLAIN QUERY PLAN ${statement.sourceSQL}`).all(),
      program: db.prepare(`EXPLAIN ${statement.sourceSQL}`).all(),
    };
  } catch (error) {
    if (error instanceof BTrDBError) throw error;
    refuse((error as Error).message, error);
  } finally {
    db.setAuthorizer(null);
  }
}

/** Parameters by their names, `$1` first. */
function bindings(params: readonly string[]): Record<string, string> {
  return Object.fromEntries(params.map((value, i) => [`$${i + 1}`, value]));
}

/**
 * A row as JSON.
 *
 * @param nested Columns whose texts are JSON of metadata: they become objects.
 * @throws {BTrDBError} `CORRUPT` if a forged row has other texts there.
 */
function toJson(row: Row, nested: ReadonlySet<string>): string {
  if (nested.size === 0) return JSON.stringify(row);
  let json = "";
  for (const [name, value] of Object.entries(row)) {
    const isNested = typeof value === "string" && nested.has(name);
    json += `${json === "" ? "{" : ","}${JSON.stringify(name)}:`;
    json += isNested ? checkedJson(value) : JSON.stringify(value);
  }
  return `${json}}`;
}

function checkedJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw damaged("the metadata of a stream");
  }
}

/** Rows as JSON, unless that is too long. */
function allToJson(rows: Row[], nested: ReadonlySet<string>): string[] {
  let characters = 0;
  return rows.map((row) => {
    const text = toJson(row, nested);
    if (text.length > MAX_ROW_JSON) {
      refuse(`a row has ${text.length} characters as JSON, at most ${MAX_ROW_JSON} are allowed`);
    }
    characters += text.length;
    if (characters > MAX_SQL_JSON) {
      refuse(`the query returns more than ${MAX_SQL_JSON} characters as JSON`);
    }
    return text;
  });
}

/**
 * Runs a query.
 *
 * @returns Rows as JSON objects in text form.
 * @throws {BTrDBError} 441 when the query is not allowed, wrong or too expensive.
 */
export function runSql(
  db: Database,
  request: SqlRequest,
  options: CallOptions | undefined,
): string[] {
  const { query, params } = request;
  const { statement, plan, program } = compile(db, query);
  if (opensOther(db, program)) refuse("the query reads another table than streams");
  const streams = Number(db.prepare("SELECT count(*) AS n FROM stream").get()!["n"]);
  const { refusal, maxText } = sqlCost(query, plan, program, streams);
  if (refusal !== undefined) refuse(refusal);
  const columns = statement.columns();
  const nested = new Set<string>();
  for (const { name, column } of columns) {
    // Of several columns with one name a row has the last.
    if (column === "tags" || column === "annotations") nested.add(name);
    else nested.delete(name);
  }
  const values = bindings(params) as unknown as string;
  return limitTexts(db, maxText, () => {
    try {
      throwIfOver(options, "run SQL");
      checkSize(db.prepare(measuring(statement.sourceSQL, columns.length)).get(values)!);
      throwIfOver(options, "run SQL");
      return allToJson(statement.all(values), nested);
    } catch (error) {
      if (!isSqlite(error)) throw error;
      refuse((error as Error).message, error);
    }
  });
}

/** A query without blanks and semicolons at its end. Each run of them is looked at once. */
export function withoutEnd(query: string): string {
  return query.replace(/(?<![\s;])[\s;]+$/, "");
}

/** A query that counts the rows of another one, up to one too many, and their bytes. */
function measuring(query: string, columns: number): string {
  const names = Array.from({ length: columns }, (_, i) => `c${i}`);
  const bytes = names.map((name) => `ifnull(octet_length(${name}), 0)`).join(" + ");
  return `WITH result_(${names}) AS (\n${withoutEnd(query)}\n)
    SELECT count(*) AS n, total(bytes) AS bytes
    FROM (SELECT ${bytes} AS bytes FROM result_ LIMIT ${MAX_SQL_ROWS + 1})`;
}

function checkSize({ n, bytes }: Row): void {
  if ((n as number) > MAX_SQL_ROWS) {
    refuse(`the query returns more than ${MAX_SQL_ROWS} rows, add a LIMIT`);
  }
  if ((bytes as number) > MAX_SQL_BYTES) {
    refuse(`the query returns ${bytes} bytes, at most ${MAX_SQL_BYTES} are allowed`);
  }
}

/** Runs `work` while SQLite makes no texts longer than `bytes`, where the runtime can be told so. */
function limitTexts<T>(db: Database, bytes: number, work: () => T): T {
  const { limits } = db;
  if (limits === undefined) return work();
  const { length } = limits;
  limits.length = bytes;
  try {
    return work();
  } finally {
    limits.length = length;
  }
}

/**
 * Tells whether SQLite or its binding complains: not our own errors, not the reason of an abort.
 */
function isSqlite(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && code.startsWith("ERR_");
}
