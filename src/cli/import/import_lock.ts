/**
 * Locks imports under way: of two of one file with the same options into one database, the second one is
 * refused, which would store every point twice. The operating system gives a lock back when the process
 * ends, however it ends.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { pathProblem } from "../../core/path_problem.ts";
import { type ImportOptions, stateFolder } from "../../ingest/mod.ts";
import { CliError } from "../errors.ts";

/** Times that a lock is given back, and its file removed, just when it is opened. */
const MAX_TRIES = 8;

/** A lock that is held, or would be where there are such locks. */
export interface ImportLock extends Disposable {
  /** Path of its file, which goes with it. */
  readonly path: string;
}

/**
 * Locks the import of a file.
 *
 * @param file Path of the file, or `-`: what comes from a pipe comes once.
 * @param options Options of the import, and the database.
 * @returns The lock; `undefined` where none is needed, or there are none.
 * @throws {CliError} If it is being imported.
 */
export function lockImport(file: string, options: ImportOptions): ImportLock | undefined {
  const source = file === "-" ? undefined : realPathOf(file);
  // Windows would keep the file from being removed.
  if (source === undefined || Deno.build.os === "windows") return undefined;
  const folder = stateFolder();
  const path = `${folder}/import-${keyOf(source, options)}.lock`;
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    return undefined; // The import will say what is in its place: its record has to be there too.
  }
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const lock = tryLock(path);
    if (lock === "busy") {
      throw new CliError(
        `Cannot import ${file}: another process imports it into this database with the same options`,
        { hint: "wait until it has ended" },
      );
    }
    if (lock !== undefined) return lock;
  }
  return undefined;
}

function realPathOf(file: string): string | undefined {
  try {
    const path = Deno.realPathSync(file);
    return Deno.statSync(path).isFile ? path : undefined;
  } catch {
    return undefined; // The import will say what is wrong with it.
  }
}

/** Digest of the file, the database, and the options that decide the points and their streams. */
function keyOf(source: string, options: ImportOptions): string {
  const { signal: _, onNotice: _n, onWarning: _w, onProgress: _p, ...rest } = options;
  const { resume: _r, changed: _c, restart: _s, threads: _t, ...wishes } = rest;
  const text = JSON.stringify(
    [source, wishes],
    (_, value) => typeof value === "bigint" ? `${value}` : value,
  );
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}

/** Tries once; `undefined` if the file was removed meanwhile. */
function tryLock(path: string): ImportLock | "busy" | undefined {
  try {
    // Nothing but a file is opened: a link is not followed, a pipe not waited for.
    if (!Deno.lstatSync(path).isFile) Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const file = openLock(path);
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
  if (inodeAt(path) !== file.statSync().ino) {
    file.close();
    return undefined;
  }
  const release = (): void => {
    if (inodeAt(path) !== undefined) Deno.removeSync(path);
    file.close();
  };
  return { path, [Symbol.dispose]: release };
}

function openLock(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { create: true, read: true, write: true, mode: 0o600 });
  } catch (error) {
    const problem = pathProblem(error);
    if (problem === undefined) throw error;
    throw new CliError(`Cannot keep the lock of the import: ${path}: ${problem}`, {
      hint: "keep the state in another folder: $BTRDB_STATE_DIR",
    });
  }
}

function inodeAt(path: string): number | null | undefined {
  try {
    return Deno.lstatSync(path).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
