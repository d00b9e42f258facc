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
type Identity = string;

function identityAt(path: string): Identity | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** The files of a database that is open for writing. */
export class FilesInPlace {
  readonly #path: string;
  readonly #file: Identity;
  readonly #log: Identity;
  readonly #logDescriptor: number;
  readonly #header: DataView = new DataView(new ArrayBuffer(24));
  #state: LogState;
  #isLogNew = true;

  /**
   * @param path Path of the file itself, whose log is there and not empty.
   * @param file Its device and inode.
   */
  constructor(path: string, file: Identity) {
    this.#path = path;
    this.#file = file;
    this.#logDescriptor = openSync(`${path}-wal`, "r");
    const { dev, ino } = fstatSync(this.#logDescriptor, { bigint: true });
    this.#log = `${dev}:${ino}`;
  }

  /**
   * The file that is not where it was, or not as its writer left it; `undefined` if both are. It is no
   * harm if they were moved together with their folder.
   */
  missing(): string | undefined {
    const [file, log] = [identityAt(this.#path), identityAt(`${this.#path}-wal`)];
    const isMoved = file === undefined && log === undefined;
    if (file !== this.#file && !(isMoved && this.#isLinked())) return this.#path;
    if (log !== this.#log && !isMoved) return `${this.#path}-wal`;
    const state = logState(this.#logDescriptor, this.#header);
    this.#isLogNew = state !== this.#state;
    this.#state = state;
    return state === undefined ? `${this.#path}-wal` : undefined;
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
