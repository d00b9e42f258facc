/**
 * Writes at a server whose database is open for reading only (docs/server.md, "More servers of one
 * file").
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import type { Capability } from "./keys.ts";

const WRITES: ReadonlySet<Capability | undefined> = new Set<Capability>([
  "insert",
  "delete",
  "obliterate",
]);

/** Tells whether calls that need a capability write. */
export function isWrite(needs: Capability | undefined): boolean {
  return WRITES.has(needs);
}

/** The error of a write where nothing can be written. Repeating the call does not help. */
export function onlyReads(): BTrDBError {
  return new BTrDBError(
    "this server only reads the database: send writes to the server that writes it",
    { code: ErrorCode.OperationNotAllowed },
  );
}
