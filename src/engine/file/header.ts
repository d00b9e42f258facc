/**
 * Reads the header of a database file itself, past SQLite and its log.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

/** Offset of SQLite's user version, four bytes, big endian (sqlite.org/fileformat2.html, 1.3.18). */
const USER_VERSION_AT = 60;

/** Offset of the page size, two bytes, 1 for 65,536, and of the versions for writing and reading. */
const PAGE_SIZE_AT = 16;

/** Version of files that have a write-ahead log (sqlite.org/fileformat2.html, 1.3.3). */
const WAL_VERSION = 2;

/** Offsets count from the beginning of the file, in Deno's `seekSync`. */
const FROM_START = 0;

/** An open file, shared by all handles of this process. */
interface SharedFile {
  readonly fd: number;
  readonly key: string;
  /** The same file as Deno opens it. */
  readonly deno: DenoFile | undefined;
  isLocked: boolean;
  users: number;
}

/**
 * A file that Deno has open. It can lock the whole file (flock), which Node.js cannot, and read it in
 * half the time of Node.js's functions under Deno: it is read around each commit.
 */
interface DenoFile {
  tryLockSync(exclusive: boolean): boolean;
  unlockSync(): void;
  seekSync(offset: number, whence: number): number;
  readSync(bytes: Uint8Array): number | null;
  statSync(): { readonly dev: number; readonly ino: number | null };
  close(): void;
}

/** The part of Deno that is needed. */
interface DenoFiles {
  readonly build: { readonly os: string };
  openSync(path: string): DenoFile;
}

const deno = (globalThis as { Deno?: DenoFiles }).Deno;

/**
 * Files by device and inode. Closing a file takes back all locks that this process holds on it
 * (POSIX), those of SQLite too, so a file is closed only when its last user in this process is.
 */
const files = new Map<string, SharedFile>();

function keyOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

/** Opens a file, by both runtimes where there are two. */
function openShared(path: string): SharedFile {
  for (;;) {
    const fd = openSync(path, "r");
    const identity = fstatSync(fd, { bigint: true });
    const file = deno?.openSync(path);
    const known = file?.statSync();
    if (known === undefined || known.ino === null || known.ino === Number(identity.ino)) {
      return { fd, key: keyOf(identity), deno: file, isLocked: false, users: 0 };
    }
    // Another file was put there in between.
    closeSync(fd);
    file?.close();
  }
}

/** Header of a database file, whatever path leads to it. */
export class FileHeader {
  readonly #file: SharedFile;
  readonly #bytes: Uint8Array = new Uint8Array(4);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
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
    const file = openShared(path);
    files.set(file.key, file);
    return new FileHeader(file);
  }

  /** Device and inode of the file, and how many names it has. */
  get identity(): { dev: number; ino: number; nlink: number } {
    return fstatSync(this.#file.fd);
  }

  /** User version in the file itself; 0 while the file is empty. */
  userVersion(): number {
    return this.#read(USER_VERSION_AT) < 4 ? 0 : this.#view.getInt32(0);
  }

  /** Tells whether the file has a write-ahead log instead of a rollback journal. */
  hasWriteAheadLog(): boolean {
    return this.#read(PAGE_SIZE_AT) === 4 && this.#bytes[3] === WAL_VERSION;
  }

  /** Size of its pages, bytes; 0 while the file is empty. */
  pageBytes(): number {
    const size = this.#read(PAGE_SIZE_AT) < 4 ? 0 : this.#view.getUint16(0);
    return size === 1 ? 65_536 : size;
  }

  #read(at: number): number {
    const { fd, deno } = this.#file;
    if (deno === undefined) return readSync(fd, this.#bytes, 0, this.#bytes.length, at);
    deno.seekSync(at, FROM_START);
    return deno.readSync(this.#bytes) ?? 0;
  }

  /**
   * Takes the operating system's lock of the file itself, which is the same by every path and ends
   * with the process. Only Linux keeps it apart from the locks of SQLite, and only Deno can take it.
   *
   * @returns True if this process has it now, false if another process or thread has it; `undefined`
   * if nobody can take it here.
   */
  tryLock(): boolean | undefined {
    const file = this.#file.deno;
    if (file === undefined || deno?.build.os !== "linux") return undefined;
    if (this.#file.isLocked) return false;
    try {
      this.#isLocked = this.#file.isLocked = file.tryLockSync(true);
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
      this.#file.deno?.unlockSync();
      this.#file.isLocked = false;
    }
    if (--this.#file.users > 0) return;
    files.delete(this.#file.key);
    closeSync(this.#file.fd);
    this.#file.deno?.close();
  }
}
