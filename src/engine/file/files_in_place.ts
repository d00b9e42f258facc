/**
 * The file and the log that a writer has open, and their names in the file system.
 *
 * A writer goes on with files that were renamed, replaced or removed, as every program does that has
 * them open; but whoever opens the database next does not find what it wrote.
 *
 * @module
 */

import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { FileHeader } from "./header.ts";
import { LogIndex } from "./log_index.ts";
import { type LogState, OpenLog } from "./wal_file.ts";

/** Device and inode of a file, and when it and what is known of it last changed. */
export interface Identity {
  readonly dev: number;
  readonly ino: number | null;
  readonly mtime: Date | null;
  /** In full seconds under Deno. */
  readonly ctime: Date | null;
  readonly size: number;
}

/** A folder that Deno has open. */
interface OpenFolder {
  statSync(): Identity;
  close(): void;
}

/** The part of Deno that is needed. */
interface DenoFiles {
  statSync(path: string): Identity;
  openSync(path: string): OpenFolder;
}

/** Deno's own functions take a third of the time of Node.js's under Deno, after each commit. */
const deno = (globalThis as { Deno?: DenoFiles }).Deno;
const stat: (path: string) => Identity = deno?.statSync ?? statSync;

/** Steps of the clock by which file systems note changes are shorter, ms. */
const CLOCK_STEP = 20;
/** The same where full seconds are told only. */
const FULL_SECOND_STEP = 1_000 + CLOCK_STEP;
/** Some note full seconds only, and even ones (FAT, ext3), ms. */
const LONG_CLOCK_STEP = 2_000;
/**
 * Names are looked at this often although their folder did not change: mounts do not change it, ms. So are
 * the ends of the files, which change nothing in it.
 */
const LOOK_EVERY = 100;

/** Device and inode of what a path leads to; `undefined` if there is nothing. */
export function identityAt(path: string): Identity | undefined {
  try {
    return stat(path);
  } catch {
    return undefined;
  }
}

/** Another program that is just copying the log to the file may take so long, ms, in steps of so many. */
const COPY_MS = 500, COPY_STEP_MS = 10;

/** Opens a folder: to ask for its state takes half the time then. Not every system can. */
function openFolder(path: string): OpenFolder | undefined {
  try {
    return deno?.openSync(path);
  } catch {
    return undefined;
  }
}

/** Tells whether the last look is not too long ago, nor the clock was set back since. */
function isWithin(now: number, seenAt: number): boolean {
  return now >= seenAt && now < seenAt + LOOK_EVERY;
}

/** Longest step of the clock by which the change of a folder was noted, ms. */
export function clockStep({ mtime, ctime }: Identity): number {
  const isFull = (time: Date | null) => (time?.getTime() ?? 0) % 1000 === 0;
  if (!isFull(ctime)) return CLOCK_STEP;
  return isFull(mtime) ? LONG_CLOCK_STEP : FULL_SECOND_STEP;
}

/** Tells whether two identities are of the same file. */
export function isSame(
  one: Pick<Identity, "dev" | "ino"> | undefined,
  other: Pick<Identity, "dev" | "ino"> | undefined,
): boolean {
  return one?.ino === other?.ino && one?.dev === other?.dev;
}

/** The files of a database that is open for writing. */
export class FilesInPlace {
  readonly #path: string;
  readonly #logPath: string;
  readonly #folder: string;
  readonly #openFolder: OpenFolder | undefined;
  readonly #file: FileHeader;
  readonly #fileIdentity: Pick<Identity, "dev" | "ino">;
  /** Size of the file when it was looked at, bytes. */
  #fileBytes = 0;
  readonly #log: OpenLog;
  readonly #logIdentity: Pick<Identity, "dev" | "ino">;
  /** SQLite's index of the log. */
  readonly index: LogIndex;
  /** The state of the log when the names were looked at, and where a transaction ended in it. */
  #committed: { readonly state: LogState; readonly end: number } | undefined;
  #state: LogState;
  #isLogNew = true;
  /** The folder as it was when the names in it were looked at, and when it had changed and that was. */
  #seen: Identity | undefined;
  #seenChange: number | undefined;
  #seenAt = 0;
  /** The last time that the ends of the files were looked at, ms. */
  #endsSeenAt = 0;

