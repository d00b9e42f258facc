/**
 * Damage in SQLite's log, behind which SQLite finds no transaction any more.
 *
 * SQLite takes the first frame of a log whose checksum is wrong for the end of it, as after a power
 * failure. All that is behind would be lost in silence, though it was acknowledged. It is damage if
 *
 * - more than one transaction ends behind it: where each is synced before the next begins, a power
 *   failure leaves at most the last one in parts;
 * - a single word differs, from bits that were turned: what was not written is sectors.
 *
 * @module
 */

import { closeSync } from "node:fs";
import { BTrDBError } from "../../core/errors.ts";
import { logFrames } from "./checkpointer.ts";
import { openIfThere } from "./file_system.ts";
import { LogFrames } from "./log_frames.ts";
import type { Database } from "./sqlite.ts";

/** Frames of an earlier log, one behind another, at which the present one must have ended. */
const OTHER_FRAMES = 4;

/** Time after which damage is still there, while what another process writes is whole, ms. */
const SETTLE_MS = 25;

/** The place from which on a log cannot be read. */
interface Break {
  /** Number of frames before it; `undefined` if it is in the header of the log. */
  readonly frames: number | undefined;
  /** Transactions that end there or behind it. */
  readonly commits: number;
  /** Salts of the log, which another one has when it is begun anew. */
  readonly salts: bigint;
  /** True if it can be nothing but damage, synced or not. */
  readonly isCertain: boolean;
}

/**
 * Refuses a log of which transactions that were acknowledged cannot be read.
 *
 * @param path Path of the file itself, beside which is the log.
 * @param db A connection that only reads the file.
 * @param isSynced Tells whether each transaction of the log was synced before the next began.
 * @throws {BTrDBError} `CORRUPT`.
 */
export function refuseDamagedLog(path: string, db: Database, isSynced: () => boolean): void {
  const read = logFrames(db);
  if (read === undefined) return;
  let before: Break | undefined;
  for (;;) {
    db.prepare("PRAGMA schema_version").get(); // Looks into the log.
    const found = breakOf(path, Number(Object.values(read.get() ?? {})[1]));
    if (found === undefined || !(found.isCertain || isSynced())) return;
    if (found.frames === before?.frames && found.salts === before?.salts) throw damage(path, found);
    before = found;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLE_MS);
  }
}

function damage(path: string, { frames, commits }: Break): BTrDBError {
  const problem = frames === undefined
    ? "its header is damaged, without which nothing of it can be read"
    : `its frame ${
      frames + 1
    } is damaged, so that at least ${commits} of its last transactions cannot ` +
      "be read";
  return new BTrDBError(
    `Cannot open ${path}: the log beside it is ${path}-wal, and ${problem}; restore both from a copy, ` +
      "or to do without these, open and close the database once in the sqlite3 shell, and put an empty " +
      "file in place of the log",
    { status: "CORRUPT" },
  );
}

/**
 * Finds where SQLite stops to read a log, if what is there or behind it must have been acknowledged.
 *
 * @param read Frames that SQLite reads; negative if it has not read any log.
 */
function breakOf(path: string, read: number): Break | undefined {
  const fd = read < 0 ? undefined : openIfThere(`${path}-wal`);
  if (fd === undefined) return undefined;
  try {
    const log = LogFrames.of(fd);
    return log === undefined ? undefined : breakBehind(log, read);
  } finally {
    closeSync(fd);
  }
}

function breakBehind(log: LogFrames, read: number): Break | undefined {
  const { salts } = log;
  if (!log.hasHeader) return { frames: undefined, commits: 0, salts, isCertain: true };
  for (let frames = read;; frames++) {
    const frame = log.at(frames);
    if (frame?.wrongWords === 0 && !frame.isCommit) continue; // Of a transaction that did not end.
    // At a whole one SQLite is about to read on, or to begin the log anew.
    if (frame === undefined || frame.wrongWords === 0) return undefined;
    const isCertain = frame.wrongWords === 1;
    const commits = commitsFrom(log, frames);
    if (commits <= (isCertain ? 0 : 1)) return undefined;
    if (log.at(frames)?.wrongWords === 0) return undefined; // It was being written.
    return { frames, commits, salts, isCertain };
  }
}

/** Number of transactions of this log that end behind so many frames. */
function commitsFrom(log: LogFrames, frames: number): number {
  let commits = 0;
  for (let at = frames, others = 0; others < OTHER_FRAMES; at++) {
    const header = log.headerAt(at);
    if (header === undefined) break;
    if (!header.isHole) others = header.isOfLog ? 0 : others + 1;
    if (header.isOfLog && header.isCommit) commits++;
  }
  return commits;
}
