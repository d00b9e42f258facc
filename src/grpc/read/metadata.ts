/**
 * Reads of metadata: lookups, collections and usage counts (docs/protocol.md, "Metadata" and
 * "Quirks of real servers").
 *
 * @module
 */

import { compareBytes } from "../../core/bytes.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import type { BTrDBError } from "../../core/errors.ts";
import {
  checkListCollections,
  checkLookup,
  MAX_LIST_LIMIT,
  quote,
} from "../../endpoint/checks_metadata.ts";
import type {
  CallOptions,
  ListCollectionsRequest,
  LookupRequest,
  Metadata,
  MetadataUsage,
  StreamDescriptor,
} from "../../endpoint/endpoint.ts";
import {
  ListCollectionsParamsSchema,
  ListCollectionsResponseSchema,
  MetadataUsageParamsSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { Caller, CallSpec } from "../call/caller.ts";
import type { MetadataCodec } from "../wire/metadata_codec.ts";
import { checkStat, wrongAnswer } from "../errors.ts";
import { checkStream, isBelow, isInside } from "./check_answer.ts";
import { DrainedLookup } from "./drained_lookup.ts";
import { LookupParts } from "./lookup_parts.ts";
import { KeptMemory, SeenStreams } from "./kept_memory.ts";
import type { ServerKind } from "../server_kind.ts";
import { checkFields, decodeMessage } from "../wire/decode_message.ts";

/** Names of one batch where the server does not page. */
const BATCH_NAMES = 10_000;
/** Streams of one batch of a lookup that was filtered here. */
const BATCH_STREAMS = 1000;

const encoder = new TextEncoder();

/** Reads metadata of one connection. */
export class MetadataReads {
  readonly #caller: Caller;
  readonly #codec: MetadataCodec;
  readonly #kind: ServerKind;

  constructor(caller: Caller, codec: MetadataCodec, kind: ServerKind) {
    this.#caller = caller;
    this.#codec = codec;
    this.#kind = kind;
  }

  /** See `Endpoint.lookupStreams`. */
  async *lookup(
    request: LookupRequest,
    options: CallOptions,
  ): AsyncGenerator<StreamDescriptor[], void, undefined> {
    checkLookup(request);
    if (!this.#kind.quirks) return yield* this.#lookup(request, false, options);
    const { sent, drain } = saferLookup(request);
    if (sent !== request) return yield* this.#filtered(sent, request, options);
    for await (const batch of this.#lookup(sent, drain, options)) {
      const wanted = batch.filter((found) => matches(found, request));
      if (wanted.length > 0) yield wanted;
    }
  }

  /**
   * The streams that `sent` finds and that meet `request`, in the order of a lookup with filters.
   */
  async *#filtered(
    sent: LookupRequest,
    request: LookupRequest,
    options: CallOptions,
  ): AsyncGenerator<StreamDescriptor[], void, undefined> {
    const wanted: StreamDescriptor[] = [];
    const kept = new KeptMemory({ rpc: "LookupStreams" });
    for await (const batch of this.#lookup(sent, false, options)) {
      for (const found of batch) {
        if (!matches(found, request)) continue;
        kept.add(
          found.collection,
          ...[found.tags, found.annotations].flatMap((map) => [...map].flat()),
        );
        wanted.push(found);
      }
    }
    const keys = new Map(wanted.map((found) => [found, orderKey(found)]));
    wanted.sort((a, b) => compareBytes(keys.get(a)!, keys.get(b)!));
    for (let at = 0; at < wanted.length; at += BATCH_STREAMS) {
      yield wanted.slice(at, at + BATCH_STREAMS);
    }
  }

  /** A lookup that begins anew when it breaks, and leaves out what has been yielded. */
  async *#lookup(
    request: LookupRequest,
    drain: boolean,
    options: CallOptions,
  ): AsyncGenerator<StreamDescriptor[], void, undefined> {
    const spec: CallSpec = { rpc: "LookupStreams", anyNode: true, options };
    const message = this.#codec.lookup(request);
    const seen = new SeenStreams();
    yield* this.#caller.stream(spec, {
      open: async (attempt) => {
        const call = drain
          ? await DrainedLookup.start(this.#caller, spec, message, attempt)
          : await this.#caller.open(spec, message, attempt);
        return new LookupParts(call, spec, (bytes) => checkFields(this.#codec.lookupAnswer, bytes));
      },
      read: (bytes) => {
        const found = this.#codec.decodeLookup(bytes, spec, checkFields).filter((stream) => {
          const { uuid } = stream;
          checkStream(uuid, spec);
          if (!this.#kind.quirks && !matches(stream, request)) {
            throw other(stream.collection, spec);
          }
          return seen.add(uuid);
        });
        return found.length > 0 ? found : undefined;
      },
      recover(error) {
        if (seen.isOver) throw error;
        return false;
      },
    });
  }

  /** See `Endpoint.listCollections`. */
  async *collections(
    request: ListCollectionsRequest,
    options: CallOptions,
  ): AsyncGenerator<string[], void, undefined> {
    checkListCollections(request);
    const { collectionsPage } = this.#codec;
    const pages = collectionsPage !== undefined
      ? this.#pages(request, options, collectionsPage)
      : this.#sorted(request, options);
    yield* pages;
  }

  /**
   * v4: page after page, until one is empty. A page can be short of the limit although there are
   * more: front ends take out what the caller may not see after the page was made.
   */
  async *#pages(
    { prefix, startWith = prefix, limit = Infinity }: ListCollectionsRequest,
    options: CallOptions,
    collectionsPage: NonNullable<MetadataCodec["collectionsPage"]>,
  ): AsyncGenerator<string[], void, undefined> {
    const spec: CallSpec = { rpc: "ListCollections", anyNode: true, options };
    let left = limit;
    let from = startWith;
    const decode = (bytes: Uint8Array) => {
      const names = decodeNames(bytes, spec, prefix);
      checkPage(names, from, Math.min(left, MAX_LIST_LIMIT), spec);
      return names;
    };
    while (left > 0) {
      const message = collectionsPage(prefix, from, Math.min(left, MAX_LIST_LIMIT));
      const names = await this.#caller.unary(spec, message, decode);
      if (names.length === 0) return;
      yield names;
      left -= names.length;
      from = `${names[names.length - 1]}/\0`;
    }
  }

  /** v5: one answer in any order, so it is sorted here. */
  async *#sorted(
    { prefix, startWith = "", limit = Infinity }: ListCollectionsRequest,
    options: CallOptions,
  ): AsyncGenerator<string[], void, undefined> {
    const names = [...await this.#allNames(prefix, options)]
      .map((name) => ({ name, key: encoder.encode(`${name}/`) }))
      .sort((a, b) => compareBytes(a.key, b.key));
    const first = encoder.encode(startWith);
    const from = names.findIndex(({ key }) => compareBytes(key, first) >= 0);
    if (from < 0) return;
    const to = Math.min(names.length, from + limit);
    for (let at = from; at < to; at += BATCH_NAMES) {
      yield names.slice(at, Math.min(to, at + BATCH_NAMES)).map(({ name }) => name);
    }
  }

  async #allNames(prefix: string, options: CallOptions): Promise<Set<string>> {
    const spec: CallSpec = { rpc: "ListCollections", anyNode: true, options };
    const params = create(ListCollectionsParamsSchema, { prefix });
    const message = toBinary(ListCollectionsParamsSchema, params);
    const batches = this.#caller.stream(spec, {
      open: (attempt) => this.#caller.open(spec, message, attempt),
      read: (bytes) => decodeNames(bytes, spec, prefix),
    });
    const names = new Set<string>();
    const kept = new KeptMemory(spec);
    for await (const batch of batches) {
      for (const name of batch) {
        if (names.has(name)) continue;
        kept.add(name);
        names.add(name);
      }
    }
    return names;
  }

  /** See `Endpoint.metadataUsage`. Counted here where the server would die of the question. */
  async usage(prefix: string, options: CallOptions): Promise<MetadataUsage> {
    checkListCollections({ prefix });
    if (!this.#kind.metadataUsage) return await this.#countUsage(prefix, options);
    const spec: CallSpec = { rpc: "GetMetadataUsage", anyNode: true, options };
    const message = create(MetadataUsageParamsSchema, { prefix });
    const decode = (bytes: Uint8Array) => this.#codec.decodeMetadataUsage(bytes, spec, checkFields);
    return await this.#caller.unary(spec, toBinary(MetadataUsageParamsSchema, message), decode);
  }

  /** Counts the keys of a lookup (quirk `metadata-usage-annotations`). */
  async #countUsage(prefix: string, options: CallOptions): Promise<MetadataUsage> {
    const none: Metadata = new Map();
    const request = { collection: prefix, isCollectionPrefix: true, tags: none, annotations: none };
    const usage = { tags: new Map<string, bigint>(), annotations: new Map<string, bigint>() };
    const kept = new KeptMemory({ rpc: "LookupStreams" });
    for await (const batch of this.lookup(request, options)) {
      for (const { collection, tags, annotations } of batch) {
        if (!collection.startsWith(prefix)) continue;
        for (const key of tags.keys()) countKey(usage.tags, key, kept);
        for (const key of annotations.keys()) countKey(usage.annotations, key, kept);
      }
    }
    return usage;
  }
}

