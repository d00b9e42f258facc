/**
 * All streams of the server, by collection, with search.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import { type NamedStream, nameStream } from "../../client/named_stream.ts";

/** Most streams that are listed; the rest is found by the beginning of its collection. */
export const MAX_LISTED = 250_000;

/** Streams read between two looks at the page, so that it stays alive. */
const BATCH = 2_000;

/** A folder of the tree: a part of the names of collections. */
export interface Folder {
  /** The part between two slashes. */
  readonly name: string;
  /** Path from the root. */
  readonly path: string;
  readonly folders: Map<string, Folder>;
  readonly streams: NamedStream[];
  /** Streams in it and below. */
  size: number;
}

function emptyFolder(name: string, path: string): Folder {
  return { name, path, folders: new Map(), streams: [], size: 0 };
}

/** The streams of a server. */
export class Catalog {
  /** The tree. */
  readonly root: Folder = emptyFolder("", "");
  /** True if there are more streams than are listed. */
  isCut = false;
  readonly #all: NamedStream[] = [];
  readonly #texts: string[] = [];
  readonly #byUuid = new Map<string, NamedStream>();

  /** Number of streams listed. */
  get size(): number {
    return this.#all.length;
  }

  /** A stream that is listed. */
  find(uuid: string): NamedStream | undefined {
    return this.#byUuid.get(uuid);
  }

  /** The first streams. */
  first(count: number): readonly NamedStream[] {
    return this.#all.slice(0, count);
  }

  /**
   * Reads the streams of a database.
   *
   * @param onProgress Called between batches.
   */
  async load(db: BTrDB, onProgress: () => void): Promise<void> {
    const found = db.lookupStreams("", { isCollectionPrefix: true });
    for await (const stream of found) {
      if (this.#all.length >= MAX_LISTED) {
        this.isCut = true;
        break;
      }
      this.add(await nameStream(stream));
      if (this.#all.length % BATCH === 0) onProgress();
    }
    sortFolder(this.root);
    onProgress();
  }

  /** Reads one stream of a database, before all others are known. */
  async loadOne(db: BTrDB, uuid: string): Promise<void> {
    this.add(await nameStream(db.streamFromUUID(uuid)));
  }

  /** Adds a stream. */
  add(stream: NamedStream): void {
    if (this.#byUuid.has(stream.uuid)) return;
    this.#byUuid.set(stream.uuid, stream);
    this.#all.push(stream);
    this.#texts.push(`${stream.path} ${stream.unit ?? ""} ${stream.uuid}`.toLowerCase());
    let folder = this.root;
    folder.size++;
    for (const part of stream.collection.split("/")) {
      let next = folder.folders.get(part);
      if (next === undefined) {
        next = emptyFolder(part, folder.path === "" ? part : `${folder.path}/${part}`);
        folder.folders.set(part, next);
      }
      folder = next;
      folder.size++;
    }
    folder.streams.push(stream);
  }

  /**
   * The streams whose path, unit or uuid holds all words, in any order.
   *
   * @param text Words, separated by blanks; case does not matter.
   */
  search(text: string): NamedStream[] {
    const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const found: NamedStream[] = [];
    for (let i = 0; i < this.#texts.length; i++) {
      const candidate = this.#texts[i]!;
      if (words.every((word) => candidate.includes(word))) found.push(this.#all[i]!);
    }
    return found;
  }
}

const ORDER = new Intl.Collator("en", { numeric: true });

function sortFolder(folder: Folder): void {
  const folders = [...folder.folders].sort(([a], [b]) => ORDER.compare(a, b));
  folder.folders.clear();
  for (const [name, child] of folders) {
    folder.folders.set(name, child);
    sortFolder(child);
  }
  folder.streams.sort((a, b) => ORDER.compare(a.name ?? a.uuid, b.name ?? b.uuid));
}
