/**
 * Numbers from which a database file goes on counting: of streams, blocks and journal rows.
 *
 * @module
 */

import { SPENT_KEY } from "./journal_rows.ts";
import type { Database } from "./sqlite.ts";

/**
 * Largest of them. Those that follow are still exact, below 2^53, and no file gets there: at a million
 * a second it takes 142 years.
 */
const MAX_COUNTER = 2 ** 52;

/** Numbers that readers go by too. */
const FOR_READERS = `
  SELECT 'the setting "' || key || '"' AS name, value, key <> '${SPENT_KEY}' AS least FROM setting
  UNION ALL SELECT 'the number of its last stream', seq, 0 FROM sqlite_sequence`;

/** Numbers of what is there: a writer takes the next ones. */
const FOR_WRITERS = `${FOR_READERS}
  UNION ALL SELECT 'the number of a stream', ifnull(max(id), 0), 0 FROM stream
  UNION ALL SELECT 'the number of a block', ifnull(max(id), 0), 0 FROM block
  UNION ALL SELECT 'the number of a journal row', ifnull(max(seq), 0), 0 FROM journal`;

/**
 * Problems of these numbers: one that leaves none for the next, or is no whole number.
 *
 * @param readOnly True if nothing is going to be written.
 */
export function counterProblems(db: Database, readOnly: boolean): string[] {
  const rows = db.prepare(
    `SELECT name, least, substr(quote(value), 1, 100) AS value
    FROM (${readOnly ? FOR_READERS : FOR_WRITERS})
    WHERE typeof(value) <> 'integer' OR value NOT BETWEEN least AND ${MAX_COUNTER}`,
  );
  return rows.all().map(({ name, least, value }) =>
    `${name} is ${value}, expected ${least} to ${MAX_COUNTER}`
  );
}
