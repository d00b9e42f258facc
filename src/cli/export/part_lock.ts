/**
 * Locks of files under way: of two exports to one file at once the second one is refused, which would
 * take the `.part` file of the first one or write between its rows. The operating system gives a lock
 * back when the process ends, however it ends.
 *
 * @module
 */

import { CliError } from "../errors.ts";

/** A lock that is held, or would be where there are such locks. */
export interface PartLock {
  /** Gives it back. */
  release(): void;
}

/**
 * Locks a file.
 *
 * @param part Its path, which exists.
 * @param name Name of the file when it is complete.
 * @throws {CliError} If another process, or another export of this one, has it locked.
 */
export function lockPart(part: string, name: string): PartLock {
  // Windows would keep the export itself from writing.
  if (Deno.build.os === "windows") return { release() {} };
  const file = Deno.openSync(part);
  let isFree = true;
  try {
    isFree = file.tryLockSync(true);
  } catch {
    // The file system has no locks.
  }
  if (isFree) return { release: () => file.close() };
  file.close();
  throw new CliError(`Cannot write ${name}: another export is writing it`, {
    hint: "wait until it has ended, or name another file",
  });
}

/**
 * Refuses a file that another export is writing.
 *
 * @param part Path of the file under way, if there is one.
 * @param name Name of the file when it is complete.
 * @throws {CliError} If it is locked.
 */
export function refuseBusyPart(part: string, name: string): void {
  try {
    if (!Deno.lstatSync(part).isFile) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  lockPart(part, name).release();
}
