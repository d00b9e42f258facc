/**
 * One stream of a database.
 *
 * @module
 */

import { checkObject } from "../core/check_object.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { LAST_TIME, LATEST, MAX_TIME, MIN_TIME } from "../core/range.ts";
import type { TimeLike } from "../core/time.ts";
import { uuidText } from "../core/uuid.ts";
import type {
  CallOptions,
  Endpoint,
  NearestRequest,
  PruneResult,
  StreamDescriptor,
  Version,
} from "../endpoint/endpoint.ts";
import { openAligned } from "./aligned_windows.ts";
import {
  alignedRange,
  exponent,
  legalTime,
  oneOf,
  servableRange,
  text,
  timeRange,
  versionNumber,
  windowCount,
  windowWidth,
} from "./arguments.ts";
import { openChanges } from "./changes.ts";
import type { ChangedRange } from "./changes.ts";
import { countPoints } from "./count.ts";
import { setDisplay } from "./display.ts";
import { displayedStream } from "./displayed_stream.ts";
import { objectText } from "./inspect_text.ts";
import { describeStream, type StreamDescription } from "./describe_stream.ts";
import { checkInsertOptions, type InsertOptions, insertPoints } from "./insert.ts";
import { changesOf, type MetadataValues, pairsOf } from "./pairs.ts";
import {
  checkOptions,
  remainingOf,
  type RequestOptions,
  startCall,
} from "../core/request_options.ts";
import { patchPoints } from "./patch.ts";
import type { Points } from "./points_to_columns.ts";
import { RawQuery } from "./raw_query.ts";
import { StatQuery } from "./stat_query.ts";
import type {
  CompareAndSetOptions,
  CountOptions,
  NearestOptions,
  NearestPoint,
  ReadOptions,
  TagChanges,
  WindowsOptions,
} from "./stream_options.ts";
import { compareAndSet, findDescriptor, readDescriptor } from "./compare_and_set.ts";
import { openWindows } from "./windows.ts";

/**
 * One stream: a time series with a uuid, a collection, tags and annotations. Made by
 * `BTrDB.streamFromUUID`, `BTrDB.create` and `BTrDB.lookupStreams`.
 *
 * Mistakes in arguments throw a `TypeError` or `RangeError` before anything is sent: at once from
 * the methods that return a query, as a rejection from the others. Ranges are half-open `[start,
 * end)`. Refusals of the database reject with a `BTrDBError` that carries its code.
 *
 * @example Write and read
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const stream = await db.create(crypto.randomUUID(), "pmu/substation-7", {
 *   tags: { name: "L1MAG", unit: "volts" },
 * });
 * await stream.insert([["2026-01-01T00:00:00Z", 7200.5], ["2026-01-01T00:00:01Z", 7201.5]]);
 * assertEquals(await stream.count(), 2n);
 * ```
 */
export class Stream {
  /** The stream's uuid, canonical text form. */
  readonly uuid: string;
  readonly #endpoint: Endpoint;
  readonly #uuid: Uint8Array;
  #descriptor: StreamDescriptor | undefined;

  /** @ignore Made by databases. */
  constructor(endpoint: Endpoint, uuid: Uint8Array, descriptor?: StreamDescriptor) {
    this.#endpoint = endpoint;
    this.#uuid = uuid;
    this.uuid = uuidText(uuid);
    this.#descriptor = descriptor;
  }

  static {
    setDisplay(
      Stream.prototype,
      (stream) => {
        const known = stream.#descriptor;
        const name = known?.tags.get("name") ?? undefined;
        return objectText("Stream", { uuid: stream.uuid, collection: known?.collection, name });
      },
      async (renderer, stream, signal) =>
        renderer.streams([await displayedStream(stream, signal)], 1),
    );
  }

  /**
   * Tells whether the stream exists.
   *
   * @example A stream that nobody created
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * assertEquals(await db.streamFromUUID(crypto.randomUUID()).exists(), false);
   * ```
   */
  async exists(options: RequestOptions = {}): Promise<boolean> {
    const call = startCall("look for the stream", options);
    this.#descriptor = await findDescriptor(this.#endpoint, this.#uuid, call);
    return this.#descriptor !== undefined;
  }

