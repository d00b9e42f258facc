/**
 * A file that is followed: where it is, whether it is still the same, and its bytes.
 *
 * @module
 */

import { type FileHandle, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concatBytes } from "../../core/bytes.ts";
import { HEAD_BYTES, headDigest } from "../import_record.ts";
import { MAGIC_BYTES, openBytes, readBytes } from "../bytes.ts";
import { compressionOf } from "../compression/decompress.ts";
import { beginsWith, digestsIn } from "./file_digests.ts";
import type { FileState } from "./follow_journal.ts";
import { openEnd, readFrom } from "./growing_table.ts";
import type { TableLayout } from "../text/table_layout.ts";
import { noRemarks, type TableRemarks } from "../text/table_remarks.ts";

const LF = 10;

/** Properties of a file by which a change is seen. */
export interface FileSign {
  /** Device and number of the file. */
  readonly key: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** The properties of a path; `undefined` where there is no plain file. */
export async function signOf(path: string): Promise<FileSign | undefined> {
  const info = await stat(path).catch((error) => {
    const { code } = error as { code?: unknown };
    // A link may lead nowhere: to something that is not there, or to itself.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw error;
  });
  if (info === undefined || !info.isFile()) return undefined;
  return { key: `${info.dev}:${info.ino}`, size: info.size, modifiedMs: info.mtimeMs };
}

/** A file that is followed. */
export class FollowedFile {
  readonly state: FileState;
  /** Its path; `undefined` while it is nowhere to be seen. */
  path: string | undefined;
  /** True if there may be something new in it. */
  isStirred = true;
  /** When it was seen to change last, and when it was lost from sight; ms of `performance`. */
  changedMs: number;
  lostMs = 0;
  /** True until it is known that its next rows are not stored, although the journal does not have them. */
  mayBeStored = false;
  /** True once it was said that it is gone. */
  isGone = false;
  /** Reason for which nothing more is read of it, until it changes. */
  problem: Error | undefined;
  /** Next try to open what could not be opened, ms of `performance`, and the pause before it. */
  retryMs = 0;
  pauseMs = 0;
  /** Rows and points that this run stored, rows and cells that it left out. */
  readonly fresh = { rows: 0, points: 0, badRows: 0, badCells: 0 };
  /** Times and numbers that this run stored otherwise than they were written, and those it told of. */
  readonly changes: Record<"all" | "told", TableRemarks> = { all: noRemarks(), told: noRemarks() };
  #handle: FileHandle | undefined;
  /** The first and the last bytes before its place. */
  #memory: { head: Uint8Array; tail: Uint8Array } | undefined;

  /** A file as it was noted. */
  constructor(state: FileState, path: string | undefined) {
    this.state = state;
    this.path = path;
    this.changedMs = performance.now();
    if (path === undefined) this.lostMs = this.changedMs;
  }

  /** True if it is open. */
  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  /** The open file; `undefined` if another one is there by now. */
  async open(): Promise<FileHandle | undefined> {
    if (this.#handle !== undefined || this.path === undefined) return this.#handle;
    const handle = await open(this.path, "r").catch((error) => {
      if ((error as { code?: unknown }).code === "ENOENT") return undefined;
      throw error;
    });
    const info = await handle?.stat();
    if (handle === undefined || `${info!.dev}:${info!.ino}` !== this.state.key) {
      await handle?.close();
      return undefined;
    }
    // A log that was compressed when it was rotated is read to its end from a decompressed copy.
    if (compressionOf(await readFrom(handle, 0, MAGIC_BYTES)) === "none") this.#handle = handle;
    else {
      await handle.close();
      this.#handle = await decompressed(this.path);
    }
    return this.#handle;
  }

  /** Takes over where it is, and what it looks like there. */
  async attach(path: string, sign: FileSign): Promise<void> {
    if (sign.key !== this.state.key) await this.close();
    this.path = path;
    this.isGone = false;
    if (this.state.path !== path || this.#hasChanged(sign)) {
      this.isStirred = true;
      this.changedMs = performance.now();
      this.retryMs = 0;
      this.pauseMs = 0;
    }
    Object.assign(this.state, { path, ...sign });
  }

  /** It is not where it was. */
  lose(): void {
    this.path = undefined;
    this.lostMs = performance.now();
    this.isStirred = this.isOpen;
  }

  #hasChanged({ size, modifiedMs }: FileSign): boolean {
    return size !== this.state.size || modifiedMs !== this.state.modifiedMs;
  }

