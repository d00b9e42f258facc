/**
 * SQLite's user version of a database file: its schema, a mark of its writer, and an epoch
 * (docs/engine.md, "One writer").
 *
 * @module
 */

import type { Database } from "./sqlite.ts";

/** Bits of the user version: 4 for the schema, 1 for the mark, the rest for the epoch. */
const [SCHEMA_BITS, OPEN_BIT, EPOCH_SHIFT] = [0xf, 0x10, 5];

/** Largest epoch; after it they begin anew. */
export const MAX_EPOCH: number = 2 ** 26 - 1;

/** Parts of a user version. */
export interface UserVersion {
  /** Version of the schema. */
  readonly schema: number;
  /** True if a writer has the file open, or ended without closing it. */
  readonly isOpen: boolean;
  readonly epoch: number;
}

/** Takes a user version apart. */
export function parseUserVersion(value: number): UserVersion {
  return {
    schema: value & SCHEMA_BITS,
    isOpen: (value & OPEN_BIT) !== 0,
    epoch: value >> EPOCH_SHIFT,
  };
}

/** Puts a user version together. */
export function userVersionOf({ schema, isOpen, epoch }: UserVersion): number {
  return epoch << EPOCH_SHIFT | (isOpen ? OPEN_BIT : 0) | schema;
}

/** User version as a connection sees it, with what is in the log. */
export function readUserVersion(db: Pick<Database, "prepare">): number {
  return Number(Object.values(db.prepare("PRAGMA user_version").get() ?? {})[0] ?? 0);
}
