/**
 * Several streams as one.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import { LATEST } from "../core/range.ts";
import type { TimeLike } from "../core/time.ts";
import { uuidBytes, uuidText } from "../core/uuid.ts";
import { positiveInteger, versionNumber } from "./arguments.ts";
import type { RawBatch, StatBatch } from "./batch.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import type { RequestOptions } from "./options.ts";
import { type MergedRow, mergeRows } from "./merge_rows.ts";
import type { Stream } from "./stream.ts";
import type { CountOptions, NearestPoint, WindowsOptions } from "./stream_options.ts";

/** Options of a set of streams. */
export interface StreamSetOptions {
  /** Requests under way at a time. @default {16} */
  concurrency?: number | undefined;
}

/** Options of `pinVersions`. */
export interface PinOptions extends RequestOptions {
  /**
   * Versions by uuid, for some or all of the streams.
   *
   * @default {undefined} the latest of each
   */
  versions?: ReadonlyMap<string, bigint> | undefined;
  /**
   * Commit what is in the write buffers first: explicit versions do not contain it.
   *
   * @default {false}
   */
  flush?: boolean | undefined;
}

/** Options of `windows` of a set. */
export type SetWindowsOptions = Omit<WindowsOptions, "version">;

/**
 * Several streams, asked together, a bounded number at a time; results are in the order of the
 * streams. {@linkcode StreamSet.pinVersions} makes a set whose every answer describes the same
 * versions. When a request fails the whole call rejects with its error.
 *
 * @example Rows of two streams
 * ```ts
 * import { connect, StreamSet } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const a = await db.create(crypto.randomUUID(), "demo", { tags: { name: "a" } });
 * const b = await db.create(crypto.randomUUID(), "demo", { tags: { name: "b" } });
 * await a.insert([[0n, 1], [2n, 3]]);
 * await b.insert([[0n, 10], [1n, 20]]);
 *
 * const set = await new StreamSet([a, b]).pinVersions({ flush: true });
 * assertEquals(await Array.fromAsync(set.rows(0n, 10n)), [
 *   { time: 0n, values: [1, 10] },
 *   { time: 1n, values: [null, 20] },
 *   { time: 2n, values: [3, null] },
 * ]);
 * ```
 */
export class StreamSet implements Iterable<Stream> {
  /** The streams. */
  readonly streams: readonly Stream[];
  readonly #concurrency: number;
  readonly #pins: ReadonlyMap<string, bigint>;

  /**
   * A set of streams.
   *
   * @param streams The streams, in the order of the results.
   * @param options How many requests at a time.
   * @throws {RangeError} If `concurrency` is not an integer from 1.
   */
  constructor(streams: Iterable<Stream>, options: StreamSetOptions = {}) {
    this.streams = [...streams];
    const { concurrency = 16 } = options;
    this.#concurrency = positiveInteger("make a set", concurrency, "concurrency");
    this.#pins = (options as Pinned).pins ?? new Map();
  }

  /** Number of streams. */
  get length(): number {
    return this.streams.length;
  }

  /** The streams. */
  [Symbol.iterator](): Iterator<Stream> {
    return this.streams[Symbol.iterator]();
  }

