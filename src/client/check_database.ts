/**
 * The check of an argument that must be a database.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";
import { BTrDB } from "./btrdb.ts";

/**
 * Checks that an argument is a database of `connect`.
 *
 * @param action Name of the call, for the error.
 * @param db The argument.
 * @throws {TypeError} If it is none.
 */
export function checkDatabase(action: string, db: unknown): void {
  if (db instanceof BTrDB) return;
  throw invalidType(`Cannot ${action}: db is ${describe(db)}, expected a database of connect`);
}