function countKey(counts: Map<string, bigint>, key: string, kept: KeptMemory): void {
  const count = counts.get(key);
  if (count === undefined) kept.add(key);
  counts.set(key, (count ?? 0n) + 1n);
}

/**
 * The lookup that is safe to send to a real server instead of `request`. A filtered lookup can kill
 * it when the collection has a `/` in it, and never ends when it is cancelled: the first is
 * asked without filters, the second is read to its end (`drain`).
 */
function saferLookup(request: LookupRequest): { sent: LookupRequest; drain: boolean } {
  const filtered = request.tags.size > 0 || request.annotations.size > 0;
  if (!filtered) return { sent: request, drain: false };
  if (!request.collection.includes("/")) return { sent: request, drain: true };
  return { sent: { ...request, tags: new Map(), annotations: new Map() }, drain: false };
}

/**
 * Tells whether a stream meets the conditions of a lookup (quirks `lookup-exact-subcollections` and
 * `lookup-prefix-into-tags`).
 */
function matches(found: StreamDescriptor, request: LookupRequest): boolean {
  return isInside(found, request) && hasAll(found.tags, request.tags) &&
    hasAll(found.annotations, request.annotations);
}

/** The bytes by which filtered lookups are in order: collection, `/`, uuid. */
function orderKey({ collection, uuid }: StreamDescriptor): Uint8Array {
  const name = encoder.encode(`${collection}/`);
  const key = new Uint8Array(name.length + uuid.length);
  key.set(name);
  key.set(uuid, name.length);
  return key;
}

function hasAll(metadata: Metadata, conditions: Metadata): boolean {
  for (const [key, value] of conditions) {
    if (!metadata.has(key) || (value !== null && metadata.get(key) !== value)) return false;
  }
  return true;
}

function decodeNames(bytes: Uint8Array, spec: CallSpec, prefix: string): string[] {
  const { stat, collections } = decodeMessage(ListCollectionsResponseSchema, bytes);
  checkStat(stat, spec);
  for (const name of collections) if (!isBelow(name, prefix)) throw other(name, spec);
  return collections;
}

/** The error of a collection that was not asked for. */
function other(collection: string, spec: CallSpec): BTrDBError {
  return wrongAnswer(`it has ${quote(collection)}`, spec);
}

/** Names of a page go on from where it was asked for, and are no more: a server may repeat itself. */
function checkPage(names: readonly string[], from: string, limit: number, spec: CallSpec): void {
  let last = encoder.encode(from);
  for (const [i, name] of names.entries()) {
    const key = encoder.encode(`${name}/`);
    if (i >= limit || compareBytes(key, last) < 0) {
      throw other(name, spec);
    }
    last = key;
  }
}
