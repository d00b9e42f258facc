/**
 * Descriptors of database files, which the handles of a thread share.
 *
 * Closing a descriptor by which a file can be read takes back all locks that the process holds on the
 * file (POSIX), those of SQLite too, also in other threads (sqlite.org/howtocorrupt.html, 2.2). Another
 * program would then take an open database for one that nobody has open, and remove its log.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { platform } from "node:os";

/** Opens a file for its state alone, on Linux: to close that takes no locks back (open(2), O_PATH). */
const STATE_ONLY = 0o10000000;

/** A file that Deno has open. It can lock the whole file (flock), which Node.js cannot. */
interface DenoFile {
  tryLockSync(exclusive: boolean): boolean;
  unlockSync(): void;
  statSync(): { readonly dev: number; readonly ino: number | null };
  close(): void;
}

/** The part of Deno that is needed. */
interface DenoFiles {
  openSync(path: string): DenoFile;
}

const deno = (globalThis as { Deno?: DenoFiles }).Deno;

/** Descriptors by which a file is read and locked. */
export interface FileContent {
  readonly fd: number;
  /** The same file as Deno opens it. */
  readonly deno: DenoFile | undefined;
}

/** An open file, shared by all handles of this thread. */
export interface SharedFile {
  readonly key: string;
  /** Descriptor for the state of the file. */
  readonly state: number;
  /** Opened for who reads or locks the file itself. */
  content: FileContent | undefined;
  isLocked: boolean;
  users: number;
}

/** Files by device and inode. They are closed when their last user in this thread is. */
const files = new Map<string, SharedFile>();

function keyOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

/** Opens a file for its state; where that is all the same, for its content. */
function openState(path: string): number {
  if (platform() === "linux") {
    try {
      return openSync(path, STATE_ONLY);
    } catch {
      // There is no file, which is said below, or the system has no such descriptors.
    }
  }
  return openSync(path, "r");
}

/** The descriptors that this thread has of the file at a path; opened where there are none. */
function sharedAt(path: string): SharedFile {
  const known = files.get(keyOf(statSync(path, { bigint: true })));
  if (known !== undefined) return known;
  const state = openState(path);
  const key = keyOf(fstatSync(state, { bigint: true }));
  const file = { key, state, content: undefined, isLocked: false, users: 0 };
  files.set(key, file);
  return file;
}

/** Opens a file by both runtimes where there are two; `undefined` if another one is at the path by now. */
function openContent(path: string, key: string): FileContent | undefined {
  const fd = openSync(path, "r");
  const identity = fstatSync(fd, { bigint: true });
  const file = deno?.openSync(path);
  const known = file?.statSync();
  const isOne = known === undefined || known.ino === null || known.ino === Number(identity.ino);
  if (isOne && keyOf(identity) === key) return { fd, deno: file };
  closeSync(fd);
  file?.close();
  return undefined;
}

function closeUnused({ key, state, content, users }: SharedFile): void {
  if (users > 0) return;
  files.delete(key);
  closeSync(state);
  if (content === undefined) return;
  closeSync(content.fd);
  content.deno?.close();
}

/** A file that is held open, whatever path leads to it. */
export class HeldFile {
  readonly #file: SharedFile;
  #isClosed = false;

  /** @param file Its descriptors in this thread. */
  constructor(file: SharedFile) {
    this.#file = file;
    file.users++;
  }

  /**
   * Holds an existing file without opening its content: whoever closes it takes no locks back from other
   * threads. Only Linux can.
   */
  static open(path: string): HeldFile {
    return new HeldFile(sharedAt(path));
  }

  /** Device and inode of the file, how many names it has, and its size, bytes. */
  get identity(): { dev: number; ino: number; nlink: number; size: number } {
    return fstatSync(this.#file.state);
  }

  /** Lets the file go. Idempotent. Call it after SQLite's connection is closed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#file.users--;
    closeUnused(this.#file);
  }
}

/** Opens the content of an existing file, unless this thread has it open. */
export function openForContent(path: string): { file: SharedFile; content: FileContent } {
  for (;;) {
    const file = sharedAt(path);
    const content = file.content ??= openContent(path, file.key);
    if (content !== undefined) return { file, content };
    closeUnused(file); // Another file was put there in between.
  }
}
