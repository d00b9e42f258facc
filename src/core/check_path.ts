/**
 * Checks of paths that a caller names.
 *
 * @module
 */

import { invalidType } from "./argument_error.ts";
import { describe } from "./describe.ts";
import { neededNodeModule } from "./node_module.ts";

/** The part of `node:url` that is used. */
interface Urls {
  fileURLToPath(url: URL): string;
}

/** Longest path that a message shows: those of Linux end at 4,096 bytes. */
const MAX_SHOWN = 4_096;

/**
 * Tells why no file can have a path: a NUL ends it for the operating system, which would open another
 * file.
 *
 * @returns Words that follow the path, escaped; `undefined` for all other paths.
 */
export function unusablePath(path: string): string | undefined {
  if (path !== "" && !path.includes("\0")) return undefined;
  const expected = path === "" ? "a path" : "a path without NUL";
  return `is ${JSON.stringify(path.slice(0, MAX_SHOWN))}, expected ${expected}`;
}

/**
 * Checks a path.
 *
 * @param action Action that needs it: `"import"`.
 * @param path The argument.
 * @param name Name of the argument.
 * @throws {TypeError} If it is no string, empty, or has a NUL.
 */
export function checkPath(action: string, path: string, name: string): void {
  if (typeof path !== "string") {
    throw invalidType(`Cannot ${action}: ${name} is ${describe(path)}, expected a string`);
  }
  const problem = unusablePath(path);
  if (problem !== undefined) throw invalidType(`Cannot ${action}: ${name} ${problem}`);
}

/**
 * The path that an argument names.
 *
 * @param action Action that needs it.
 * @param path The argument: a path, or a `file:` URL.
 * @param name Name of the argument.
 * @returns The path, as text.
 * @throws {TypeError} If it is neither, empty, or has a NUL: `%00` in a URL.
 */
export function checkedPath(action: string, path: string | URL, name: string): string {
  let text = path;
  if (text instanceof URL) {
    const { fileURLToPath } = neededNodeModule<Urls>("node:url", "A path");
    try {
      text = fileURLToPath(text);
    } catch (cause) {
      const problem = `is ${describe(String(path))}, expected a file: URL`;
      throw invalidType(`Cannot ${action}: ${name} ${problem}`, { cause });
    }
  }
  checkPath(action, text, name);
  return text;
}
