/**
 * Files that appear under their own name only when they are complete, so that there is never half a
 * file: until then they have a name that ends with `.part`.
 *
 * @module
 */

import type { Mode } from "node:fs";
import { DATA_MODE, openNewFile } from "../core/new_file.ts";
import { neededNodeModule } from "../core/node_module.ts";

const { closeSync, constants, fstatSync, lstatSync, openSync, promises, writeSync } =
  neededNodeModule<
    typeof import("node:fs")
  >(
    "node:fs",
    "A file",
  );

/** A file under way. */
export interface PartFile {
  /**
   * Writes a piece at once: it goes into the system's cache, a MiB in a fraction of a millisecond, and
   * no copy has to be kept until a write is done.
   */
  write(bytes: Uint8Array): void;
  /**
   * Closes the file and gives it its own name.
   *
   * @throws If another file has taken its place: half of that one would get the name.
   */
  finish(): Promise<void>;
  /** Closes the file and removes it, or leaves it with the name it has. */
  discard(keep?: boolean): Promise<void>;
}

/**
 * Opens a part file that was left from before.
 *
 * @param flags Flags of `node:fs`.
 * @returns Its descriptor.
 * @throws The error of `node:fs` if it is not there, or a link is.
 */
export function openOwn(part: string, flags: number): number {
  // Windows has no such flag, and no links that programs without special rights can make.
  return openSync(part, flags | (constants.O_NOFOLLOW ?? 0));
}

/** Tells whether an open file is the one at a path. */
function isFileAt(path: string, file: number): boolean {
  const ours = fstatSync(file);
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.ino === ours.ino && found.dev === ours.dev;
}

/** Name of a file under way, and how to open it. */
export interface PartFileOptions {
  /**
   * Path under which it is written; that of the target itself for a pipe or a device, which is written
   * to at once. By default a path that nothing else uses: the target's and `.part`.
   */
  part?: string;
  /** True to continue the part file at its end. */
  append?: boolean;
  /** Permissions of a new file. @default {438} 0o666, less what the process withholds */
  mode?: Mode;
}

/**
 * Opens a file to be written.
 *
 * @param target Its path when it is complete. A file that is there stays until then.
 * @throws The error of `node:fs` if no file can be there.
 */
export function openPartFile(target: string, options: PartFileOptions = {}): PartFile {
  const { append = false, mode = DATA_MODE } = options;
  const part = options.part ?? `${target}.${crypto.randomUUID().slice(0, 8)}.part`;
  const file = part === target
    ? openSync(part, "w")
    : append
    ? openOwn(part, constants.O_WRONLY | constants.O_APPEND)
    : openNewFile(part, mode);
  let isOpen = true;
  let isOurs = true;
  const close = (): void => {
    if (!isOpen) return;
    isOurs = part === target || isFileAt(part, file);
    closeSync(file);
    isOpen = false;
  };
  return {
    write(bytes) {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    },
    async finish() {
      close();
      if (!isOurs) throw new Error(`${part} was replaced by another file meanwhile`);
      if (part !== target) await promises.rename(part, target);
    },
    async discard(keep = false) {
      close();
      if (!keep && isOurs && part !== target) await promises.unlink(part);
    },
  };
}
