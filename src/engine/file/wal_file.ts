/**
 * Reads the header of a write-ahead log, past SQLite (sqlite.org/fileformat2.html, 4.1).
 *
 * @module
 */

import { closeSync, constants, openSync, readSync } from "node:fs";
import { openIfThere } from "./file_system.ts";

/** Bytes of the header that are read: the format, the checkpoint's number and the salts. */
const HEADER_BYTES = 24;

/** Offset of the two salts, which are others whenever a log is begun anew. */
const SALTS_AT = 16;

/** First bytes of a log; the last bit is the order of bytes of its checksums. */
const MAGIC = 0x377f0682;

/** State of a log: empty, or with the salts of its header; `undefined` if it is no log. */
export type LogState = "empty" | bigint | undefined;

/** State of an open log. A truncated log has zeros before what is written next. */
export function logState(
  fd: number,
  header: DataView = new DataView(new ArrayBuffer(24)),
): LogState {
  if (readSync(fd, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return "empty";
  return (header.getUint32(0) & ~1) === MAGIC ? header.getBigUint64(SALTS_AT) : undefined;
}

/** Offset of the size of pages in the header, and bytes of all of it, and of the header of a frame. */
const PAGE_SIZE_AT = 8, WHOLE_HEADER_BYTES = 32, FRAME_BYTES = 24;

/** Offsets in a frame: of the size of the database, which ends a transaction, and of the salts. */
const COMMIT_AT = 4, FRAME_SALTS_AT = 8;

/**
 * The end of a transaction of a log, bytes; `undefined` if none is found. It is the last one unless frames
 * of one that was undone are behind it.
 *
 * @param header Header of the log.
 * @param bytes Size of the log. Frames of an earlier one may be at its end.
 */
export function committedEnd(fd: number, header: DataView, bytes: number): number | undefined {
  const frameBytes = FRAME_BYTES + header.getUint32(PAGE_SIZE_AT);
  const endOf = (frames: number) => WHOLE_HEADER_BYTES + frames * frameBytes;
  let [least, most] = [0, Math.floor((bytes - WHOLE_HEADER_BYTES) / frameBytes)];
  while (least < most) {
    const middle = (least + most) >>> 1;
    if (frameAt(fd, header, endOf(middle)) === undefined) most = middle;
    else least = middle + 1;
  }
  const end = endOf(least);
  return least > 0 && isCommittedAt(fd, header, end) ? end : undefined;
}

/**
 * Tells whether a transaction of a log ends after so many of its bytes.
 *
 * @param header Header of the log.
 */
export function isCommittedAt(fd: number, header: DataView, end: number): boolean {
  const frameBytes = FRAME_BYTES + header.getUint32(PAGE_SIZE_AT);
  return frameAt(fd, header, end - frameBytes)?.isCommit === true;
}

/** The frame that begins at a place; `undefined` if none of this log does. */
function frameAt(fd: number, header: DataView, at: number): { isCommit: boolean } | undefined {
  const frame = new DataView(new ArrayBuffer(FRAME_BYTES));
  if (readSync(fd, frame, 0, FRAME_BYTES, at) < FRAME_BYTES) return undefined;
  if (frame.getBigUint64(FRAME_SALTS_AT) !== header.getBigUint64(SALTS_AT)) return undefined;
  return { isCommit: frame.getUint32(COMMIT_AT) > 0 };
}

/**
 * Opens a log for reading its state again and again. Linux can leave out to note the time of each
 * reading, and is told to: a commit would wait for that note.
 */
export function openLog(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NOATIME ?? 0));
  } catch (error) {
    // Only the owner of a file may ask for it.
    if ((error as { code?: unknown }).code !== "EPERM") throw error;
    return openSync(path, "r");
  }
}

/** State of the log beside a database. */
export function logStateAt(path: string): LogState | "missing" {
  const fd = openIfThere(`${path}-wal`);
  if (fd === undefined) return "missing";
  try {
    return logState(fd);
  } finally {
    closeSync(fd);
  }
}
