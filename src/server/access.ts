/**
 * Access rules of one caller, checked before and while a call is answered.
 *
 * @module
 */

import { compareUtf8 } from "../core/bytes.ts";
import { yieldToEventLoop } from "../core/pacer.ts";
import { uuidKey } from "../core/uuid.ts";
import { checkUuid } from "../endpoint/checks.ts";
import { isValidCollection } from "../endpoint/checks_metadata.ts";
import type { CallOptions } from "../endpoint/endpoint.ts";
import type { CollectionCache } from "./collection_cache.ts";
import type { Capability, Grant } from "./keys.ts";
import { GrpcFailure, GrpcStatus } from "./transport/status.ts";

/** Most streams of a call that are looked at again. */
const MAX_ALLOWED = 100_000;

/** Streams of one call whose rights are checked in one turn of the event loop, some milliseconds. */
export const CHECKED_AT_ONCE = 128;

/** The same of streams that are looked at again, beside everything else. */
const RECHECKED_AT_ONCE = 64;

/** Longest name that an error repeats, UTF-16 units. */
const MAX_NAME = 100;

/** Error text for a stream that the caller may not know of. */
const NO_STREAM = "user does not have permission on this stream";

/** Tells whether a text begins with a shorter one of a set. */
function hasPrefixIn(text: string, all: ReadonlySet<string>): boolean {
  for (let length = 0; length < text.length; length++) {
    if (all.has(text.slice(0, length))) return true;
  }
  return false;
}

/** A stream of a call, and the capabilities that were demanded on it. */
interface Allowed {
  readonly uuid: Uint8Array;
  readonly capabilities: readonly Capability[];
}

/** Access rights of one caller. */
export class Access {
  readonly #grant: Grant;
  readonly #collections: CollectionCache;
  readonly #options: CallOptions;
  /** Streams that were allowed, the next one to be looked at first; only for callers kept to collections. */
  readonly #allowed = new Map<string, Allowed>();

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
   * @param most Number of streams; the next call goes on with others.
   * @throws {GrpcFailure} PERMISSION_DENIED.
   */
  async recheck(most: number): Promise<void> {
    const some: [string, Allowed][] = [];
    for (const entry of this.#allowed) {
      if (some.length === most) break;
      some.push(entry);
    }
    for (const [i, [name, allowed]] of some.entries()) {
      if (i % RECHECKED_AT_ONCE === RECHECKED_AT_ONCE - 1) await yieldToEventLoop();
      if (!this.#allowed.delete(name)) continue;
      this.#allowed.set(name, allowed);
      await this.#again(allowed);
    }
  }

  /**
   * Looks at a stream again, if it was allowed.
   *
   * @throws {GrpcFailure} PERMISSION_DENIED.
   */
  async recheckStream(uuid: Uint8Array): Promise<void> {
    const allowed = this.#allowed.get(uuidKey(uuid));
    if (allowed !== undefined) await this.#again(allowed);
  }

  /** Takes note that a call does not use streams any more. */
  release(uuids: readonly Uint8Array[]): void {
    if (this.#allowed.size === 0) return;
    for (const uuid of uuids) this.#allowed.delete(uuidKey(uuid));
  }

  async #again({ uuid, capabilities }: Allowed): Promise<void> {
    for (const capability of capabilities) await this.stream(capability, uuid);
  }

  #remember(capability: Capability, uuid: Uint8Array): void {
    const name = uuidKey(uuid);
    const { capabilities = [] } = this.#allowed.get(name) ?? {};
    if (capabilities.includes(capability)) return;
    if (capabilities.length === 0 && this.#allowed.size >= MAX_ALLOWED) return;
    this.#allowed.set(name, { uuid, capabilities: [...capabilities, capability] });
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
