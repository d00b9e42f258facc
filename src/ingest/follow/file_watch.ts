/**
 * Watches a file or the files of a folder: new ones, renamed, replaced and cut off ones.
 *
 * @module
 */

import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { mapConcurrently } from "../../core/concurrency.ts";
import { filesIn, FOREIGN_LINK } from "../folder.ts";
import { START } from "../source.ts";
import { beginsWith } from "./file_digests.ts";
import { type FileSign, FollowedFile, signOf } from "./followed_file.ts";
import { isRotationOf, unrotatedName } from "./rotated_names.ts";

/** Files looked at at the same time. */
const AT_ONCE = 16;
/** Time for which a file that is lost from sight is looked for. */
const SEARCH_MS = 10_000;
/** Time without a change after which the copy of a file is complete. */
const SETTLE_MS = 2_000;
/** Time after which a file that still grows is no copy. */
const MAX_SETTLE_MS = 60_000;
/** Most files that are kept in mind although they are not there any more. */
const MAX_PAST = 10_000;

/** File or folder to watch. */
export interface WatchOptions {
  /** Path of the file or the folder. */
  readonly root: string;
  readonly isFolder: boolean;
  /** Time since when files may have been written that an earlier run still searched, ms since 1970. */
  readonly searchMs: number | undefined;
  /** Is told what was found. */
  readonly say: (text: string) => void;
}

/** Files of a folder, or one file and what it was before it was rotated. */
export class FileWatch {
  readonly #options: WatchOptions;
  readonly #files: FollowedFile[];
  /** Copies of files that are followed, by their paths. */
  readonly #copies = new Map<string, string>();
  /** Files that may be copies of others once they are complete. */
  readonly #unsettled = new Map<string, { sign: string; sinceMs: number; firstMs: number }>();
  /** Until when files are searched that are not where they were, and when those were last written. */
  #searchedUntilMs = -1;
  #writtenMs = 0;
  #nextId: number;
  #isMissing = false;
  /** Names of links that were left out at the last look. */
  #foreign: ReadonlySet<string> = new Set();

  /**
   * A watch.
   *
   * @param options File or folder, and a listener.
   * @param files Files that are known from an earlier run.
   */
  constructor(options: WatchOptions, files: FollowedFile[]) {
    this.#options = options;
    this.#files = files;
    this.#nextId = 1 + Math.max(0, ...files.map(({ state }) => state.id));
    if (options.searchMs === undefined) return;
    this.#writtenMs = options.searchMs;
    this.#searchedUntilMs = performance.now() + SEARCH_MS;
  }

  /** Time since when files may have been written that are still searched; `undefined`: none are. */
  get searchMs(): number | undefined {
    const isSearched = !this.#options.isFolder && this.#searchedUntilMs >= performance.now();
    return isSearched ? this.#writtenMs : undefined;
  }

  /** All files, in the order in which they were found. */
  get files(): readonly FollowedFile[] {
    return this.#files;
  }

  /** Looks once; afterwards files know where they are, and which have changed. */
  async look(): Promise<void> {
    const known = await this.#signs(await this.#listed());
    for (const file of this.#files) await this.#check(file, known);
    const lost = this.#files.filter(({ path, isGone }) => path === undefined && !isGone);
    const now = performance.now();
    for (const { state, lostMs } of lost) {
      const isNew = this.#searchedUntilMs < now;
      this.#writtenMs = isNew ? state.modifiedMs : Math.min(this.#writtenMs, state.modifiedMs);
      this.#searchedUntilMs = Math.max(this.#searchedUntilMs, lostMs + SEARCH_MS);
    }
    const others = this.#options.isFolder || this.#searchedUntilMs < now
      ? known
      : await this.#signs([...known.keys(), ...await this.#siblings()]);
    const claimed = new Set(this.#files.map(({ path }) => path));
    for (const [path, sign] of others) {
      if (!claimed.has(path)) await this.#claim(path, sign);
    }
  }

  /** Files that were looked for long enough. */
  gone(): FollowedFile[] {
    const now = performance.now();
    return this.#files.filter(({ path, isGone, lostMs }) =>
      path === undefined && !isGone && now - lostMs > SEARCH_MS
    );
  }

  /** Drops what is past all use from memory. */
  forgetPast(): FollowedFile[] {
    const past = this.#files.filter(({ path, state }) => path === undefined && state.isDone);
    const dropped = past.slice(0, Math.max(0, past.length - MAX_PAST));
    for (const file of dropped) this.#files.splice(this.#files.indexOf(file), 1);
    return dropped;
  }

  /**
   * Tells whether a file that may become the copy of another one, which is written or compressed just
   * now, has not changed for a while; any other one may be read at once.
   */
  #isSettled(path: string, sign: string): boolean {
    const name = basename(path);
    if (!this.#files.some(({ state }) => isRotationOf(name, basename(state.path)))) return true;
    const now = performance.now();
    const seen = this.#unsettled.get(path);
    const firstMs = seen?.firstMs ?? now;
    const sinceMs = seen?.sign === sign ? seen.sinceMs : now;
    this.#unsettled.set(path, { sign, sinceMs, firstMs });
    if (now - sinceMs < SETTLE_MS && now - firstMs < MAX_SETTLE_MS) return false;
    return this.#unsettled.delete(path);
  }

  /** Tells whether a file was written after one that is lost, and rotated before it was seen. */
  #isMissed(path: string, { modifiedMs }: FileSign): boolean {
    const { root } = this.#options;
    return isRotationOf(basename(path), basename(root)) && modifiedMs > this.#writtenMs;
  }

