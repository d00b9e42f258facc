/**
 * The tables that a compiled query opens. SQLite's authorizer is not asked about columns that are named in
 * `USING`, or by a natural join: whole tables could be read through a full join.
 *
 * @module
 */

import type { Database, Row } from "../file/sqlite.ts";

/** Operations that open a table or an index of the database. */
const OPENING = /^(OpenRead|OpenWrite|ReopenIdx|VOpen)$/;

/** Number of the main database of a connection. */
const MAIN = 0;

/** First pages of the table of streams and its indexes. */
function streamPages(db: Database): Set<number> {
  const sql = "SELECT rootpage FROM main.sqlite_schema WHERE tbl_name = 'stream'";
  return new Set(db.prepare(sql).all().map((row) => Number(row["rootpage"])));
}

/**
 * Tells whether a query opens a table other than that of streams.
 *
 * @param program Output of `EXPLAIN`.
 */
export function opensOther(db: Database, program: readonly Row[]): boolean {
  const opened = program.filter((row) => OPENING.test(String(row["opcode"])));
  const pages = streamPages(db);
  return opened.some(({ opcode, p2, p3 }) =>
    opcode === "VOpen" || Number(p3) !== MAIN || !pages.has(Number(p2))
  );
}
