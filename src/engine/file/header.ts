/**
 * Reads the header of a database file itself, past SQLite and its log.
 *
 * @module
 */

import { platform } from "node:os";
import { FieldReader } from "./file_system.ts";
import { type FileContent, HeldFile, openForContent, type SharedFile } from "./held_file.ts";

/** Offset of SQLite's user version, four bytes, big endian (sqlite.org/fileformat2.html, 1.3.18). */
const USER_VERSION_AT = 60;

/** Offset of the page size, two bytes, 1 for 65,536, and of the versions for writing and reading. */
const PAGE_SIZE_AT = 16;

/** Offset of the number of pages, four bytes. */
const PAGES_AT = 28;

/** Version of files that have a write-ahead log (sqlite.org/fileformat2.html, 1.3.3). */
const WAL_VERSION = 2;

/**
 * Header of a database file, whatever path leads to it. To close the last one of a thread takes back the
 * locks that SQLite holds of the file for other threads, so only a writer opens one.
 */
export class FileHeader {
  readonly #file: SharedFile;
  readonly #content: FileContent;
  readonly #held: HeldFile;
  readonly #field: FieldReader = new FieldReader(4);
  #isLocked = false;

  private constructor({ file, content }: ReturnType<typeof openForContent>) {
    this.#file = file;
    this.#content = content;
    this.#held = new HeldFile(file);
  }

  /** Opens the header of an existing file. */
  static open(path: string): FileHeader {
    return new FileHeader(openForContent(path));
  }

  /** Device and inode of the file, how many names it has, and its size, bytes. */
  get identity(): HeldFile["identity"] {
    return this.#held.identity;
  }

  /** User version in the file itself; 0 while the file is empty. */
  userVersion(): number {
    return this.#has(USER_VERSION_AT) ? this.#field.view.getInt32(0) : 0;
  }

  /** Tells whether the file has a write-ahead log instead of a rollback journal. */
  hasWriteAheadLog(): boolean {
    return this.#has(PAGE_SIZE_AT) && this.#field.view.getUint8(3) === WAL_VERSION;
  }

  /** Size of its pages, bytes; 0 while the file is empty. */
  pageBytes(): number {
    const size = this.#has(PAGE_SIZE_AT) ? this.#field.view.getUint16(0) : 0;
    return size === 1 ? 65_536 : size;
  }

  /** Bytes that the file has by its own account; 0 while it is empty. */
  bytes(): number {
    const pageBytes = this.pageBytes();
    return this.#has(PAGES_AT) ? pageBytes * this.#field.view.getUint32(0) : 0;
  }

  /** Reads the four bytes at a place; false if the file ends before. */
  #has(at: number): boolean {
    return this.#field.read(this.#content.fd, at);
  }

  /**
   * Takes the operating system's lock of the file itself, which is the same by every path and ends
   * with the process. Only Linux keeps it apart from the locks of SQLite, and only Deno can take it.
   *
   * @returns True if this process has it now, false if another process or thread has it; `undefined`
   * if nobody can take it here.
   */
  tryLock(): boolean | undefined {
    const { deno } = this.#content;
    if (deno === undefined || platform() !== "linux") return undefined;
    if (this.#file.isLocked) return false;
    try {
      this.#isLocked = this.#file.isLocked = deno.tryLockSync(true);
      return this.#isLocked;
    } catch {
      return undefined; // The file system has no such locks.
    }
  }

  /** Lets the file go. Idempotent. Call it after SQLite's connection is closed. */
  close(): void {
    if (this.#isLocked) {
      // Readers in this thread keep the descriptor open. And a process that another thread is just
      // starting has a copy of it until it runs its program: closing ours would not give the lock back.
      this.#content.deno?.unlockSync();
      this.#isLocked = this.#file.isLocked = false;
    }
    this.#held.close();
  }
}
