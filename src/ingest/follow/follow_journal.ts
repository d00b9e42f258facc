/**
 * Journal of the files that are followed: lines of JSON, each written before what it is about.
 *
 * Before a batch is inserted the journal says which rows it has and how many points its streams
 * have; after it, that it is stored. A killed process therefore leaves behind at most one
 * batch, and the number of points in a stream says exactly how much of that batch is stored.
 *
 * @module
 */

import { type FileHandle, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writePrivateFile } from "../../core/new_file.ts";
import { parseJson } from "../../core/parse_json.ts";
import { ImportError } from "../errors.ts";
import { digest } from "../import_record.ts";
import type { Position } from "../source.ts";
import { isIntact, readStateText, sealedJson } from "../state_file.ts";
import type { FileDigests } from "./file_digests.ts";

/** State of a followed file. */
export interface FileState {
  /** Number by which the journal knows it. */
  readonly id: number;
  /** Path at which it was seen last. */
  path: string;
  /** Device and number of the file there. */
  key: string;
  size: number;
  modifiedMs: number;
  /** Table that grows, or a file that is imported as a whole; absent until it is known. */
  kind?: "table" | "whole";
  format?: string;
  /** Layout by which it is read again the same way. */
  layout?: unknown;
  /** Uuids of its streams, once there are any. */
  streams?: string[];
  /** Place behind what is stored. */
  position: Position;
  /** Digests of what is before it, or of what the file begins with, while nothing is stored. */
  before?: FileDigests;
  /** Points stored. */
  points: number;
  /** Points in its streams when it was stored up to there; absent where points are merged. */
  counts?: readonly string[];
  /** True if nothing more is read of it. */
  isDone?: boolean;
  /** Its size and time when it was imported as a whole. */
  whole?: { size: number; modifiedMs: number };
}

/** A batch that may be stored in part. */
export interface PendingBatch {
  readonly id: number;
  readonly from: Position;
  /** Offset behind its rows; absent where `from` says the batch. */
  readonly end?: number;
  /** Points in its streams before it. */
  readonly counts: readonly string[];
}

/** Files and the batch under way, as a journal has them. */
export interface FollowState {
  readonly files: Map<number, FileState>;
  readonly pending: PendingBatch | undefined;
  /** Time since when files may have been written that are still searched, ms since 1970. */
  readonly searchMs: number | undefined;
  /** True if there is a journal. */
  readonly isResumed: boolean;
}

type Line =
  | { follow: 1; source: string; target: string; wishes: unknown }
  | { file: FileState }
  | { begin: PendingBatch }
  | { search: number | null }
  | { stored: Omit<FileState, "layout" | "streams"> };

/** Size from which on a journal is written anew. */
const COMPACT_BYTES = 4 << 20;

/** Journal of one follower. */
export class FollowJournal implements AsyncDisposable {
  readonly #path: string;
  readonly #head: Line;
  readonly #files: Map<number, FileState>;
  #file: FileHandle;
  #size: number;
  #searchMs: number | undefined;

  private constructor(
    path: string,
    head: Line,
    { files, searchMs }: Pick<FollowState, "files" | "searchMs">,
    file: FileHandle,
    size: number,
  ) {
    this.#path = path;
    this.#head = head;
    this.#files = files;
    this.#searchMs = searchMs;
    this.#file = file;
    this.#size = size;
  }

  /** Path of the journal of a source and a database. */
  static pathOf(folder: string, source: string, target: string): string {
    return join(folder, `follow-${digest(`${source}\n${target}`).slice(0, 24)}.jsonl`);
  }

  /**
   * Reads what a journal says.
   *
   * @throws {ImportError} If it was begun with other options, or is damaged.
   */
  static async load(path: string, wishes: unknown): Promise<FollowState> {
    const text = await readStateText(path, "the journal of what is followed");
    const files = new Map<number, FileState>();
    let pending: PendingBatch | undefined;
    let searchMs: number | undefined;
    if (text === undefined) return { files, pending, searchMs, isResumed: false };
    // A last line without its end was being written when the process ended: it counts for nothing.
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
    for (const [i, text_] of lines.entries()) {
      if (text_ === "") continue;
      const line = lineOf(text_);
      if (line === undefined || ("stored" in line && !files.has(line.stored.id))) {
        throw new ImportError(`Cannot go on following: line ${i + 1} of ${path} is damaged`, {
          hint: "nothing else says what is stored; --restart imports everything again",
        });
      }
      if ("follow" in line) {
        if (JSON.stringify(line.wishes) !== JSON.stringify(wishes)) {
          throw new ImportError("Cannot go on following: it began with other options", {
            fault: "options",
            hint: "use the same ones, or --restart, which imports everything again",
          });
        }
      } else if ("file" in line) files.set(line.file.id, line.file);
      else if ("begin" in line) pending = line.begin;
      else if ("search" in line) searchMs = line.search ?? undefined;
      else {
        Object.assign(files.get(line.stored.id)!, line.stored);
        pending = undefined;
      }
    }
    return { files, pending, searchMs, isResumed: true };
  }

