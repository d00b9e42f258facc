/**
 * Reads the header of a database file itself, past SQLite and its log.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Offset of SQLite's user version, four bytes, big endian (sqlite.org/fileformat2.html, 1.3.18). */
const USER_VERSION_AT = 60;

/** An open file, shared by all handles of this process. */
interface SharedFile {
  readonly fd: number;
  readonly key: string;
  /** Closes the descriptors that must not be closed before the last user. */
  readonly spare: (() => void)[];
  users: number;
}

/** Deno's functions that lock whole files (flock). Node.js has nothing like them. */
interface Locks {
  readonly build: { readonly os: string };
  openSync(path: string): {
    tryLockSync(exclusive: boolean): boolean;
    unlockSync(): void;
    close(): void;
  };
}

/**
 * Files by device and inode. Closing a file takes back all locks that this process holds on it
 * (POSIX), those of SQLite too, so a file is closed only when its last user in this process is.
 */
const files = new Map<string, SharedFile>();

/** Header of a database file, whatever path leads to it. */
export class FileHeader {
  readonly #file: SharedFile;
  readonly #bytes: Uint8Array = new Uint8Array(4);
  #isClosed = false;

  private constructor(file: SharedFile) {
    this.#file = file;
    file.users++;
  }

  /** Opens the header of an existing file. */
  static open(path: string): FileHeader {
    const fd = openSync(path, "r");
    const { dev, ino } = fstatSync(fd, { bigint: true });
    const key = `${dev}:${ino}`;
    const known = files.get(key);
    if (known === undefined) {
      const file = { fd, key, spare: [], users: 0 };
      files.set(key, file);
      return new FileHeader(file);
    }
    // The new descriptor stays open beside the known one: see above.
    known.spare.push(() => closeSync(fd));
    return new FileHeader(known);
  }

  /** Device and inode of the file. */
  get identity(): { dev: number; ino: number } {
    return fstatSync(this.#file.fd);
  }

  /** User version in the file itself; 0 while the file is empty. */
  userVersion(): number {
    const bytes = this.#bytes;
    if (readSync(this.#file.fd, bytes, 0, 4, USER_VERSION_AT) < 4) return 0;
    return new DataView(bytes.buffer).getInt32(0);
  }

  /**
   * Takes the operating system's lock of the file itself, which is the same by every path and ends
   * with the process. Only Linux keeps it apart from the locks of SQLite, and only Deno can take it.
   *
   * @returns True if this process has it now, false if another process or thread has it; `undefined`
   * if nobody can take it here.
   */
  tryLock(path: string): boolean | undefined {
    const deno = (globalThis as { Deno?: Locks }).Deno;
    if (deno?.build.os !== "linux") return undefined;
    const file = deno.openSync(path);
    // A process that another thread is just starting has a copy of the descriptor until it runs its
    // program: closing ours would not give the lock back until then.
    this.#file.spare.push(() => {
      file.unlockSync();
      file.close();
    });
    try {
      return file.tryLockSync(true);
    } catch {
      return undefined; // The file system has no such locks.
    }
  }

  /** Lets the file go. Call it after SQLite's connection is closed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (--this.#file.users > 0) return;
    files.delete(this.#file.key);
    closeSync(this.#file.fd);
    for (const close of this.#file.spare) close();
  }
}
