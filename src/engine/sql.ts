/**
 * Read-only SQL on the metadata.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import type { CallOptions, SqlRequest } from "../endpoint/endpoint.ts";
import type { Database } from "./sqlite.ts";

/** Runs a query; rows as JSON text. */
export function runSql(_db: Database, _request: SqlRequest, _options?: CallOptions): string[] {
  throw new BTrDBError("sqlQuery is not supported", { code: ErrorCode.NotImplemented });
}
