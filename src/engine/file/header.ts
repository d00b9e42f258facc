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
  users: number;
  /** Connections and headers of this process on the same file. */
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
      const file = { fd, key, users: 0 };
      files.set(key, file);
      return new FileHeader(file);
    }
    // The new descriptor stays open beside the known one: see above.
    spare.set(key, [...spare.get(key) ?? [], fd]);
    return new FileHeader(known);
  }

  /** User version in the file itself; 0 while the file is empty. */
  userVersion(): number {
    const bytes = this.#bytes;
    if (readSync(this.#file.fd, bytes, 0, 4, USER_VERSION_AT) < 4) return 0;
    return new DataView(bytes.buffer).getInt32(0);
  }

  /** Lets the file go. Call it after SQLite's connection is closed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (--this.#file.users > 0) return;
    files.delete(this.#file.key);
    closeSync(this.#file.fd);
    for (const fd of spare.get(this.#file.key) ?? []) closeSync(fd);
    spare.delete(this.#file.key);
  }
}

/** Descriptors that must not be closed before the file's last user. */
const spare = new Map<string, number[]>();
