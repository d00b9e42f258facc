/**
 * Reads the header of a database file itself, past SQLite and its log.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

/** Offset of SQLite's user version, four bytes, big endian (sqlite.org/fileformat2.html, 1.3.18). */
const USER_VERSION_AT = 60;

/** An open file, shared by all handles of this process. */
interface SharedFile {
  readonly fd: number;
  readonly key: string;
  /** Descriptor of the operating system's lock, once it was asked for. */
  lock?: LockFile;
  isLocked: boolean;
  users: number;
}

/** A descriptor by which a whole file can be locked. */
interface LockFile {
  tryLockSync(exclusive: boolean): boolean;
  unlockSync(): void;
  close(): void;
}

/** Deno's functions that lock whole files (flock). Node.js has nothing like them. */
interface Locks {
  readonly build: { readonly os: string };
  openSync(path: string): LockFile;
}

/**
 * Files by device and inode. Closing a file takes back all locks that this process holds on it
 * (POSIX), those of SQLite too, so a file is closed only when its last user in this process is.
 */
const files = new Map<string, SharedFile>();

function keyOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

/** Header of a database file, whatever path leads to it. */
export class FileHeader {
  readonly #file: SharedFile;
  readonly #bytes: Uint8Array = new Uint8Array(4);
  #isLocked = false;
  #isClosed = false;

  private constructor(file: SharedFile) {
    this.#file = file;
    file.users++;
  }

  /** Opens the header of an existing file. */
  static open(path: string): FileHeader {
    const known = files.get(keyOf(statSync(path, { bigint: true })));
    if (known !== undefined) return new FileHeader(known);
    const fd = openSync(path, "r");
    const file = { fd, key: keyOf(fstatSync(fd, { bigint: true })), isLocked: false, users: 0 };
    files.set(file.key, file);
    return new FileHeader(file);
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
    if (this.#file.isLocked) return false;
    this.#file.lock ??= deno.openSync(path);
    try {
      this.#isLocked = this.#file.isLocked = this.#file.lock.tryLockSync(true);
      return this.#isLocked;
    } catch {
      return undefined; // The file system has no such locks.
    }
  }

  /** Lets the file go. Call it after SQLite's connection is closed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#isLocked) {
      // Readers in this process keep the descriptor open. And a process that another thread is just
      // starting has a copy of it until it runs its program: closing ours would not give the lock back.
      this.#file.lock?.unlockSync();
      this.#file.isLocked = false;
    }
    if (--this.#file.users > 0) return;
    files.delete(this.#file.key);
    closeSync(this.#file.fd);
    this.#file.lock?.close();
  }
}
