/**
 * Access rules of one caller, checked before and while a call is answered.
 *
 * @module
 */

import { compareUtf8 } from "../core/bytes.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { yieldToEventLoop } from "../core/pacer.ts";
import { uuidKey } from "../core/uuid.ts";
import { checkUuid } from "../endpoint/checks.ts";
import { isValidCollection } from "../endpoint/checks_metadata.ts";
import type { CallOptions, Endpoint } from "../endpoint/endpoint.ts";
import type { Capability, Grant } from "./keys.ts";
import { GrpcFailure, GrpcStatus } from "./transport/status.ts";

/** Time for which the collection of a stream is remembered, ms: a collection can change. */
const REMEMBER_MS = 2_000;

/** Most collections remembered. */
const MAX_REMEMBERED = 10_000;

/** Streams of one call that are looked at again at a time. */
const RECHECKED = 200;

/** Streams of one call whose rights are checked in one turn of the event loop, some milliseconds. */
export const CHECKED_AT_ONCE = 128;

/** Longest name that an error repeats, UTF-16 units. */
const MAX_NAME = 100;

/** Error text for a stream that the caller may not know of. */
const NO_STREAM = "user does not have permission on this stream";

/** The collections of streams, as far as they were asked for lately. */
export class CollectionCache {
  readonly #endpoint: Endpoint;
  readonly #known = new Map<string, { collection: string; untilMs: number }>();
  /** Number of times a collection was forgotten: requests made before that may be out of date. */
  #changes = 0;

  /** @param endpoint Database that knows the collections. */
  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
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
    const isFresh = known !== undefined && known.untilMs > Date.now();
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
  }

  #remember(name: string, collection: string): void {
    if (this.#known.size >= MAX_REMEMBERED) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(name, { collection, untilMs: Date.now() + REMEMBER_MS });
  }
}

/** Tells whether a text begins with a shorter one of a set. */
function hasPrefixIn(text: string, all: ReadonlySet<string>): boolean {
  for (let length = 0; length < text.length; length++) {
    if (all.has(text.slice(0, length))) return true;
  }
  return false;
}

/** Access rights of one caller. */
export class Access {
  readonly #grant: Grant;
  readonly #collections: CollectionCache;
  readonly #options: CallOptions;
  /** Streams that were allowed, by the capability demanded; only for callers kept to collections. */
  readonly #allowed = new Map<string, { capability: Capability; uuid: Uint8Array }>();
  /** Index of the next of them to be looked at again. */
  #next = 0;

  /**
   * @param grant From the key of the caller.
   * @param collections Cache of the collections of streams.
   * @param options Of the call.
   */
  constructor(grant: Grant, collections: CollectionCache, options: CallOptions) {
    this.#grant = grant;
    this.#collections = collections;
    this.#options = options;
  }

  /** True if the caller is kept to some collections. */
  get limited(): boolean {
    return this.#grant.collectionPrefixes !== undefined;
  }

  /** Tells whether the caller may know of streams in `collection`. */
  sees(collection: string): boolean {
    const prefixes = this.#grant.collectionPrefixes;
    return prefixes === undefined || prefixes.some((prefix) => collection.startsWith(prefix));
  }

  /**
   * Prefixes of all collections below a prefix that the caller may know of, in the order of the
   * collections. No collection begins with two of them.
   */
  narrowed(prefix: string): string[] {
    if (this.sees(prefix)) return [prefix];
    const longer = this.#grant.collectionPrefixes!.filter((one) =>
      one.startsWith(prefix) && isValidCollection(one)
    );
    const all = new Set(longer);
    return [...all].filter((one) => !hasPrefixIn(one, all)).sort(compareUtf8);
  }

  /**
   * Demands a capability on streams. One the caller may not know of is refused in the same words
   * whether it exists or not; callers who may do nothing at all may not know of any.
   *
   * @throws {GrpcFailure} PERMISSION_DENIED.
   * @throws {BTrDBError} 421, for a uuid that has not 16 bytes.
   */
  async stream(capability: Capability, ...uuids: readonly Uint8Array[]): Promise<void> {
    if (this.#grant.capabilities.length === 0) throw denied(NO_STREAM);
    uuids.forEach(checkUuid);
    if (this.#has(capability) && !this.limited) return;
    for (const [i, uuid] of uuids.entries()) {
      if (i % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await yieldToEventLoop();
      const sees = (collection: string) => this.sees(collection);
      const collection = await this.#collections.collectionOf(uuid, this.#options, sees);
      if (collection === undefined || !this.sees(collection)) {
        throw denied(NO_STREAM);
      }
      this.collection(capability, collection);
      this.#remember(capability, uuid);
    }
    if (!this.#has(capability)) this.#refuse(capability, "");
  }

  /**
   * Looks at some of the streams again that were allowed: one may have moved meanwhile.
   *
   * @throws {GrpcFailure} PERMISSION_DENIED.
   */
  async recheck(): Promise<void> {
    const allowed = [...this.#allowed.values()];
    for (let i = 0; i < Math.min(RECHECKED, allowed.length); i++) {
      const { capability, uuid } = allowed[this.#next++ % allowed.length]!;
      await this.stream(capability, uuid);
    }
  }

  #remember(capability: Capability, uuid: Uint8Array): void {
    const name = `${capability} ${uuidKey(uuid)}`;
    if (this.#allowed.has(name) || this.#allowed.size >= MAX_REMEMBERED) return;
    this.#allowed.set(name, { capability, uuid });
  }

  /**
   * Demands a capability, whatever the call is about.
   *
   * @throws {GrpcFailure} PERMISSION_DENIED.
   */
  capability(capability: Capability): void {
    if (this.#grant.capabilities.length === 0) throw denied(NO_STREAM);
    if (!this.#has(capability)) this.#refuse(capability, "");
  }

  /**
   * Demands a capability on a collection.
   *
   * @throws {GrpcFailure} PERMISSION_DENIED.
   */
  collection(capability: Capability, collection: string): void {
    if (!this.#has(capability) || !this.sees(collection)) this.#refuse(capability, collection);
  }

  /**
   * Demands a capability for an answer that leaves out what the caller may not see.
   *
   * @param collection Requested collection, for the error.
   * @throws {GrpcFailure} PERMISSION_DENIED.
   */
  anywhere(capability: Capability, collection: string): void {
    if (!this.#has(capability)) this.#refuse(capability, collection);
  }

  /**
   * Demands a capability on everything at once: what cannot be cut down to some collections.
   *
   * @throws {GrpcFailure} PERMISSION_DENIED.
   */
  everything(capability: Capability): void {
    if (!this.#has(capability) || this.limited) this.#refuse(capability, "");
  }

  /** Forgets where a stream is, after it may have moved. */
  moved(uuid: Uint8Array): void {
    this.#collections.forget(uuid);
  }

  #has(capability: Capability): boolean {
    return this.#grant.capabilities.includes(capability);
  }

  #refuse(capability: Capability, collection: string): never {
    const name = collection.length > MAX_NAME ? `${collection.slice(0, MAX_NAME)}…` : collection;
    throw denied(`user does not have permission "${capability}" on "${name}"`);
  }
}

function denied(text: string): GrpcFailure {
  return new GrpcFailure(GrpcStatus.PERMISSION_DENIED, text);
}
