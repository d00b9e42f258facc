/**
 * The check of an argument that must be an object.
 *
 * @module
 */

import { invalidType } from "./argument_error.ts";
import { describe } from "./describe.ts";

/**
 * Checks that an argument is an object, e.g. options.
 *
 * @param action Name of the call, for the error.
 * @param name Name of the argument.
 * @param value The argument.
 * @throws {TypeError} If it is none.
 */
export function checkObject(action: string, name: string, value: unknown): asserts value is object {
  if (typeof value === "object" && value !== null) return;
  throw invalidType(`Cannot ${action}: ${name} is ${describe(value)}, expected an object`);
}
