/**
 * Rows of SQL queries, as databases send them.
 *
 * @module
 */

import { BTrDBError } from "../core/errors.ts";
import { parseJson } from "../core/parse_json.ts";

/**
 * Parses a row.
 *
 * @param text A JSON object.
 * @throws {BTrDBError} `DATA_LOSS` if it is none.
 */
export function sqlRow(text: string): Record<string, unknown> {
  try {
    if (text.startsWith("{")) return parseJson(text) as Record<string, unknown>;
  } catch {
    // It is the same as a row of another kind.
  }
  const message = "Cannot use the answer to SQLQuery: a row is no JSON object";
  throw new BTrDBError(message, { status: "DATA_LOSS", rpc: "SQLQuery" });
}