  /** Tells whether what is at a path goes on where this one was read up to. */
  async isAt(path: string, sign: FileSign): Promise<boolean> {
    const { key, kind, position, before } = this.state;
    if (sign.key === key && !this.#hasChanged(sign)) return true;
    if (kind === "whole") return sign.key === key;
    if (before !== undefined) return await beginsWith(path, before);
    return position.offset === 0 && sign.key === key && this.state.isDone !== true;
  }

  /**
   * Keeps what a table begins with of which nothing is stored yet: a file with the same number may be
   * a log begun anew by the time it is.
   */
  async rememberHead(): Promise<void> {
    const handle = await this.open();
    if (handle === undefined) return;
    const head = await readFrom(handle, 0, HEAD_BYTES);
    this.state.before = await digestsIn(handle, head.lastIndexOf(LF) + 1);
  }

  /**
   * Keeps what is before its place, so that it is known again.
   *
   * @param raw Bytes that were read last, up to the place.
   */
  remember(raw: Uint8Array): void {
    const { offset } = this.state.position;
    const { head, tail } = this.#memory!;
    this.#memory = {
      head: head.length < HEAD_BYTES ? concatBytes([head, raw]).slice(0, HEAD_BYTES) : head,
      tail: concatBytes([tail, raw]).slice(-HEAD_BYTES),
    };
    this.state.before = {
      bytes: offset,
      head: headDigest(this.#memory.head),
      tail: headDigest(this.#memory.tail),
    };
  }

  /**
   * Tells whether what is before its place is still what was read. It may be cut off at any moment: what
   * is read is trusted if this is true afterwards.
   */
  async isTrusted(): Promise<boolean> {
    const { offset } = this.state.position;
    const handle = await this.open();
    if (handle === undefined) return false;
    if (this.#memory === undefined) {
      const head = await readFrom(handle, 0, Math.min(offset, HEAD_BYTES));
      const start = Math.max(0, offset - HEAD_BYTES);
      const tail = await readFrom(handle, start, offset - start);
      const { before } = this.state;
      if (before !== undefined) {
        const now = await digestsIn(handle, before.bytes);
        if (before.head !== now.head || before.tail !== now.tail) return false;
      } else if (offset > 0) return false;
      this.#memory = { head, tail };
      return true;
    }
    const { tail } = this.#memory;
    const now = await readFrom(handle, offset - tail.length, tail.length);
    return now.length === tail.length && now.every((byte, i) => byte === tail[i]);
  }

  /** Tells whether bytes are left in it that are not a complete row. */
  async endsOpen(): Promise<boolean> {
    const { layout, position } = this.state;
    const handle = await this.open();
    if (handle === undefined || layout === undefined) return false;
    return await openEnd(handle, layout as TableLayout, position) > 0;
  }

  /** Closes it. It can be opened again. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

/** A decompressed copy without a name: it goes when it is closed. */
async function decompressed(path: string): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), "btrdb-"));
  const copy = await open(join(folder, "copy"), "wx+", 0o600);
  await rm(folder, { recursive: true, force: true }).catch(() => {});
  try {
    for await (const chunk of readBytes(await openBytes(path), 0, { bytes: 0 })) {
      await copy.appendFile(chunk);
    }
  } catch (error) {
    await copy.close();
    throw error;
  }
  return copy;
}