  async #listed(): Promise<string[]> {
    const { root, isFolder, say } = this.#options;
    if (!isFolder) {
      const others = this.#files.filter(({ path, state }) => path !== undefined && !state.isDone);
      return [root, ...others.map(({ path }) => path!)];
    }
    try {
      const { files, omitted } = await filesIn(root);
      this.#isMissing = false;
      const links = omitted.filter(({ reason }) => reason === FOREIGN_LINK);
      const fresh = links.filter(({ name }) => !this.#foreign.has(name));
      if (fresh.length > 0) {
        say(`Left out: ${fresh[0]!.name}${more(fresh.length)}, ${FOREIGN_LINK}`);
      }
      this.#foreign = new Set(links.map(({ name }) => name));
      return [...files];
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ENOENT") throw error;
      if (!this.#isMissing) say(`There is no folder ${root} at the moment: waiting for it`);
      this.#isMissing = true;
      return [];
    }
  }

  async #siblings(): Promise<string[]> {
    const folder = dirname(this.#options.root);
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).map(({ name }) => join(folder, name));
  }

  async #signs(paths: readonly string[]): Promise<Map<string, FileSign>> {
    const unique = [...new Set(paths)];
    const signs = await mapConcurrently(unique, AT_ONCE, signOf);
    return new Map(unique.flatMap((path, i) => signs[i] === undefined ? [] : [[path, signs[i]]]));
  }

  async #check(file: FollowedFile, signs: ReadonlyMap<string, FileSign>): Promise<void> {
    const { path, state } = file;
    if (path === undefined) return;
    const sign = signs.get(path);
    // A finished file that is not looked at any more may be anywhere.
    if (
      sign === undefined && !this.#options.isFolder && state.isDone && path !== this.#options.root
    ) {
      return;
    }
    if (sign !== undefined && sign.key === state.key) {
      if (await file.isAt(path, sign)) return await file.attach(path, sign);
      // The bytes that were there are not, also for who has it open.
      await file.close();
    }
    file.lose();
  }

  /** Finds out whose path it is. */
  async #claim(path: string, sign: FileSign): Promise<void> {
    const { root, isFolder, say } = this.#options;
    const signText = `${sign.key} ${sign.size} ${sign.modifiedMs}`;
    if (this.#copies.get(path) === signText) return;
    const missing = this.#files.filter((file) => file.path === undefined);
    for (const file of missing) {
      if (file.state.key !== sign.key || !await file.isAt(path, sign)) continue;
      return await file.attach(path, sign);
    }
    for (const file of this.#files) {
      const { before } = file.state;
      if (before === undefined || !isRelated(basename(file.state.path), basename(path))) continue;
      if (!await beginsWith(path, before)) continue;
      if (file.path === undefined) return await file.attach(path, sign);
      say(`${path} begins as ${file.path} does, which is stored: it is taken for a copy`);
      this.#copies.set(path, signText);
      return;
    }
    if (!isFolder && path !== root && !this.#isMissed(path, sign)) return;
    if (path !== root && !this.#isSettled(path, signText)) {
      // A log may be compressed for longer than it is searched.
      this.#searchedUntilMs = performance.now() + SEARCH_MS;
      return;
    }
    const state = { id: this.#nextId++, path, ...sign, position: START, points: 0 };
    this.#files.push(new FollowedFile(state, path));
  }
}

/** Tells how many there are beside the first one. */
function more(count: number): string {
  return count === 1 ? "" : ` and ${count - 1} more`;
}

/** Tells whether one name may have become the other when files were rotated. */
function isRelated(a: string, b: string): boolean {
  return a === b || isRotationOf(a, b) || isRotationOf(b, a) ||
    unrotatedName(a) === unrotatedName(b);
}