  /**
   * A set of the same streams whose every answer is of one version a stream.
   *
   * @param options Which versions, and whether to commit what is buffered first.
   * @returns The new set; this one stays as it is.
   * @throws {TypeError} If a version is not a `bigint`, or a uuid none.
   * @throws {RangeError} If a uuid is of no stream of the set.
   * @throws {BTrDBError} 404 if a stream does not exist.
   *
   * @example Later inserts are not seen
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   * const pinned = await set.pinVersions({ flush: true });
   * await a!.insert([[3n, 7]]);
   * assertEquals([await pinned.count(), await set.count()], [3n, 4n]);
   * ```
   */
  async pinVersions(options: PinOptions = {}): Promise<StreamSet> {
    const given = this.#given(options.versions ?? new Map());
    const { signal, timeoutMs, flush = false } = options;
    const pins = await this.#each(async (stream): Promise<[string, bigint]> => {
      const known = given.get(stream.uuid);
      if (known !== undefined) return [stream.uuid, known];
      const call = { signal, timeoutMs };
      return [stream.uuid, flush ? await stream.flush(call) : await stream.version(call)];
    });
    const pinned: Pinned = { concurrency: this.#concurrency, pins: new Map(pins) };
    return new StreamSet(this.streams, pinned);
  }

  /**
   * Versions by uuid: those pinned, and the latest of the others.
   *
   * @example By uuid
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   * assertEquals(await set.versions(), new Map([[a!.uuid, 10n], [b!.uuid, 10n]]));
   * ```
   */
  async versions(options: RequestOptions = {}): Promise<Map<string, bigint>> {
    const versions = await this.#each(async (stream): Promise<[string, bigint]> => [
      stream.uuid,
      this.#pins.get(stream.uuid) ?? await stream.version(options),
    ]);
    return new Map(versions);
  }

  /**
   * The points of each stream in `[start, end)`.
   *
   * @example In the order of the streams
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   * const batches = await set.values(0n, 9n);
   * assertEquals(batches.map(({ values }) => [...values]), [[1, 3], [5]]);
   * ```
   */
  async values(start: TimeLike, end: TimeLike, options: RequestOptions = {}): Promise<RawBatch[]> {
    return await this.#each((stream) =>
      stream.rawValues(start, end, this.#at(stream, options)).collect()
    );
  }

  /**
   * The points of all streams in `[start, end)`, side by side: those of equal time share a row, and
   * several points of one stream with the same time make several rows. All queries are open at
   * once; memory does not grow with the range.
   *
   * @example Side by side
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   * assertEquals(await Array.fromAsync(set.rows(2n, 9n)), [{ time: 2n, values: [3, 5] }]);
   * ```
   */
  rows(
    start: TimeLike,
    end: TimeLike,
    options: RequestOptions = {},
  ): AsyncIterableIterator<MergedRow> {
    const queries = this.streams.map((stream) =>
      stream.rawValues(start, end, this.#at(stream, options))
    );
    return mergeRows(queries.map((query) => query[Symbol.asyncIterator]()));
  }

  /**
   * Windows of each stream; see {@linkcode Stream.windows}.
   *
   * @example In the order of the streams
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   * const windows = await set.windows(0n, 4n, 4n);
   * assertEquals(windows.map(({ mean }) => mean[0]), [2, 5]);
   * ```
   */
  async windows(
    start: TimeLike,
    end: TimeLike,
    width: bigint | number,
    options: SetWindowsOptions = {},
  ): Promise<StatBatch[]> {
    return await this.#each((stream) =>
      stream.windows(start, end, width, this.#at(stream, options)).collect()
    );
  }

  /**
   * Aligned windows of each stream; see {@linkcode Stream.alignedWindows}.
   *
   * @example In the order of the streams
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   * const windows = await set.alignedWindows(0n, 4n, 1);
   * assertEquals(windows.map(({ times }) => [...times]), [[0n, 2n], [2n]]);
   * ```
   */
  async alignedWindows(
    start: TimeLike,
    end: TimeLike,
    pointwidth: number,
    options: RequestOptions = {},
  ): Promise<StatBatch[]> {
    return await this.#each((stream) =>
      stream.alignedWindows(start, end, pointwidth, this.#at(stream, options)).collect()
    );
  }

  /**
   * The number of points of all streams together, exact.
   *
   * @example All together
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   * assertEquals(await set.count(), 3n);
   * ```
   */
  async count(options: Omit<CountOptions, "version"> = {}): Promise<bigint> {
    const counts = await this.#each((stream) => stream.count(this.#at(stream, options)));
    return counts.reduce((sum, count) => sum + count, 0n);
  }

  /**
   * The first point of each stream, `null` for an empty one.
   *
   * @example In the order of the streams
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   * assertEquals((await set.earliest()).map((point) => point?.time), [1n, 2n]);
   * ```
   */
  async earliest(options: RequestOptions = {}): Promise<(NearestPoint | null)[]> {
    return await this.#each((stream) => stream.earliest(this.#at(stream, options)));
  }

  /**
   * The last point of each stream, `null` for an empty one.
   *
   * @example In the order of the streams
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   * assertEquals((await set.latest()).map((point) => point?.value), [3, 5]);
   * ```
   */
  async latest(options: RequestOptions = {}): Promise<(NearestPoint | null)[]> {
    return await this.#each((stream) => stream.latest(this.#at(stream, options)));
  }

  async #each<R>(work: (stream: Stream) => Promise<R>): Promise<R[]> {
    return await mapConcurrently(this.streams, this.#concurrency, work);
  }

  /** Options of a read of one stream: its pinned version, else the latest. */
  #at<O extends RequestOptions>(stream: Stream, options: O): O & { version: bigint } {
    return { ...options, version: this.#pins.get(stream.uuid) ?? LATEST };
  }

  #given(versions: ReadonlyMap<string, bigint>): Map<string, bigint> {
    if (!(versions instanceof Map)) {
      throw new TypeError(`Cannot pin versions: versions is ${describe(versions)}, expected a Map`);
    }
    const known = new Set(this.streams.map((stream) => stream.uuid));
    const given = new Map<string, bigint>();
    for (const [key, version] of versions) {
      const uuid = uuidText(uuidBytes(key));
      if (!known.has(uuid)) {
        throw new RangeError(`Cannot pin versions: ${uuid} is not in the set`);
      }
      given.set(uuid, versionNumber("pin versions", version));
    }
    return given;
  }
}

/** Options of the set that `pinVersions` makes. */
interface Pinned extends StreamSetOptions {
  pins?: ReadonlyMap<string, bigint>;
}
