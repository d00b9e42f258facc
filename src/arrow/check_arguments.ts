/**
 * Checks of the arguments of conversions to and from Arrow.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import { checkObject } from "../core/check_object.ts";
import { describe } from "../core/describe.ts";

/** Checks a table that is to be read. */
export function checkTable(table: unknown): void {
  checkObject("read Arrow", "table", table);
  const { getChild, names } = table as { getChild?: unknown; names?: unknown };
  if (typeof getChild === "function" && Array.isArray(names)) return;
  throw invalidType(`Cannot read Arrow: table is ${describe(table)}, expected an Arrow table`);
}

/** Checks that columns to be written are arrays of their kind. */
export function checkColumns(
  columns: object,
  kinds: Readonly<Record<string, { readonly name: string; new (n: number): object }>>,
): void {
  checkObject("write Arrow", "columns", columns);
  for (const [name, kind] of Object.entries(kinds)) {
    const column = (columns as Record<string, unknown>)[name];
    if (column instanceof kind) continue;
    throw invalidType(
      `Cannot write Arrow: ${name} is ${describe(column)}, expected a ${kind.name}`,
    );
  }
}
