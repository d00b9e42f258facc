/**
 * Reads the state of a write-ahead log, past SQLite (sqlite.org/fileformat2.html, 4.1).
 *
 * @module
 */

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { FieldReader, openIfThere } from "./file_system.ts";

/** Bytes of the header that are read: the format, the checkpoint's number and the salts. */
const HEADER_BYTES = 24;

/** Offset of the two salts, which are others whenever a log is begun anew. */
const SALTS_AT = 16;

/** First bytes of a log; the last bit is the order of bytes of its checksums. */
const MAGIC = 0x377f0682;

/** State of a log: empty, or with the salts of its header; `undefined` if it is no log. */
export type LogState = "empty" | bigint | undefined;

/** Offset of the size of pages in the header, and bytes of all of it, and of the header of a frame. */
const PAGE_SIZE_AT = 8, WHOLE_HEADER_BYTES = 32, FRAME_BYTES = 24;

/** Offsets in a frame: of the size of the database, which ends a transaction, and of the salts. */
const COMMIT_AT = 4, FRAME_SALTS_AT = 8;

/** An open log, whose state is read again and again. */
export class OpenLog {
  readonly #fd: number;
  readonly #header: FieldReader = new FieldReader(HEADER_BYTES);
  readonly #frame: FieldReader = new FieldReader(FRAME_BYTES);

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Opens a log. Linux can leave out to note the time of each reading, and is told to: a commit would
   * wait for that note.
   */
  static open(path: string): OpenLog {
    try {
      return new OpenLog(openSync(path, constants.O_RDONLY | (constants.O_NOATIME ?? 0)));
    } catch (error) {
      // Only the owner of a file may ask for it.
      if ((error as { code?: unknown }).code !== "EPERM") throw error;
      return new OpenLog(openSync(path, "r"));
    }
  }

  /** Opens the log beside a database; `undefined` if there is none. */
  static beside(path: string): OpenLog | undefined {
    const fd = openIfThere(`${path}-wal`);
    return fd === undefined ? undefined : new OpenLog(fd);
  }

  /** Device and inode of the file, and how many names it has. */
  get identity(): { dev: number; ino: number; nlink: number } {
    return fstatSync(this.#fd);
  }

  /** State of the log. A truncated one has zeros before what is written next. */
  state(): LogState {
    if (!this.#header.read(this.#fd, 0)) return "empty";
    const { view } = this.#header;
    return (view.getUint32(0) & ~1) === MAGIC ? view.getBigUint64(SALTS_AT) : undefined;
  }

  /**
   * The end of a transaction of the log whose state was read, bytes; `undefined` if none is found. It is
   * the last one unless frames of one that was undone are behind it.
   *
   * @param bytes Size of the log. Frames of an earlier one may be at its end.
   */
  committedEnd(bytes: number): number | undefined {
    const frameBytes = this.#frameBytes;
    const endOf = (frames: number) => WHOLE_HEADER_BYTES + frames * frameBytes;
    let [least, most] = [0, Math.floor((bytes - WHOLE_HEADER_BYTES) / frameBytes)];
    while (least < most) {
      const middle = (least + most) >>> 1;
      if (this.#hasFrame(endOf(middle))) least = middle + 1;
      else most = middle;
    }
    const end = endOf(least);
    return least > 0 && this.isCommittedAt(end) ? end : undefined;
  }

  /** Tells whether a transaction of the log whose state was read ends after so many of its bytes. */
  isCommittedAt(end: number): boolean {
    return this.#hasFrame(end - this.#frameBytes) && this.#frame.view.getUint32(COMMIT_AT) > 0;
  }

  /** Tells whether a transaction of the log whose state was read ends with so many frames. */
  hasTransactionOf(frames: number): boolean {
    return this.isCommittedAt(WHOLE_HEADER_BYTES + frames * this.#frameBytes);
  }

  get #frameBytes(): number {
    return FRAME_BYTES + this.#header.view.getUint32(PAGE_SIZE_AT);
  }

  /** Tells whether a frame of this log begins at a place, and reads its header. */
  #hasFrame(at: number): boolean {
    if (!this.#frame.read(this.#fd, at)) return false;
    const salts = this.#frame.view.getBigUint64(FRAME_SALTS_AT);
    return salts === this.#header.view.getBigUint64(SALTS_AT);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** State of the log beside a database. */
export function logStateAt(path: string): LogState | "missing" {
  const log = OpenLog.beside(path);
  if (log === undefined) return "missing";
  try {
    return log.state();
  } finally {
    log.close();
  }
}
