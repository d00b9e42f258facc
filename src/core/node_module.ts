/**
 * Modules of `node:` where the runtime has them, without an import that a browser would fail on.
 *
 * @module
 */

import { invalidType } from "./argument_error.ts";

/** The part of `process` that is used; Deno, Node.js from 20.16 on and Bun have it. */
interface Process {
  getBuiltinModule?(name: string): unknown;
}

/**
 * A module of the runtime.
 *
 * @param name Specifier, `node:fs`.
 * @returns `undefined` in browsers.
 */
export function nodeModule<T>(name: string): T | undefined {
  const { process } = globalThis as { process?: Process };
  return process?.getBuiltinModule?.(name) as T | undefined;
}

/**
 * A module of the runtime that something cannot do without.
 *
 * @param name Specifier, `node:fs`.
 * @param what Needs it, at the beginning of a sentence: `"A path"`.
 * @throws {TypeError} In browsers.
 */
export function neededNodeModule<T>(name: string, what: string): T {
  const module = nodeModule<T>(name);
  if (module !== undefined) return module;
  throw invalidType(`${what} needs ${name}, which this platform does not have`);
}
