/**
 * The check of an argument that must be an array.
 *
 * @module
 */

import { invalidType } from "./argument_error.ts";
import { describe } from "./describe.ts";

/**
 * Checks that an argument is an array.
 *
 * @param action Name of the call, for the error.
 * @param name Name of the argument.
 * @param value The argument.
 * @throws {TypeError} If it is none.
 */
export function checkList(action: string, name: string, value: unknown): void {
  if (Array.isArray(value)) return;
  throw invalidType(`Cannot ${action}: ${name} is ${describe(value)}, expected an array`);
}
