/**
 * Collections of streams, which decide who may do what with them.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { OldestFirst } from "../core/oldest_first.ts";
import { uuidKey } from "../core/uuid.ts";
import type { CallOptions, Endpoint } from "../endpoint/endpoint.ts";

/** Time for which the collection of a stream is remembered, ms: a collection can change. */
const REMEMBER_MS = 2_000;

/** Most collections remembered. */
const MAX_REMEMBERED = 10_000;

interface Known {
  readonly collection: string;
  /** When it is out of date, as `performance.now()` counts. */
  readonly untilMs: number;
}

/** The collections of streams, as far as they were asked for lately. */
export class CollectionCache {
  readonly #endpoint: Endpoint;
  /** Times are those of `performance.now()`, which is never set back. */
  readonly #known = new Map<string, Known>();
  readonly #oldest: OldestFirst<string, Known> = new OldestFirst(this.#known);
  /** Number of times a collection was forgotten: requests made before that may be out of date. */
  #changes = 0;
  readonly #onForget: (uuid: Uint8Array) => void;

  /**
   * @param endpoint Database that knows the collections.
   * @param onForget Told of streams that are forgotten.
   */
  constructor(endpoint: Endpoint, onForget: (uuid: Uint8Array) => void = () => {}) {
    this.#endpoint = endpoint;
    this.#onForget = onForget;
  }

  /**
   * The collection of a stream.
   *
   * @param sees Tells whether the caller may know of streams in a collection. One of another is asked
   * for each time, as one that does not exist is, so that the time taken tells neither from the other.
   * @returns Its name, or undefined if there is no such stream.
   */
  async collectionOf(
    uuid: Uint8Array,
    options: CallOptions,
    sees: (collection: string) => boolean,
  ): Promise<string | undefined> {
    const name = uuidKey(uuid);
    const known = this.#known.get(name);
    const isFresh = known !== undefined && known.untilMs > performance.now();
    if (isFresh && sees(known.collection)) return known.collection;
    if (!isFresh) this.#known.delete(name);
    const changes = this.#changes;
    try {
      const request = { uuid, omitVersion: true, omitDescriptor: false };
      const { descriptor } = await this.#endpoint.streamInfo(request, options);
      if (descriptor === undefined) return undefined;
      if (changes === this.#changes) this.#remember(name, descriptor.collection);
      return descriptor.collection;
    } catch (error) {
      if (error instanceof BTrDBError && error.code === ErrorCode.NoSuchStream) return undefined;
      throw error;
    }
  }

  /** Forgets a stream whose collection may have changed. */
  forget(uuid: Uint8Array): void {
    this.#changes++;
    this.#known.delete(uuidKey(uuid));
    this.#onForget(uuid);
  }

  #remember(name: string, collection: string): void {
    if (this.#known.size >= MAX_REMEMBERED) {
      const oldest = this.#oldest.next();
      if (oldest !== undefined) this.#known.delete(oldest[0]);
    }
    this.#known.set(name, { collection, untilMs: performance.now() + REMEMBER_MS });
    this.#oldest.added();
  }
}
