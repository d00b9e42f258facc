/**
 * Files that were made for requests and are kept for the next ones, because readers of Parquet ask
 * for a file piece by piece (docs/http.md, "Parquet").
 *
 * @module
 */

import { abortable } from "../../../core/call.ts";
import { BTrDBError, ErrorCode } from "../../../core/errors.ts";
import { until } from "../../transport/until.ts";
import { HttpFailure } from "../http_failure.ts";
import { SpoolFile } from "./spool_file.ts";

/** Time for which a file is kept after it was read last, ms. */
const KEEP_MS = 300_000;

/** Interval at which files that nobody reads any more are looked for, ms. */
const SWEEP_MS = 30_000;

/** Most files. */
const MAX_FILES = 256;

/** Writes a file; each piece is waited for. */
export type SpoolMaker = (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>;

/** Longest time for the making of files to notice that it was given up, ms. */
const SETTLE_MS = 500;

/** Bounds of a {@linkcode Spool}. */
export interface SpoolLimits {
  /** Bytes of all files. */
  readonly maxBytes: number;
  /** Bytes of the files made for one owner, such as a key. */
  readonly maxOwnerBytes: number;
}

/** A file and whom it was made for. */
class Entry {
  readonly owner: unknown;
  file: SpoolFile | undefined;
  /** Resolves when it is complete. */
  ready!: Promise<void>;
  isComplete = false;
  usedMs = Date.now();
  /** Bytes that it has, or is about to get. */
  bytes = 0;
  /** Requests that are about to read it. */
  waiting = 0;

  constructor(owner: unknown) {
    this.owner = owner;
  }

  /** True if it can go: it is complete, and nobody reads it. */
  get isIdle(): boolean {
    return this.isComplete && this.waiting === 0 && !this.file!.isUsed;
  }
}

/** The failure of a request for a file that is too large. */
export function tooLarge(message: string): HttpFailure {
  const hint = "expected a shorter range, fewer streams, or wider windows";
  return new HttpFailure(413, `${message}: ${hint}`, ErrorCode.ResourceDepleted);
}

/** Files by their names. */
export class Spool {
  readonly #limits: SpoolLimits;
  readonly #entries = new Map<string, Entry>();
  /** Files that have no name any more and are still read. */
  readonly #removed = new Set<Entry>();
  /** Files being made, and those of which that failed and which are being removed. */
  #making = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  constructor(limits: SpoolLimits) {
    this.#limits = limits;
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#bytesOf(() => true);
  }

  /** Most bytes of a file. */
  get maxFileBytes(): number {
    return Math.min(this.#limits.maxBytes, this.#limits.maxOwnerBytes);
  }

  /** Tells whether a file is there, or is being made. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * A file, made if need be; who asks for one that is being made waits for it.
   *
   * @param name Another one for other bytes.
   * @param owner The one on whose account it is kept.
   * @param make Makes it.
   * @param signal Ends the waiting for one that is made for others.
   * @returns The file, complete; the caller releases it.
   * @throws {HttpFailure} 413 if it is larger than the bounds, 503 if there is no room at the moment.
   */
  async file(
    name: string,
    owner: unknown,
    make: SpoolMaker,
    signal: AbortSignal,
  ): Promise<SpoolFile> {
    for (;;) {
      const known = this.#entries.get(name);
      const entry = known ?? this.#make(name, owner, make);
      entry.waiting++;
      try {
        await abortable(entry.ready, { signal }, "wait for a file");
        entry.file!.retain();
        entry.usedMs = Date.now();
        return entry.file!;
      } catch (error) {
        // The request it was made for may be gone: then the next one makes it.
        if (known === undefined || signal.aborted) throw error;
      } finally {
        entry.waiting--;
      }
    }
  }

  /** Removes all files; those that are being made should have been given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const [name, entry] of this.#entries) await this.#remove(name, entry);
    await until(() => this.#making === 0, SETTLE_MS);
  }

  #make(name: string, owner: unknown, make: SpoolMaker): Entry {
    if (this.#isClosed) throw new HttpFailure(503, "the server is stopping");
    const entry = new Entry(owner);
    this.#entries.set(name, entry);
    this.#timer ??= setInterval(() => void this.#sweep(), SWEEP_MS);
    this.#making++;
    entry.ready = this.#fill(entry, make).catch(async (error) => {
      await this.#remove(name, entry);
      throw error;
    }).finally(() => this.#making--);
    entry.ready.catch(() => {});
    return entry;
  }

  async #fill(entry: Entry, make: SpoolMaker): Promise<void> {
    await this.#makeRoom(entry, 0);
    const file = entry.file = await SpoolFile.create();
    try {
      await make(async (bytes) => {
        await this.#makeRoom(entry, bytes.length);
        if (this.#isClosed) throw new HttpFailure(503, "the server is stopping");
        await file.write(bytes);
      });
      entry.isComplete = true;
      entry.usedMs = Date.now();
    } finally {
      await file.release();
    }
  }

  /** Makes room for so many more bytes of a file: those read longest ago have to go. */
  async #makeRoom(entry: Entry, bytes: number): Promise<void> {
    const { maxBytes, maxOwnerBytes } = this.#limits;
    const isOwn = ({ owner }: Entry) => owner === entry.owner;
    const all = () => true;
    if (entry.bytes + bytes > this.maxFileBytes) {
      throw tooLarge(`the file is larger than the ${this.maxFileBytes} bytes allowed`);
    }
    const bounds = [[isOwn, maxOwnerBytes], [all, maxBytes]] as const;
    for (;;) {
      const full = bounds.find(([counts, most]) => this.#bytesOf(counts) + bytes > most);
      if (full !== undefined) await this.#evict(full[0]);
      else if (this.#entries.size > MAX_FILES) await this.#evict(all);
      else break;
    }
    entry.bytes += bytes;
  }

  #bytesOf(counts: (entry: Entry) => boolean): number {
    let bytes = 0;
    for (const entries of [this.#entries.values(), this.#removed]) {
      for (const entry of entries) if (counts(entry)) bytes += entry.bytes;
    }
    return bytes;
  }

  async #evict(counts: (entry: Entry) => boolean): Promise<void> {
    let oldest: [string, Entry] | undefined;
    for (const pair of this.#entries) {
      const [, entry] = pair;
      if (!entry.isIdle || !counts(entry)) continue;
      if (oldest === undefined || entry.usedMs < oldest[1].usedMs) oldest = pair;
    }
    if (oldest === undefined) {
      throw new BTrDBError("there is no room for files at the moment", {
        code: ErrorCode.ResourceDepleted,
      });
    }
    await this.#remove(...oldest);
  }

  async #remove(name: string, entry: Entry): Promise<void> {
    if (this.#entries.get(name) === entry) this.#entries.delete(name);
    const { file } = entry;
    if (file === undefined) return;
    this.#removed.add(entry);
    await file.remove();
    this.#prune();
  }

  /** Forgets removed files that nobody reads any more. */
  #prune(): void {
    for (const entry of this.#removed) if (!entry.file!.isUsed) this.#removed.delete(entry);
  }

  async #sweep(): Promise<void> {
    const old = Date.now() - KEEP_MS;
    for (const [name, entry] of this.#entries) {
      if (entry.isIdle && entry.usedMs < old) await this.#remove(name, entry);
    }
    this.#prune();
    if (this.#entries.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
