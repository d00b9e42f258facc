/**
 * A database.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import type { RawColumns } from "../core/columns.ts";
import { uuidBytes, uuidText } from "../core/uuid.ts";
import type {
  CallOptions,
  Endpoint,
  LookupRequest,
  ServerInfo,
  StreamDescriptor,
} from "../endpoint/endpoint.ts";
import { text } from "./arguments.ts";
import type {
  AlignedCsvOptions,
  ByteSink,
  CsvExportOptions,
  ExportProgress,
  WindowsCsvOptions,
  WriteCsvOptions,
} from "./csv.ts";
import { setDisplay, withDisplay } from "./display.ts";
import { setEndpoint } from "./endpoint_of.ts";
import { objectText } from "./inspect_text.ts";
import { metadataOf, type MetadataValues } from "./pairs.ts";
import { checkOptions, type RequestOptions, startCall } from "../core/request_options.ts";
import type { DurationLike } from "../core/duration.ts";
import type { CompactReport, RetentionRule } from "../endpoint/retention.ts";
import { flatten, lazily, mapEach } from "./iterators.ts";
import type { CompactOptions, ExpireOptions, ExpireReport } from "./retention.ts";
import { compact, expire, retention, setRetention } from "./retention.ts";
import { sqlRow } from "./sql_row.ts";
import { Stream } from "./stream.ts";
import { streamsOf } from "./streams_of.ts";
import { invalidType } from "../core/argument_error.ts";

/** Options of `create`. */
export interface CreateOptions extends RequestOptions {
  /** Tags, which identify the stream in its collection. @default {{}} */
  tags?: MetadataValues | undefined;
  /** Annotations, which can change. @default {{}} */
  annotations?: MetadataValues | undefined;
}

/** Options of `lookupStreams`. */
export interface LookupOptions extends RequestOptions {
  /**
   * True if `collection` is only how the collection's name, followed by `/`, begins: `"pmu"` also
   * finds `"pmu-2"` and `"pmu/a"`, `"pmu/"` finds `"pmu"` and `"pmu/a"`.
   *
   * @default {false}
   */
  isCollectionPrefix?: boolean | undefined;
  /** Tags that a stream must have; `null` stands for any value. @default {{}} */
  tags?: MetadataValues | undefined;
  /** Annotations that a stream must have; `null` stands for any value. @default {{}} */
  annotations?: MetadataValues | undefined;
}

/** Number of streams with each key. */
export interface MetadataUsageCounts {
  /** Number of streams per tag. */
  tags: Record<string, bigint>;
  /** Number of streams per annotation. */
  annotations: Record<string, bigint>;
}

/** Points that were just inserted into a stream. */
export interface NewPoints extends RawColumns {
  /** The stream. */
  stream: Stream;
}

/**
 * A database: a cluster, an embedded file, or memory; made by {@linkcode connect}.
 *
 * Mistakes in arguments throw a `TypeError` or `RangeError` before anything is sent: at once from
 * the methods that return an iterable, as a rejection from the others.
 *
 * @example Create, find, close
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * await db.create(crypto.randomUUID(), "pmu/substation-7", { tags: { name: "L1MAG" } });
 * for await (const stream of db.lookupStreams("pmu", { isCollectionPrefix: true })) {
 *   assertEquals(await stream.tags(), { name: "L1MAG" });
 * }
 * ```
 */
export class BTrDB implements AsyncDisposable {
  readonly #endpoint: Endpoint;
  #closed: Promise<void> | undefined;

  readonly #target: string | undefined;

  /** @ignore Made by `connect`. */
  constructor(endpoint: Endpoint, target?: string) {
    this.#endpoint = endpoint;
    this.#target = target;
    setEndpoint(this, endpoint);
  }

