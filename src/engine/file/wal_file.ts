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

/**
 * Tells whether something was written in the last frame of a log of so many bytes: salts are never 0.
 *
 * @param header Header of the log.
 */
export function isWritten(fd: number, header: DataView, bytes: number): boolean {
  const frame = FRAME_BYTES + header.getUint32(PAGE_SIZE_AT);
  const at = bytes - frame;
  if (at < WHOLE_HEADER_BYTES || (at - WHOLE_HEADER_BYTES) % frame !== 0) return true;
  const salts = new DataView(new ArrayBuffer(8));
  return readSync(fd, salts, 0, 8, at + 8) === 8 && salts.getBigUint64(0) !== 0n;
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
