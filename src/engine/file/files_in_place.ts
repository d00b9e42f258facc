/**
 * The file and the log that a writer has open, and their names in the file system.
 *
 * A writer goes on with files that were renamed, replaced or removed, as every program does that has
 * them open; but whoever opens the database next does not find what it wrote.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { type LogState, logState } from "./wal_file.ts";

/** Device and inode of a file. */
interface Identity {
  readonly dev: number;
  readonly ino: number | null;
}

/** Deno's own function takes a fifth of the time of Node.js's under Deno, after each commit. */
const stat: (path: string) => Identity =
  (globalThis as { Deno?: { statSync(path: string): Identity } }).Deno?.statSync ?? statSync;

function identityAt(path: string): Identity | undefined {
  try {
    return stat(path);
  } catch {
    return undefined;
  }
}

function isSame(one: Identity | undefined, other: Identity | undefined): boolean {
  return one?.ino === other?.ino && one?.dev === other?.dev;
}

/** The files of a database that is open for writing. */
export class FilesInPlace {
  readonly #path: string;
  readonly #logPath: string;
  readonly #file: Identity;
  readonly #log: Identity;
  readonly #logDescriptor: number;
  readonly #header: DataView = new DataView(new ArrayBuffer(24));
  #state: LogState;
  #isLogNew = true;

  /**
   * @param path Path of the file itself, whose log is there.
   * @param file Device and inode of the file that is open.
   */
  constructor(path: string, file: Identity) {
    this.#path = path;
    this.#logPath = `${path}-wal`;
    this.#file = file;
    this.#logDescriptor = openSync(this.#logPath, "r");
    this.#log = fstatSync(this.#logDescriptor);
  }

  /**
   * The path at which a file is not any more, or not as its writer left it; `undefined` if all is well.
   * It is no harm if the files were moved together with their folder.
   */
  missing(): string | undefined {
    const [file, log] = [identityAt(this.#path), identityAt(this.#logPath)];
    const isMoved = file === undefined && log === undefined && this.#isLinked();
    if (!isMoved && !isSame(file, this.#file)) return this.#path;
    if (!isMoved && !isSame(log, this.#log)) return this.#logPath;
    const state = logState(this.#logDescriptor, this.#header);
    this.#isLogNew = state !== this.#state;
    this.#state = state;
    return state === undefined ? this.#logPath : undefined;
  }

  /** True if the log was begun anew since `missing` was called before. */
  get isLogNew(): boolean {
    return this.#isLogNew;
  }

  /** Tells whether the log has a name anywhere. */
  #isLinked(): boolean {
    return fstatSync(this.#logDescriptor).nlink > 0;
  }

  close(): void {
    closeSync(this.#logDescriptor);
  }
}
