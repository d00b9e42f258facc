/**
 * Locks imports under way: of two of one file with the same options into one database, the second one is
 * refused, which would store every point twice. The operating system gives a lock back when the process
 * ends, however it ends.
 *
 * @module
 */

import { lstatSync, mkdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BTrDB } from "../client/btrdb.ts";
import { PRIVATE_MODE } from "../core/new_file.ts";
import { pathProblem } from "../core/path_problem.ts";
import type { ImportInput } from "./bytes.ts";
import { configurationBeside } from "./comtrade/record_files.ts";
import { ImportError } from "./errors.ts";
import { digest, stateFolder } from "./import_record.ts";
import type { ImportOptions } from "./options.ts";
import { wishesOf } from "./prepare_import.ts";

/** Times that a lock is given back, and its file removed, just when it is opened. */
const MAX_TRIES = 8;

/** A file that Deno has open. It can lock the whole file (flock), which Node.js cannot. */
interface LockedFile {
  tryLockSync(exclusive: boolean): boolean;
  statSync(): { readonly ino: number | null };
  close(): void;
}

/** The part of Deno that is needed. */
interface DenoFiles {
  readonly build: { readonly os: string };
  openSync(
    path: string,
    options: { create: boolean; read: boolean; write: boolean; mode: number },
  ): LockedFile;
}

// Windows would keep the file from being removed.
const { Deno: runtime } = globalThis as { Deno?: DenoFiles };
const deno = runtime?.build.os === "windows" ? undefined : runtime;

/** Imports of this process, by database. */
const underWay = new WeakMap<BTrDB, Set<string>>();

/**
 * Locks the import of a file: for this process, and where `target` says which database it is, for
 * others.
 *
 * @param db Database to import into.
 * @param input The file; what comes from a pipe comes once.
 * @param options Options of the import.
 * @returns The lock; `undefined` where none is needed.
 * @throws {ImportError} If it is being imported.
 */
export function lockImport(
  db: BTrDB,
  input: ImportInput,
  options: ImportOptions,
): Disposable | undefined {
  const path = realPathOf(input);
  if (path === undefined) return undefined;
  const key = digest(JSON.stringify([path, wishesOf(options)])).slice(0, 24);
  const keys = underWay.get(db) ?? new Set();
  underWay.set(db, keys);
  const file = keys.has(key)
    ? "busy"
    : !options.target
    ? undefined
    : lockFile(options.stateFolder ?? stateFolder(), key);
  if (file === "busy") {
    throw new ImportError(
      `Cannot import ${input}: another import of it into this database, with the same options, is ` +
        "under way",
      { hint: "wait until it has ended" },
    );
  }
  keys.add(key);
  return {
    [Symbol.dispose]() {
      keys.delete(key);
      file?.[Symbol.dispose]();
    },
  };
}

function realPathOf(input: ImportInput): string | undefined {
  if (typeof input !== "string" && !(input instanceof URL)) return undefined;
  try {
    const named = typeof input === "string" ? input : fileURLToPath(input);
    const path = realpathSync(configurationBeside(named) ?? named);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined; // The import will say what is wrong with it.
  }
}

/** Locks a file of that name in a folder; `undefined` where there are no locks. */
function lockFile(folder: string, key: string): Disposable | "busy" | undefined {
  if (deno === undefined) return undefined;
  const path = `${folder}/import-${key}.lock`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    return undefined; // The import will say what is in its place: its record has to be there too.
  }
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const lock = tryLock(deno, path);
    if (lock !== undefined) return lock;
  }
  return undefined;
}

/** Tries once; `undefined` if the file was removed meanwhile. */
function tryLock(deno: DenoFiles, path: string): Disposable | "busy" | undefined {
  // Nothing but a file is opened: a link is not followed, a pipe not waited for.
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) rmSync(path);
  const file = openLock(deno, path);
  let isFree = true;
  try {
    isFree = file.tryLockSync(true);
  } catch {
    // The file system has no locks.
  }
  if (!isFree) {
    file.close();
    return "busy";
  }
  const { ino } = file.statSync();
  if (inodeAt(path) !== ino) {
    file.close();
    return undefined;
  }
  return {
    [Symbol.dispose]() {
      if (inodeAt(path) === ino) rmSync(path, { force: true });
      file.close();
    },
  };
}

function openLock(deno: DenoFiles, path: string): LockedFile {
  try {
    return deno.openSync(path, { create: true, read: true, write: true, mode: PRIVATE_MODE });
  } catch (error) {
    const problem = pathProblem(error);
    if (problem === undefined) throw error;
    throw new ImportError(`Cannot keep the lock of the import: ${path}: ${problem}`, {
      hint: "keep the state in another folder: $BTRDB_STATE_DIR",
    });
  }
}

function inodeAt(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}
