/**
 * Creates files safely: a symbolic link in their place is replaced and never followed.
 *
 * @module
 */

import { neededNodeModule } from "./node_module.ts";

/** The part of `node:fs` that is used. */
interface Files {
  closeSync(file: number): void;
  lstatSync(path: string): { isDirectory(): boolean };
  openSync(path: string, flags: string, mode: number | string): number;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  writeFileSync(file: number, text: string): void;
}

/** Permissions of files that only their owner may read: state, keys. */
export const PRIVATE_MODE = 0o600;

/** Permissions of files with data, less what the umask of the process withholds. */
export const DATA_MODE = 0o666;

/** Times that another process may put something at a path between its removal and the creation. */
const MAX_TRIES = 3;

/**
 * Makes a file, in place of the file or link that is there.
 *
 * @param path Its path; the folders that lead to it are followed as ever.
 * @param mode Permissions, less what the umask withholds.
 * @returns Its descriptor, open for writing.
 * @throws The error of `node:fs` if there can be no file: `EISDIR` for a folder.
 */
export function openNewFile(path: string, mode: number | string): number {
  const { lstatSync, openSync, unlinkSync } = neededNodeModule<Files>("node:fs", "A file");
  for (let tries = 1;; tries++) {
    try {
      return openSync(path, "wx", mode);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EEXIST" || tries === MAX_TRIES) throw error;
    }
    if (lstatSync(path).isDirectory()) return openSync(path, "w", mode);
    unlinkSync(path);
  }
}

/**
 * Writes a file that only its owner may read, all of it or nothing, in place of what is there.
 *
 * @param path Its path, in a folder that is there.
 * @param text Its content.
 */
export function writePrivateFile(path: string, text: string): void {
  const { closeSync, renameSync, writeFileSync } = neededNodeModule<Files>("node:fs", "A file");
  const fresh = `${path}.new`;
  const file = openNewFile(fresh, PRIVATE_MODE);
  try {
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
}