  /**
   * @param path Path of the file itself, whose log is there.
   * @param file Header of the file that is open.
   */
  constructor(path: string, file: FileHeader) {
    this.#path = path;
    this.#folder = dirname(path);
    this.#openFolder = openFolder(this.#folder);
    this.#logPath = `${path}-wal`;
    this.#file = file;
    this.#fileIdentity = file.identity;
    this.#log = OpenLog.open(this.#logPath);
    this.#logIdentity = this.#log.identity;
    this.index = new LogIndex(`${path}-shm`, this.#log);
  }

  /**
   * The path at which a file is not any more, or not as its writer left it; `undefined` if all is well.
   * It is no harm if the files were moved together with their folder.
   */
  missing(): string | undefined {
    const misplaced = this.misplaced();
    if (misplaced !== undefined) return misplaced;
    const state = this.#log.state();
    this.#isLogNew = state !== this.#state;
    this.#state = state;
    return state === undefined ? this.#logPath : undefined;
  }

  /**
   * The path at which a file is not any more. A folder changes with the names in it, so they are not
   * looked at while it is as it was: asking for the state of the log would make Linux note the exact
   * time of what is written next, and then every commit waits for that note too.
   */
  misplaced(): string | undefined {
    const now = Date.now();
    const folder = this.#openFolder?.statSync() ?? identityAt(this.#folder);
    if (this.#isAsSeen(folder, now)) return undefined;
    const file = identityAt(this.#path), log = identityAt(this.#logPath);
    const isMoved = file === undefined && log === undefined && this.#isLinked();
    if (!isMoved && !isSame(file, this.#fileIdentity)) return this.#path;
    if (!isMoved && !isSame(log, this.#logIdentity)) return this.#logPath;
    if (!isWithin(now, this.#endsSeenAt)) {
      if (file !== undefined && this.#isFileCut(file.size)) return this.#path;
      if (log !== undefined && this.#isCut(log.size)) return this.#logPath;
      this.#endsSeenAt = now;
    }
    this.#seen = folder;
    this.#seenChange = folder?.ctime?.getTime();
    this.#seenAt = now;
    return undefined;
  }

  /** Tells whether the names in the folder must be what they were when they were looked at. */
  #isAsSeen(folder: Identity | undefined, now: number): boolean {
    const changed = folder?.ctime?.getTime();
    if (changed === undefined || changed !== this.#seenChange) return false;
    if (!isSame(folder, this.#seen)) return false;
    // What happened within a step of the clock before they were looked at may have come after.
    const isSettled = changed < this.#seenAt - clockStep(folder!);
    return isSettled && isWithin(now, this.#seenAt) && isWithin(now, this.#endsSeenAt);
  }

  /**
   * Tells whether the last transaction that the log had is gone, although it was not begun anew: the log
   * is shorter, or has a hole before all that was written since. Only the ends of transactions count:
   * frames of one that was undone are written over, or left without salts and sums.
   */
  #isCut(bytes: number): boolean {
    const before = this.#committed;
    const state = this.#log.state();
    const isSameLog = typeof state === "bigint" && state === before?.state;
    if (isSameLog && !this.#log.isCommittedAt(before.end)) return true;
    const end = typeof state === "bigint" ? this.#log.committedEnd(bytes) : undefined;
    if (end !== undefined) this.#committed = { state, end };
    return false;
  }

  /**
   * The path of the file if its end was cut off since it was looked at. Call it before the log is copied
   * to the file, too, which would make it as long as before, with a hole.
   */
  cutFile(): string | undefined {
    return this.#isFileCut(this.#file.identity.size) ? this.#path : undefined;
  }

  /**
   * Tells whether the file is shorter than it was, and than its first page says. SQLite shortens it to
   * what that page says, when all of the log is in it; it may be longer then before it is.
   */
  #isFileCut(bytes: number): boolean {
    if (bytes < this.#fileBytes && bytes < this.#file.bytes() && this.#staysAt(bytes)) return true;
    this.#fileBytes = bytes;
    return false;
  }

  /** Tells whether the file keeps a size: it does not while its pages are written. */
  #staysAt(bytes: number): boolean {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    for (let ms = 0; ms < COPY_MS; ms += COPY_STEP_MS) {
      if (this.#file.identity.size !== bytes) return false;
      Atomics.wait(cell, 0, 0, COPY_STEP_MS);
    }
    return true;
  }

  /** True if the log was begun anew since `missing` was called before. */
  get isLogNew(): boolean {
    return this.#isLogNew;
  }

  /** Tells whether the log has a name anywhere. */
  #isLinked(): boolean {
    return this.#log.identity.nlink > 0;
  }

  close(): void {
    this.#log.close();
    this.#openFolder?.close();
  }
}