  static {
    setDisplay(BTrDB.prototype, (db) => {
      const state = db.#closed === undefined ? undefined : "closed";
      return objectText("BTrDB", { target: db.#target, state });
    }, async (renderer, db, signal) => renderer.info(await db.info({ signal })));
  }

  /**
   * A stream by its uuid, without asking the database; `exists` says whether there is one.
   *
   * @param uuid Text form, or 16 bytes.
   * @throws {TypeError} If it is neither.
   *
   * @example No round trip
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = db.streamFromUUID("A5FBA242-74C8-4E59-AD89-C1565EE3229C");
   * assertEquals(stream.uuid, "a5fba242-74c8-4e59-ad89-c1565ee3229c");
   * ```
   */
  streamFromUUID(uuid: string | Uint8Array): Stream {
    return new Stream(this.#endpoint, uuidBytes(uuid));
  }

  /**
   * Creates a stream.
   *
   * @param uuid Text form, or 16 bytes; never used before.
   * @param collection 1 to 255 bytes.
   * @param options Tags and annotations.
   * @throws {TypeError} If an argument is of the wrong type.
   * @throws {BTrDBError} 406 if a stream with this collection and these tags exists, 429 if the
   * uuid is
   * or was in use, 407 to 409 if a name or value is invalid.
   *
   * @example With tags and annotations
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "pmu/substation-7", {
   *   tags: { name: "L1MAG", unit: "volts" },
   *   annotations: { installed: "2024-05-01" },
   * });
   * assertEquals(await stream.collection(), "pmu/substation-7");
   * ```
   */
  async create(
    uuid: string | Uint8Array,
    collection: string,
    options: CreateOptions = {},
  ): Promise<Stream> {
    const action = "create the stream";
    checkOptions(action, options);
    const request = {
      uuid: uuidBytes(uuid),
      collection: text(action, collection, "collection"),
      tags: metadataOf(action, options.tags ?? {}, "tags"),
      annotations: metadataOf(action, options.annotations ?? {}, "annotations"),
    };
    await this.#endpoint.create(request, startCall(action, options));
    return new Stream(this.#endpoint, request.uuid, { ...request, propertyVersion: 1n });
  }

  /**
   * Finds streams by collection, tags and annotations; all conditions must hold.
   *
   * @param collection The collection, or, with `isCollectionPrefix`, how its name begins.
   * @param options Conditions.
   * @returns Streams that know their metadata already.
   * @throws {TypeError} If an argument is of the wrong type.
   * @throws {BTrDBError} 407 to 409 if a name or value can not exist.
   *
   * @example Any stream that has a tag, whatever its value
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * await db.create(crypto.randomUUID(), "demo", { tags: { name: "a", unit: "volts" } });
   * await db.create(crypto.randomUUID(), "demo", { tags: { name: "b" } });
   * const found = await Array.fromAsync(db.lookupStreams("demo", { tags: { unit: null } }));
   * assertEquals(found.length, 1);
   * ```
   */
  lookupStreams(
    collection: string,
    options: LookupOptions = {},
  ): AsyncIterableIterator<Stream> {
    const action = "look up streams";
    checkOptions(action, options);
    const request = {
      collection: text(action, collection, "collection"),
      isCollectionPrefix: options.isCollectionPrefix ?? false,
      tags: metadataOf(action, options.tags ?? {}, "tags"),
      annotations: metadataOf(action, options.annotations ?? {}, "annotations"),
    };
    return this.#found(request, () => startCall(action, options));
  }

  /**
   * The collections whose names begin with a prefix: all of them, each once.
   *
   * @param prefix Beginning of the names; the empty string lists all.
   * @throws {TypeError} If `prefix` is not a string.
   * @throws {BTrDBError} 407 if no collection can begin so.
   *
   * @example Everything below `pmu/`
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * await db.create(crypto.randomUUID(), "pmu/a");
   * await db.create(crypto.randomUUID(), "weather");
   * assertEquals(await Array.fromAsync(db.listCollections("pmu/")), ["pmu/a"]);
   * ```
   */
  listCollections(prefix = "", options: RequestOptions = {}): AsyncIterableIterator<string> {
    const action = "list collections";
    checkOptions(action, options);
    return this.#collections(text(action, prefix, "prefix"), () => startCall(action, options));
  }

  /**
   * Counts the streams with each tag and each annotation.
   *
   * @param prefix Beginning of the names of their collections; the empty string takes all.
   * @throws {TypeError} If `prefix` is not a string.
   *
   * @example How many streams have a unit
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * await db.create(crypto.randomUUID(), "demo", { tags: { name: "a", unit: "volts" } });
   * await db.create(crypto.randomUUID(), "demo", { tags: { name: "b" } });
   * assertEquals((await db.getMetadataUsage("demo")).tags, { name: 2n, unit: 1n });
   * ```
   */
  async getMetadataUsage(
    prefix = "",
    options: RequestOptions = {},
  ): Promise<MetadataUsageCounts> {
    const action = "count tags and annotations";
    const call = startCall(action, options);
    const usage = await this.#endpoint.metadataUsage(text(action, prefix, "prefix"), call);
    return {
      tags: Object.fromEntries(usage.tags),
      annotations: Object.fromEntries(usage.annotations),
    };
  }

  /**
   * Runs a read-only SQL query on the metadata (protocol v5 and embedded). The table is
   * `streams(uuid, collection, name, unit, ingress, property_version, annotations)`.
   *
   * @param query One statement, with `$1`, `$2`, … for the parameters.
   * @param params Their values.
   * @returns Rows as objects.
   * @throws {TypeError} If an argument is of the wrong type.
   * @throws {BTrDBError} 441 if the query is wrong, 501 over protocol v4.
   *
   * @example Names in a collection
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * await db.create(crypto.randomUUID(), "demo", { tags: { name: "L1MAG" } });
   * const query = "SELECT name FROM streams WHERE collection = $1";
   * assertEquals(await Array.fromAsync(db.sql(query, ["demo"])), [{ name: "L1MAG" }]);
   * ```
   */
  sql(
    query: string,
    params: readonly string[] = [],
    options: RequestOptions = {},
  ): AsyncIterableIterator<Record<string, unknown>> {
    const action = "query the metadata";
    checkOptions(action, options);
    text(action, query, "query");
    if (!Array.isArray(params)) {
      throw invalidType(`Cannot ${action}: params is ${describe(params)}, expected an array`);
    }
    params.forEach((param, i) => text(action, param, `params[${i}]`));
    return this.#rows(query, params, () => startCall(action, options));
  }

  /**
   * Exports streams as one CSV in BTrDB's format: a row for each time at which any of them has a
   * point or a window.
   *
   * Points of equal time share a row, duplicates inside a stream make further rows, and where a
   * stream has nothing its cells are empty. Memory does not grow with the length. A file appears
   * under its name when it is complete, and not at all if anything fails.
   *
   * @param sink A path, a `file:` URL, a stream of bytes, which is closed at the end, or a
   * function, see
   * {@linkcode ByteSink}.
   * @param options Streams, range and format.
   * @returns Rows and bytes written.
   * @throws {TypeError | RangeError} If an option is wrong.
   * @throws {BTrDBError} 404 if a stream or version does not exist, and whatever else a query fails
   * with.
   *
   * @example The points of two streams
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const a = await db.create(crypto.randomUUID(), "demo", { tags: { name: "a" } });
   * const b = await db.create(crypto.randomUUID(), "demo", { tags: { name: "b" } });
   * await a.insert([[0n, 0.5], [1n, 1]]);
   * await b.insert([[1n, -2]]);
   *
   * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
   * const text = new Response(readable).text();
   * await db.writeCSV(writable, {
   *   queryType: "raw",
   *   start: 0n,
   *   end: 10n,
   *   streams: [{ stream: a, label: "a" }, { stream: b, label: "b" }],
   * });
   * assertEquals(
   *   await text,
   *   "Timestamp (ns),Human-Readable Time (UTC),a,b\n" +
   *     "0,1970-01-01T00:00:00Z,0.5,\n" +
   *     "1,1970-01-01T00:00:00Z,1,-2\n",
   * );
   * ```
   */
  async writeCSV(sink: ByteSink, options: WriteCsvOptions): Promise<ExportProgress> {
    const { writeCSV } = await import("./csv.ts");
    return await writeCSV(this.#endpoint, sink, options);
  }

  /** {@linkcode BTrDB.writeCSV} of raw points. */
  async rawValuesToCSV(sink: ByteSink, options: CsvExportOptions): Promise<ExportProgress> {
    return await this.writeCSV(sink, { ...options, queryType: "raw" });
  }

  /** {@linkcode BTrDB.writeCSV} of windows of 2^pointwidth ns. */
  async alignedWindowsToCSV(sink: ByteSink, options: AlignedCsvOptions): Promise<ExportProgress> {
    return await this.writeCSV(sink, { ...options, queryType: "aligned" });
  }

  /** {@linkcode BTrDB.writeCSV} of windows of any width. */
  async windowsToCSV(sink: ByteSink, options: WindowsCsvOptions): Promise<ExportProgress> {
    return await this.writeCSV(sink, { ...options, queryType: "windows" });
  }

  /**
   * Points as they are inserted, by any client, from the first read on (protocol v5 and embedded).
   * Leaving the loop ends it.
   *
   * @param streams Streams to follow.
   * @returns Batches of points, each of one stream.
   * @throws {TypeError} If `streams` is not an iterable of streams.
   * @throws {BTrDBError} 501 over protocol v4: there, `Stream.changes` finds what is new.
   *
   * @example The next points
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * setTimeout(() => stream.insert([[1n, 0.5]]), 10);
   * for await (const { stream: { uuid }, times } of db.subscribe([stream])) {
   *   assertEquals([uuid, ...times], [stream.uuid, 1n]);
   *   break;
   * }
   * ```
   */
  subscribe(
    streams: Iterable<Stream>,
    options: RequestOptions = {},
  ): AsyncIterableIterator<NewPoints> {
    const action = "subscribe";
    checkOptions(action, options);
    const known = new Map(streamsOf(action, streams).map((stream) => [stream.uuid, stream]));
    return this.#updates(known, () => startCall(action, options));
  }

  /**
   * Describes the database: versions, build, cluster and protocol.
   *
   * @example Which protocol is spoken
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * assertEquals((await db.info()).protocol, "embedded");
   * ```
   */
  async info(options: RequestOptions = {}): Promise<ServerInfo> {
    const info = await this.#endpoint.info(startCall("ask for information", options));
    const { protocol, build } = info;
    const text = objectText("ServerInfo", { protocol, build });
    return withDisplay({ ...info }, text, (renderer, it) => renderer.info(it));
  }

  /**
   * Sets the age at which the points of a collection, and of all below it, expire (embedded
   * databases). They leave all versions in the background while the database is open for writing, soon
   * after they have become older; which rule a stream has is said by the longest prefix that is its
   * collection or above it. The rule is kept in the database.
   *
   * @param collectionPrefix A collection: `"a/b"` stands for `a/b` and `a/b/c`, not for `a/bc`; the
   * empty string stands for all.
   * @param maxAge Age: ns, text such as `"90d"`, or a `Temporal.Duration`; at least a second.
   * `Infinity`: points never expire, whatever a shorter prefix says. `null` or 0 removes the rule.
   * @throws {TypeError | RangeError} If an argument is wrong.
   * @throws {BTrDBError} 407 if no collection can have the prefix, 501 where the database is not
   * embedded.
   *
   * @example A quarter of a year, and one collection that stays
   * ```ts
   * import { connect, DAY } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * await db.setRetention("pmu", "90d");
   * await db.setRetention("pmu/events", Infinity);
   * assertEquals(await db.retention(), [
   *   { prefix: "pmu", maxAge: 90n * DAY },
   *   { prefix: "pmu/events", maxAge: null },
   * ]);
   * await db.setRetention("pmu/events", null);
   * assertEquals((await db.retention()).length, 1);
   * ```
   */
  async setRetention(
    collectionPrefix: string,
    maxAge: DurationLike | null,
    options: RequestOptions = {},
  ): Promise<void> {
    await setRetention(this.#endpoint, collectionPrefix, maxAge, options);
  }

  /**
   * The rules by which points expire, in the order of their prefixes (embedded databases).
   *
   * @throws {BTrDBError} 501 where the database is not embedded.
   *
   * @example None yet
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * assertEquals(await db.retention(), []);
   * ```
   */
  async retention(options: RequestOptions = {}): Promise<RetentionRule[]> {
    return await retention(this.#endpoint, options);
  }

  /**
   * Removes the points that are too old by the rules of {@linkcode setRetention} now, instead of soon,
   * and waits until their room can be used again (embedded databases). A stream that loses points has
   * one version afterwards, the latest; explicit versions before it are 450.
   *
   * @param options With `dryRun` points are counted and stay.
   * @returns Streams and points; streams that are damaged are named.
   * @throws {BTrDBError} 501 where the database is not embedded.
   *
   * @example A point of 1970
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[0n, 1], [BigInt(Date.now()) * 1_000_000n, 2]]);
   * await db.setRetention("demo", "30d");
   * assertEquals((await db.expire({ dryRun: true })).points, 1n);
   * assertEquals((await db.expire()).points, 1n);
   * assertEquals(await stream.count(), 1n);
   * ```
   */
  async expire(options: ExpireOptions = {}): Promise<ExpireReport> {
    return await expire(this.#endpoint, options);
  }

  /**
   * Makes the file of a database smaller: returns unused space to the file
   * system, in small steps beside
   * everything else (embedded databases). An abort ends it between two steps; what is done stays done.
   *
   * @returns Sizes before and after.
   * @throws {BTrDBError} Status `REWRITE_NEEDED` if the file was made by a release that did not prepare
   * it, and `rewrite` is not set; 501 where the database is not embedded.
   *
   * @example After an obliterated stream
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assert } from "@std/assert";
   *
   * const path = `${await Deno.makeTempDir()}/grid.btrdb`;
   * await using db = await connect(`file:${path}`);
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * const times = BigInt64Array.from({ length: 100_000 }, (_, i) => BigInt(i));
   * await stream.insert({ times, values: Float64Array.from(times, Number) });
   * await stream.obliterate();
   * const { before, after } = await db.compact();
   * assert(after <= before);
   * ```
   */
  async compact(options: CompactOptions = {}): Promise<CompactReport> {
    return await compact(this.#endpoint, options);
  }

  /**
   * Finishes what is in flight and frees everything. Subscriptions, which have no end of their own,
   * end with an error. Closing twice does nothing.
   *
   * @example Without `await using`
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * const db = await connect("memory:");
   * try {
   *   assertEquals(await Array.fromAsync(db.listCollections()), []);
   * } finally {
   *   await db.close();
   * }
   * ```
   */
  async close(): Promise<void> {
    this.#closed ??= this.#endpoint.close();
    await this.#closed;
  }

  /** As {@linkcode BTrDB.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #found(request: LookupRequest, start: () => CallOptions): AsyncIterableIterator<Stream> {
    const found = lazily(() => this.#endpoint.lookupStreams(request, start()));
    return flatten(mapEach(found, (descriptors) => descriptors.map((one) => this.#known(one))));
  }

  #known(descriptor: StreamDescriptor): Stream {
    return new Stream(this.#endpoint, descriptor.uuid, descriptor);
  }

  #collections(prefix: string, start: () => CallOptions): AsyncIterableIterator<string> {
    return flatten(lazily(() => this.#endpoint.listCollections({ prefix }, start())));
  }

  #updates(
    streams: ReadonlyMap<string, Stream>,
    start: () => CallOptions,
  ): AsyncIterableIterator<NewPoints> {
    const uuids = Array.from(streams.keys(), (uuid) => uuidBytes(uuid));
    const updates = lazily(() => this.#endpoint.subscribe(uuids, start()));
    return flatten(mapEach(updates, ({ uuid, columns: { times, values } }) => {
      const stream = streams.get(uuidText(uuid));
      return stream === undefined ? [] : [{ stream, times: times.slice(), values: values.slice() }];
    }));
  }

  #rows(
    query: string,
    params: readonly string[],
    start: () => CallOptions,
  ): AsyncIterableIterator<Record<string, unknown>> {
    const rows = lazily(() => this.#endpoint.sqlQuery({ query, params }, start()));
    return flatten(mapEach(rows, (batch) => batch.map(sqlRow)));
  }
}