  /**
   * Reads collection, tags and annotations again.
   *
   * @throws {BTrDBError} 404 if the stream does not exist.
   *
   * @example See changes made by another client
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * const other = db.streamFromUUID(stream.uuid);
   * await other.setAnnotations({ note: "checked" });
   * await stream.refreshMeta();
   * assertEquals(await stream.cachedAnnotations(), [{ note: "checked" }, 2n]);
   * ```
   */
  async refreshMeta(options: RequestOptions = {}): Promise<void> {
    await this.#refresh(startCall("read the metadata", options));
  }

  /**
   * The collection the stream is in; read once, then kept until `refreshMeta`.
   *
   * @throws {BTrDBError} 404 if the stream does not exist.
   *
   * @example Where a stream is
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * assertEquals(await stream.collection(), "demo");
   * ```
   */
  async collection(options: RequestOptions = {}): Promise<string> {
    return (await this.#known(options)).collection;
  }

  /**
   * The tags, which identify the stream in its collection; read once, then kept until
   * `refreshMeta`.
   *
   * @throws {BTrDBError} 404 if the stream does not exist.
   *
   * @example What a stream is called
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo", { tags: { name: "L1MAG" } });
   * assertEquals(await stream.tags(), { name: "L1MAG" });
   * ```
   */
  async tags(options: RequestOptions = {}): Promise<MetadataValues> {
    return pairsOf((await this.#known(options)).tags);
  }

  /**
   * The annotations as they are now, and their version for `setAnnotations`.
   *
   * @returns `[annotations, version]`
   * @throws {BTrDBError} 404 if the stream does not exist.
   *
   * @example Annotations and their version
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const options = { annotations: { owner: "ann" } };
   * const stream = await db.create(crypto.randomUUID(), "demo", options);
   * const [annotations, version] = await stream.annotations();
   * assertEquals([annotations.owner, version], ["ann", 1n]);
   * ```
   */
  async annotations(
    options: RequestOptions = {},
  ): Promise<[annotations: MetadataValues, version: bigint]> {
    return annotationsOf(await this.#refresh(startCall("read the annotations", options)));
  }

  /**
   * The annotations as they were when last read; reads them only if they never were.
   *
   * @returns `[annotations, version]`
   * @throws {BTrDBError} 404 if the stream does not exist.
   *
   * @example No round trip for a stream that was looked up
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * await db.create(crypto.randomUUID(), "demo", { annotations: { owner: "ann" } });
   * for await (const stream of db.lookupStreams("demo")) {
   *   assertEquals(await stream.cachedAnnotations(), [{ owner: "ann" }, 1n]);
   * }
   * ```
   */
  async cachedAnnotations(
    options: RequestOptions = {},
  ): Promise<[annotations: MetadataValues, version: bigint]> {
    return annotationsOf(await this.#known(options));
  }

  /**
   * Sets and removes annotations; those not named stay.
   *
   * @param changes New values; `null` removes an annotation.
   * @param options With `expected`, changes only if that is still the version.
   * @returns The version of the annotations after it.
   * @throws {BTrDBError} 404 if the stream does not exist, 408 or 409 if a key or value is invalid,
   * 423
   * if `expected` is not the version.
   *
   * @example Set one, remove another
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo", { annotations: { owner: "ann" } });
   * await stream.setAnnotations({ owner: null, phase: "A" });
   * assertEquals(await stream.annotations(), [{ phase: "A" }, 2n]);
   * ```
   */
  async setAnnotations(
    changes: MetadataValues,
    options: CompareAndSetOptions = {},
  ): Promise<bigint> {
    const action = "set annotations";
    const call = startCall(action, options);
    const wanted = changesOf(action, changes, "changes");
    return await this.#change(
      action,
      options,
      call,
      (expected) => this.#endpoint.setAnnotations({ uuid: this.#uuid, expected, ...wanted }, call),
    );
  }

  /**
   * Sets and removes tags, or moves the stream to another collection (protocol v5 and embedded).
   *
   * @param changes Tags to set or remove; tags not named stay.
   * @param options With `expected`, changes only if that is still the version of the metadata.
   * @returns The version of the metadata after it.
   * @throws {BTrDBError} 404 if the stream does not exist, 406 if collection and tags would be
   *   those of
   *   another stream, 407 to 409 if a name or value is invalid, 423 if `expected` is not the version,
   *   501 over protocol v4.
   *
   * @example Rename a stream and move it
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.setTags({ tags: { name: "L2MAG" }, collection: "demo/renamed" });
   * assertEquals([await stream.tags(), await stream.collection()], [{ name: "L2MAG" }, "demo/renamed"]);
   * ```
   */
  async setTags(changes: TagChanges, options: CompareAndSetOptions = {}): Promise<bigint> {
    const action = "set tags";
    const call = startCall(action, options);
    checkObject(action, "changes", changes);
    const wanted = changesOf(action, changes.tags ?? {}, "tags");
    const collection = text(action, changes.collection ?? "", "collection");
    return await this.#change(
      action,
      options,
      call,
      (expected) =>
        this.#endpoint.setTags({ uuid: this.#uuid, expected, collection, ...wanted }, call),
    );
  }

  /**
   * The latest version: 10 for a stream without commits, then one more for each.
   *
   * @throws {BTrDBError} 404 if the stream does not exist.
   *
   * @example Each commit is a version
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * assertEquals(await stream.version(), 10n);
   * await stream.insert([[1n, 1]]);
   * await stream.flush();
   * assertEquals(await stream.version(), 11n);
   * ```
   */
  async version(options: RequestOptions = {}): Promise<bigint> {
    return (await this.fullVersion(options)).major;
  }

  /**
   * The latest version and the number of points in the write buffer. Either grows with an insert.
   *
   * @throws {BTrDBError} 404 if the stream does not exist.
   *
   * @example An insert is seen at once
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 1], [2n, 2]]);
   * assertEquals(await stream.fullVersion(), { major: 10n, minor: 2n });
   * ```
   */
  async fullVersion(options: RequestOptions = {}): Promise<Version> {
    const { version } = await this.#endpoint.streamInfo(
      { uuid: this.#uuid, omitVersion: false, omitDescriptor: true },
      startCall("read the version", options),
    );
    return version!;
  }

  /**
   * Inserts points: any order, any number. They are sorted, cut into requests the server takes, and
   * stored when the promise resolves. Each request is stored whole or not at all. A request has a
   * copy of its points; leave columns that take several requests alone until all are stored.
   *
   * @param points Columns, an iterable of `[time, value]`, or an async iterable of columns.
   * @returns The major version after it.
   * @throws {TypeError} If `points` is none of these, or the memory of columns is transferred or resized
   * before all of them are stored.
   * @throws {RangeError} If a value is not finite or a time is out of range; the message names the
   * index of the point. Nothing of that batch is stored then.
   * @throws {BTrDBError} 404 if the stream does not exist. The message says how many points are
   * stored.
   *
   * @example Columns, and what is there already stays
   * ```ts
   * import { connect, SECOND } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert({
   *   times: new BigInt64Array([2n * SECOND, SECOND]),
   *   values: new Float64Array([20, 10]),
   * });
   * await stream.insert([[SECOND, 99]], { mergePolicy: "retain" });
   * const { values } = await stream.rawValues(0n, 3n * SECOND).collect();
   * assertEquals(values, new Float64Array([10, 20]));
   * ```
   */
  async insert(points: Points, options: InsertOptions = {}): Promise<bigint> {
    checkOptions("insert", options);
    checkInsertOptions(options);
    const call = startCall("insert", options);
    return await insertPoints(this.#endpoint, this.#uuid, points, options, call);
  }

  /**
   * Inserts points and replaces whatever stands at exactly their times. Of several points with the
   * same time the last counts.
   *
   * Protocol v4 has no such operation: there, stored points at those times are deleted and the new
   * ones inserted at once; another reader may see the moment between. The replaced points stay
   * readable in the version before.
   *
   * @param points As for `insert`.
   * @returns The major version after it.
   * @throws As `insert`.
   *
   * @example Correct a value
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 1], [2n, -999]]);
   * await stream.patch([[2n, 2], [3n, 3]]);
   * const { values } = await stream.rawValues(0n, 10n).collect();
   * assertEquals(values, new Float64Array([1, 2, 3]));
   * ```
   */
  async patch(points: Points, options: RequestOptions = {}): Promise<bigint> {
    const call = startCall("patch", options);
    return await patchPoints(this.#endpoint, this.#uuid, points, call);
  }

  /**
   * Deletes the points in `[start, end)`. Older versions keep them.
   *
   * @returns The major version after it; always a new one.
   * @throws {RangeError} If the range is empty or leaves the legal times.
   * @throws {BTrDBError} 404 if the stream does not exist.
   *
   * @example The old version still has them
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 1], [2n, 2]]);
   * const version = await stream.deleteRange(2n, 3n);
   * assertEquals(await stream.count(), 1n);
   * assertEquals(await stream.count({ version: version - 1n }), 2n);
   * ```
   */
  async deleteRange(
    start: TimeLike,
    end: TimeLike,
    options: RequestOptions = {},
  ): Promise<bigint> {
    const range = servableRange("delete", timeRange("delete", start, end));
    const call = startCall("delete", options);
    return (await this.#endpoint.deleteRange({ uuid: this.#uuid, ...range }, call)).major;
  }

  /**
   * Commits what is in the write buffer.
   *
   * @returns The major version after it; the same as before if the buffer was empty.
   * @throws {BTrDBError} 404 if the stream does not exist.
   *
   * @example A version of one's own
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 1]]);
   * const version = await stream.flush();
   * await stream.insert([[2n, 2]]);
   * assertEquals(await stream.count({ version }), 1n);
   * ```
   */
  async flush(options: RequestOptions = {}): Promise<bigint> {
    return (await this.#endpoint.flush(this.#uuid, startCall("flush", options))).major;
  }

  /**
   * Removes the stream and everything in it permanently. Its uuid can never be used again.
   *
   * @throws {BTrDBError} 404 if the stream does not exist, 431 if the server does not allow it.
   *
   * @example Gone
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.obliterate();
   * assertEquals(await stream.exists(), false);
   * ```
   */
  async obliterate(options: RequestOptions = {}): Promise<void> {
    await this.#endpoint.obliterate(this.#uuid, startCall("obliterate", options));
    this.#descriptor = undefined;
  }

  /**
   * Removes the versions below one permanently, and frees the room that only they take (embedded
   * only). The versions from `keep` on answer as before.
   *
   * @param keep Oldest version to keep, at most the latest.
   * @returns Numbers of versions and blocks removed.
   * @throws {BTrDBError} 404 if the stream does not exist, 427 if `keep` is above the latest
   * version,
   * 501 on a server. Reading a removed version is 450.
   *
   * @example Keep the latest version only
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 1], [2n, 2]]);
   * await stream.deleteRange(1n, 2n);
   * const { versions } = await stream.prune(await stream.version());
   * assertEquals([versions, await stream.count()], [1, 1n]);
   * ```
   */
  async prune(keep: bigint, options: RequestOptions = {}): Promise<PruneResult> {
    const action = "prune";
    versionNumber(action, keep, "keep");
    const call = startCall(action, options);
    if (this.#endpoint.prune === undefined) {
      throw new BTrDBError("Cannot prune: only embedded databases can", {
        code: ErrorCode.NotImplemented,
        uuid: this.uuid,
      });
    }
    return await this.#endpoint.prune(this.#uuid, keep, call);
  }

  /**
   * The points in `[start, end)`, in order of time; those of equal time in the order in which they
   * were inserted.
   *
   * @param start First moment.
   * @param end End, exclusive.
   * @throws {RangeError} If the range is empty or leaves the legal times.
   *
   * @example Batch by batch, in constant memory
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 0.5], [2n, 1.5], [3n, 2.5]]);
   * let sum = 0;
   * for await (const { values } of stream.rawValues(1n, 3n)) {
   *   for (const value of values) sum += value;
   * }
   * assertEquals(sum, 2);
   * ```
   */
  rawValues(start: TimeLike, end: TimeLike, options: ReadOptions = {}): RawQuery {
    const action = "read raw values";
    const range = servableRange(action, timeRange(action, start, end));
    const version = this.#version(action, options);
    return new RawQuery(
      action,
      (chunk) =>
        this.#endpoint.rawValues(
          { uuid: this.#uuid, ...range, version, chunk },
          startCall(action, options),
        ),
    );
  }

  /**
   * Statistics of windows of 2^pointwidth ns that begin at multiples of it. `start` and `end` are
   * rounded down to such multiples; windows without points are left out. This is the cheapest way
   * to read a long range: the database keeps these windows ready.
   *
   * @param start First moment.
   * @param end End, exclusive.
   * @param pointwidth 0 to 63; {@linkcode pointwidthOf} finds it for a duration.
   * @throws {RangeError} If the range holds no such window or leaves the legal times, or
   * `pointwidth` is out of range.
   *
   * @example Windows of 2^30 ns, about a second
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[0n, 1], [1n, 3], [1n << 30n, 5]]);
   * const windows = await stream.alignedWindows(0n, 1n << 31n, 30).collect();
   * assertEquals(windows.times, new BigInt64Array([0n, 1n << 30n]));
   * assertEquals(windows.mean, new Float64Array([2, 5]));
   * ```
   */
  alignedWindows(
    start: TimeLike,
    end: TimeLike,
    pointwidth: number,
    options: ReadOptions = {},
  ): StatQuery {
    const action = "read aligned windows";
    exponent(action, pointwidth, "pointwidth");
    const range = alignedRange(action, timeRange(action, start, end), pointwidth);
    const version = this.#version(action, options);
    const request = { uuid: this.#uuid, ...range, version, pointwidth };
    return new StatQuery(action, options, (call) => openAligned(this.#endpoint, request, call));
  }

  /**
   * Statistics of the windows `[start + k·width, start + (k + 1)·width)`; `end` is rounded down to
   * a whole window. Every window is there: those without points have count 0.
   *
   * @param start Start of the first window.
   * @param end End, exclusive.
   * @param width ns, at least 1.
   * @throws {RangeError} If the range holds no whole window or leaves the legal times, or an
   * argument is out of range.
   *
   * @example Windows of any width, from any moment
   * ```ts
   * import { connect, MILLISECOND } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[0n, 1], [20n * MILLISECOND, 3], [40n * MILLISECOND, 8]]);
   * const end = 120n * MILLISECOND;
   * const windows = await stream.windows(0n, end, 40n * MILLISECOND).collect();
   * assertEquals(windows.mean, new Float64Array([2, 8, 0]));
   * assertEquals(windows.count, new BigUint64Array([2n, 1n, 0n]));
   * ```
   */
  windows(
    start: TimeLike,
    end: TimeLike,
    width: bigint | number,
    options: WindowsOptions = {},
  ): StatQuery {
    const action = "read windows";
    checkOptions(action, options);
    const { depth = 0, compute = "auto" } = options;
    const range = timeRange(action, start, end);
    const plan = {
      uuid: this.#uuid,
      start: range.start,
      width: windowWidth(action, width),
      n: windowCount(action, range, width),
      depth: exponent(action, depth, "depth"),
      compute: oneOf(action, compute, "compute", ["auto", "server", "client"]),
      version: this.#version(action, options),
    };
    return new StatQuery(action, options, (call) => openWindows(this.#endpoint, plan, call));
  }

  /**
   * The first point at or after a time, or, with `backward`, the last one strictly before it.
   *
   * @param time From `MIN_TIME` to before `MAX_TIME`.
   * @returns The point and the version it was read from, or `null` if there is none.
   * @throws {RangeError} If `time` is out of range.
   * @throws {BTrDBError} 404 if the stream or version does not exist.
   *
   * @example Both ways
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[10n, 1], [20n, 2]]);
   * assertEquals((await stream.nearest(10n))?.time, 10n);
   * assertEquals((await stream.nearest(20n, { backward: true }))?.time, 10n);
   * assertEquals(await stream.nearest(21n), null);
   * ```
   */
  async nearest(time: TimeLike, options: NearestOptions = {}): Promise<NearestPoint | null> {
    const action = "find the nearest point";
    const request = {
      uuid: this.#uuid,
      time: legalTime(action, time),
      version: this.#version(action, options),
      backward: options.backward ?? false,
    };
    return await this.#nearest(request, startCall(action, options));
  }

  /**
   * The first point of the stream, or `null` if it is empty.
   *
   * @example When a stream begins
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[7n, 1], [9n, 2]]);
   * assertEquals((await stream.earliest())?.time, 7n);
   * ```
   */
  async earliest(options: ReadOptions = {}): Promise<NearestPoint | null> {
    return await this.nearest(MIN_TIME, { ...options, backward: false });
  }

  /**
   * The last point of the stream, or `null` if it is empty.
   *
   * @example The newest value
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[7n, 1], [9n, 2]]);
   * assertEquals((await stream.latest())?.value, 2);
   * ```
   */
  async latest(options: ReadOptions = {}): Promise<NearestPoint | null> {
    return await this.nearest(LAST_TIME, { ...options, backward: true });
  }

  /**
   * The number of points, exact, from at most three cheap requests.
   *
   * @param options The range; all times when left out.
   * @throws {RangeError} If the range is empty or leaves the legal times.
   * @throws {BTrDBError} 404 if the stream or version does not exist.
   *
   * @example All points, and those of a range
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[-1n, 1], [0n, 2], [5n, 3]]);
   * assertEquals(await stream.count(), 3n);
   * assertEquals(await stream.count({ start: 0n, end: 5n }), 1n);
   * ```
   */
  async count(options: CountOptions = {}): Promise<bigint> {
    const action = "count points";
    checkOptions(action, options);
    const range = timeRange(action, options.start ?? MIN_TIME, options.end ?? MAX_TIME);
    const version = this.#version(action, options);
    const call = startCall(action, options);
    return await countPoints(this.#endpoint, { uuid: this.#uuid, version }, range, call);
  }

  /**
   * Describes the stream: name, unit, first and last point, number of points and typical step.
   * Costs a handful of small requests, however long the stream is.
   *
   * @throws {BTrDBError} 404 if the stream or version does not exist.
   *
   * @example Ten samples a second
   * ```ts
   * import { connect, MILLISECOND } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const tags = { name: "L1MAG", unit: "volts" };
   * const stream = await db.create(crypto.randomUUID(), "demo", { tags });
   * await stream.insert([0n, 1n, 2n, 7n, 8n].map((i) => [i * 100n * MILLISECOND, 1] as const));
   * const { name, unit, count, step, last } = await stream.describe();
   * assertEquals([name, unit, count, step], ["L1MAG", "volts", 5n, 100n * MILLISECOND]);
   * assertEquals(last?.time, 800n * MILLISECOND);
   * ```
   */
  async describe(options: ReadOptions = {}): Promise<StreamDescription> {
    const action = "describe the stream";
    this.#version(action, options);
    return await describeStream(this, remainingOf(action, options));
  }

  /**
   * Ranges in which points changed between two versions: in those after `fromVersion`, up to and
   * including `toVersion`.
   *
   * @param fromVersion Version that is known already.
   * @param toVersion Version wanted; 0 for the latest, points in the write buffer included.
   * @param resolution Ranges are rounded out to 2^resolution ns or more, 0 to 63: coarser is
   * cheaper.
   * @returns Ranges, ascending, not touching each other; they may be wider than what changed.
   * @throws {RangeError} If `fromVersion` is above `toVersion`, or an argument is out of range.
   *
   * @example What a second insert touched
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assert } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 1]]);
   * const known = await stream.flush();
   * await stream.insert([[1000n, 2]]);
   * for await (const { start, end } of stream.changes(known, await stream.flush(), 0)) {
   *   assert(start <= 1000n && end > 1000n);
   * }
   * ```
   */
  changes(
    fromVersion: bigint,
    toVersion: bigint,
    resolution: number,
    options: RequestOptions = {},
  ): AsyncIterableIterator<ChangedRange> {
    const action = "read changes";
    const request = {
      uuid: this.#uuid,
      from: versionNumber(action, fromVersion, "fromVersion"),
      to: versionNumber(action, toVersion, "toVersion"),
      resolution: exponent(action, resolution, "resolution"),
    };
    checkOptions(action, options);
    return openChanges(this.#endpoint, request, () => startCall(action, options));
  }

  #version(action: string, options: ReadOptions): bigint {
    checkOptions(action, options);
    return versionNumber(action, options.version ?? LATEST);
  }

  async #known(options: RequestOptions): Promise<StreamDescriptor> {
    const call = startCall("read the metadata", options);
    return this.#descriptor ?? await this.#refresh(call);
  }

  async #refresh(call: CallOptions): Promise<StreamDescriptor> {
    this.#descriptor = await readDescriptor(this.#endpoint, this.#uuid, call);
    return this.#descriptor;
  }

  async #change(
    action: string,
    options: CompareAndSetOptions,
    call: CallOptions,
    attempt: (expected: bigint) => Promise<void>,
  ): Promise<bigint> {
    const { expected } = options;
    if (expected !== undefined) versionNumber(action, expected, "expected");
    const current = async () => (await this.#refresh(call)).propertyVersion;
    try {
      return await compareAndSet(action, expected, attempt, current, call);
    } finally {
      this.#descriptor = undefined;
    }
  }

  async #nearest(request: NearestRequest, call: CallOptions): Promise<NearestPoint | null> {
    try {
      const { point, version } = await this.#endpoint.nearest(request, call);
      return { time: point.time, value: point.value, version: version.major };
    } catch (error) {
      if (error instanceof BTrDBError && isNoPoint(error.code)) return null;
      throw error;
    }
  }
}

function annotationsOf(
  descriptor: StreamDescriptor,
): [annotations: MetadataValues, version: bigint] {
  return [pairsOf(descriptor.annotations), descriptor.propertyVersion];
}

function isNoPoint(code: number): boolean {
  return code === ErrorCode.NoSuchPoint || code === ErrorCode.StreamEmpty;
}
