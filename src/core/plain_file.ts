/**
 * Text of files that are files: to read a FIFO waits without end for someone to write to it, and a
 * device may have no end.
 *
 * @module
 */

import { unusablePath } from "./check_path.ts";
import { neededNodeModule } from "./node_module.ts";

/** The part of `Stats` of `node:fs` that is used. */
interface Kind {
  isDirectory(): boolean;
  isFIFO(): boolean;
  isFile(): boolean;
  isSocket(): boolean;
}

/** The part of `node:fs/promises` that is used. */
interface Files {
  readFile(path: string, encoding: "utf8"): Promise<string>;
  stat(path: string): Promise<Kind>;
}

/** Something else in the place of a file. */
export class NotAFileError extends Error {
  override readonly name = "NotAFileError";
}

/** Name of a kind of file, as part of a sentence: `"a FIFO"`. */
export function kindOf(info: Kind): string {
  if (info.isFile()) return "a file";
  if (info.isDirectory()) return "a folder";
  if (info.isFIFO()) return "a FIFO";
  return info.isSocket() ? "a socket" : "a device";
}

/**
 * Refuses whatever is no file. The pipe of a shell's `<(…)`, which has its end, is one too.
 *
 * @param path Its path; links are followed.
 * @throws {NotAFileError} With a message that names the path and what is there, or what no path has.
 * @throws The error of `node:fs` if there is nothing: `ENOENT`.
 */
export async function refuseOtherThanFile(path: string): Promise<void> {
  const problem = unusablePath(path);
  if (problem !== undefined) throw new NotAFileError(`the path ${problem}`);
  const info = await files().stat(path);
  const isShellPipe = info.isFIFO() && /^\/(dev|proc)\//.test(path);
  if (info.isFile() || isShellPipe) return;
  throw new NotAFileError(`${path} is ${kindOf(info)}, expected a file`);
}

/**
 * Reads a text file.
 *
 * @param path Its path; links are followed.
 * @returns Its text, decoded as UTF-8.
 * @throws {NotAFileError} If something else is there.
 * @throws The error of `node:fs` if it cannot be read: `ENOENT`.
 */
export async function readPlainText(path: string): Promise<string> {
  await refuseOtherThanFile(path);
  return await files().readFile(path, "utf8");
}

function files(): Files {
  return neededNodeModule<Files>("node:fs/promises", "A file");
}