  /** Begins to write: what is known first, in place of what was there. */
  static async open(
    path: string,
    about: { source: string; target: string; wishes: unknown },
    known: Omit<FollowState, "isResumed">,
  ): Promise<FollowJournal> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const head: Line = { follow: 1, ...about };
    const size = write(path, head, known);
    return new FollowJournal(path, head, known, await open(path, "a"), size);
  }

  /** Forgets a source. */
  static async forget(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  /** Notes the files that it does not know yet: those of a folder are found again without it. */
  async found(files: readonly FileState[]): Promise<void> {
    for (const file of files) if (!this.#files.has(file.id)) await this.note(file);
  }

  /** Notes a file, with all that is known of it. */
  async note(file: FileState): Promise<void> {
    this.#files.set(file.id, file);
    await this.#append({ file });
  }

  /**
   * Notes that files are searched which were rotated before they were seen, or that they are no longer.
   * Nothing else knows of them: after a process that ended before it found them they are searched again.
   *
   * @param searchMs Time since when they may have been written, ms since 1970.
   */
  async search(searchMs: number | undefined): Promise<void> {
    if (searchMs === this.#searchMs) return;
    this.#searchMs = searchMs;
    await this.#append({ search: searchMs ?? null });
  }

  /** Notes that a batch is about to be stored. */
  async begin(batch: PendingBatch): Promise<void> {
    if (this.#size > COMPACT_BYTES) await this.#compact();
    await this.#append({ begin: batch });
    await this.#file.datasync();
  }

  /** Notes that everything of a file up to its place is stored. */
  async stored({ layout: _, streams: _s, ...stored }: FileState): Promise<void> {
    await this.#append({ stored });
  }

  async #append(line: Line): Promise<void> {
    await this.#checkAlone();
    const bytes = new TextEncoder().encode(`${sealedJson(line)}\n`);
    await this.#file.appendFile(bytes);
    this.#size += bytes.length;
  }

  /** Two that follow the same would store everything twice. */
  async #checkAlone(): Promise<void> {
    const [there, own] = await Promise.all([
      stat(this.#path).catch(() => undefined),
      this.#file.stat(),
    ]);
    if (there?.ino === own.ino && there.dev === own.dev && own.size === this.#size) return;
    throw new ImportError("Cannot go on following: another process follows the same", {
      hint: "only one may store it in this database",
    });
  }

  async #compact(): Promise<void> {
    await this.#checkAlone();
    await this.#file.close();
    const [files, searchMs] = [this.#files, this.#searchMs];
    this.#size = write(this.#path, this.#head, { files, searchMs, pending: undefined });
    this.#file = await open(this.#path, "a");
  }

  /** Closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** A line of a journal; `undefined` for what none has. */
function lineOf(text: string): Line | undefined {
  try {
    const line = parseJson(text);
    if (!isIntact(text)) return undefined;
    const isObject = typeof line === "object" && line !== null;
    const isOurs = isObject &&
      ["follow", "file", "begin", "search", "stored"].some((key) => key in line);
    return isOurs ? line as Line : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes a journal that says the same in few lines; its size. */
function write(
  path: string,
  head: Line,
  { files, pending, searchMs }: Omit<FollowState, "isResumed">,
): number {
  const lines: Line[] = [head];
  for (const file of files.values()) lines.push({ file });
  if (searchMs !== undefined) lines.push({ search: searchMs });
  if (pending !== undefined) lines.push({ begin: pending });
  const text = lines.map((line) => `${sealedJson(line)}\n`).join("");
  writePrivateFile(path, text);
  return new TextEncoder().encode(text).length;
}
