/**
 * The check of an argument that must be bytes.
 *
 * @module
 */

import { invalidType } from "./argument_error.ts";
import { describe } from "./describe.ts";

/**
 * Checks that an argument is a `Uint8Array`.
 *
 * @param action Name of the call, for the error.
 * @param name Name of the argument.
 * @param value The argument.
 * @throws {TypeError} If it is none.
 */
export function checkBytes(action: string, name: string, value: unknown): void {
  if (value instanceof Uint8Array) return;
  throw invalidType(`Cannot ${action}: ${name} is ${describe(value)}, expected a Uint8Array`);
}
