/**
 * Refuses unknown options.
 *
 * @module
 */

import { invalidType } from "./argument_error.ts";
import { describe } from "./describe.ts";

/**
 * Checks the names in an object.
 *
 * @param action Name of the call, for the error.
 * @param where Name of the option that has them; empty: the options themselves.
 * @param given Absent: there are none.
 * @param known The names that there are.
 * @throws {TypeError} Naming one that there is not.
 */
export function checkNames(
  action: string,
  where: string,
  given: object | undefined,
  known: object,
): void {
  if (given === undefined) return;
  if (typeof given !== "object" || given === null) {
    throw invalidType(
      `Cannot ${action}: ${where || "options"} is ${describe(given)}, expected options`,
    );
  }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const path = where === "" ? name : `${where}.${name}`;
    throw invalidType(
      `Cannot ${action}: there is no option ${JSON.stringify(path)}, expected one of ` +
        Object.keys(known).join(", "),
    );
  }
}
