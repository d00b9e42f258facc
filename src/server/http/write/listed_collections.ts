/**
 * Streams of collections, read once for several series of line protocol.
 *
 * @module
 */

import type { CallOptions, Endpoint, StreamDescriptor } from "../../../endpoint/endpoint.ts";

/** Streams of a collection up to which they are read together. */
const MAX_LISTED = 256;

/** Series that are noted in one step. */
const STEP_SERIES = 1_024;

/** Streams by their tag `name`; `undefined` if the collection has too many. */
type Listed = ReadonlyMap<string, readonly StreamDescriptor[]> | undefined;

/** A collection of some series. */
interface Collection {
  /** Series that will ask, and those that have not asked yet. */
  expected: number;
  left: number;
  listed?: Promise<Listed>;
}

/**
 * The collections of some series. A collection with one of them is not read: it can have any number
 * of others.
 */
export class ListedCollections {
  readonly #endpoint: Endpoint;
  readonly #options: CallOptions;
  readonly #collections = new Map<string, Collection>();

  /** @param options Of the lookups. */
  constructor(endpoint: Endpoint, options: CallOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /**
   * Takes note of series that will ask; yields where it may pause.
   *
   * @param collections That of each series.
   */
  *expect(collections: readonly string[]): Generator<undefined, void> {
    for (const [i, name] of collections.entries()) {
      if (i % STEP_SERIES === STEP_SERIES - 1) yield;
      const known = this.#collections.get(name);
      if (known === undefined) this.#collections.set(name, { expected: 1, left: 1 });
      else known.left = ++known.expected;
    }
  }

  /**
   * Streams of a collection with a tag `name`, asked for once by each series.
   *
   * @returns `undefined` if they have to be looked up.
   */
  async named(
    collection: string,
    name: string,
  ): Promise<readonly StreamDescriptor[] | undefined> {
    const known = this.#collections.get(collection);
    if (known === undefined || known.expected === 1) return undefined;
    const listing = known.listed ??= this.#list(collection);
    if (--known.left === 0) this.#collections.delete(collection);
    const listed = await listing;
    return listed === undefined ? undefined : listed.get(name) ?? [];
  }

  async #list(collection: string): Promise<Listed> {
    const request = {
      collection,
      isCollectionPrefix: false,
      tags: new Map<string, string>(),
      annotations: new Map<string, string>(),
    };
    const byName = new Map<string, StreamDescriptor[]>();
    let count = 0;
    for await (const some of this.#endpoint.lookupStreams(request, this.#options)) {
      count += some.length;
      if (count > MAX_LISTED) return undefined;
      for (const stream of some) {
        const name = stream.tags.get("name");
        if (typeof name !== "string") continue;
        const same = byName.get(name);
        if (same === undefined) byName.set(name, [stream]);
        else same.push(stream);
      }
    }
    return byName;
  }
}
