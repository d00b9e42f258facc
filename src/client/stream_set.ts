/**
 * Set of streams that are queried together.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { cancellable } from "../core/cancellable.ts";
import { checkObject } from "../core/check_object.ts";
import { describe } from "../core/describe.ts";
import { LATEST } from "../core/range.ts";
import type { TimeLike } from "../core/time.ts";
import { uuidBytes, uuidText } from "../core/uuid.ts";
import { positiveInteger, versionNumber } from "./arguments.ts";
import type { RawBatch, StatBatch } from "./batch.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { checkOptions, remainingOf, type RequestOptions } from "../core/request_options.ts";
import type { MergedRow } from "./merge_rows.ts";
import type { ArrowTable } from "../arrow/arrow_table.ts";
import { currentTime } from "../core/time.ts";
import type { ByteSink, ExportProgress } from "../csv/byte_sink.ts";
import type { WriteParquetOptions } from "../io/parquet_write.ts";
import type { StreamDescription } from "./describe_stream.ts";
import { type DisplayedStream, setDisplay, withDisplay } from "./display.ts";
import { displayedStream } from "./displayed_stream.ts";
import { objectText } from "./inspect_text.ts";
import {
  checkLabels,
  columnLabels,
  joinColumns,
  type JoinedColumns,
  pathOf,
  type SetTableOptions,
} from "./joined_columns.ts";
import { type StreamFilter, streamTest } from "./stream_filter.ts";
import type { Stream } from "./stream.ts";
import { streamsOf } from "./streams_of.ts";
import type { CountOptions, NearestPoint, WindowsOptions } from "./stream_options.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

/** Streams that a display has, and of those the ones that it plots. */
const SHOWN = 20;
const PLOTTED = 4;

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

/** Options of `current`. */
export interface CurrentOptions extends RequestOptions {
  /** The moment. @default {now, by the clock of this computer} */
  time?: TimeLike | undefined;
}

/** Options of `toParquet` of a set. */
export interface SetParquetOptions
  extends SetTableOptions, Omit<WriteParquetOptions, keyof RequestOptions> {}

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
   * @param options Number of concurrent requests.
   * @throws {TypeError} If `streams` holds something that is no stream.
   * @throws {RangeError} If `concurrency` is not an integer from 1.
   */
  constructor(streams: Iterable<Stream>, options: StreamSetOptions = {}) {
    const action = "make a set";
    this.streams = streamsOf(action, streams);
    checkObject(action, "options", options);
    const { concurrency = 16 } = options;
    this.#concurrency = positiveInteger(action, concurrency, "concurrency");
    this.#pins = (options as Pinned).pins ?? new Map();
  }

  static {
    setDisplay(
      StreamSet.prototype,
      ({ length, pins }) => objectText("StreamSet", { length, pinned: pins.size || undefined }),
      async (renderer, set, signal) => {
        const read = (stream: Stream, i: number): Promise<DisplayedStream> => {
          const version = set.#pins.get(stream.uuid);
          return displayedStream(stream, signal, { isPlotted: i < PLOTTED, version });
        };
        const shown = set.streams.slice(0, SHOWN);
        return renderer.streams(await mapConcurrently(shown, set.#concurrency, read), set.length);
      },
    );
  }

  /** Number of streams. */
  get length(): number {
    return this.streams.length;
  }

  /** Versions by uuid of the streams that are pinned; the others are read at their latest. */
  get pins(): ReadonlyMap<string, bigint> {
    return this.#pins;
  }

  /** The streams. */
  [Symbol.iterator](): Iterator<Stream> {
    return this.streams[Symbol.iterator]();
  }

  /**
   * A set of the same streams whose every answer is of one version a stream.
   *
   * @param options Versions to pin, and an option to commit buffered points first.
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
    checkOptions("pin versions", options);
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
    const queries = (call: RequestOptions) =>
      this.streams.map((stream) => stream.rawValues(start, end, this.#at(stream, call)));
    // These are never read: the arguments are checked now.
    queries(options);
    return cancellable(
      options,
      (call) => rowsOf(queries(call).map((query) => query[Symbol.asyncIterator]())),
    );
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

  /**
   * A set of those streams that fit, in the same order and with the same pinned versions.
   *
   * @param filter Conditions of metadata, all of which must hold, or a function of a stream.
   * @returns The new set; this one stays as it is.
   * @throws {TypeError} If a condition does not exist or is of the wrong type.
   *
   * @example By unit, by pattern, by function
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name, unit: name === "a" ? "volts" : "deg" } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   *
   * assertEquals([...await set.filter({ unit: "volts" })], [a]);
   * assertEquals([...await set.filter({ name: /^[bc]$/ })], [b]);
   * assertEquals([...await set.filter(async (stream) => await stream.count() > 1n)], [a]);
   * ```
   */
  async filter(filter: StreamFilter, options: RequestOptions = {}): Promise<StreamSet> {
    checkOptions("filter streams", options);
    const test = streamTest(filter, options);
    const fitting = await this.#each(test);
    const kept: Pinned = { concurrency: this.#concurrency, pins: this.#pins };
    return new StreamSet(this.streams.filter((_, s) => fitting[s]), kept);
  }

  /**
   * The last point of each stream before now, `null` where there is none: points with times in the
   * future are not looked at.
   *
   * @param options With `time`, before that moment.
   *
   * @example Before a moment
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name, unit: name === "a" ? "volts" : "deg" } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   *
   * assertEquals((await set.current()).map((point) => point?.value), [3, 5]);
   * assertEquals((await set.current({ time: 2n })).map((point) => point?.value), [1, undefined]);
   * ```
   */
  async current(options: CurrentOptions = {}): Promise<(NearestPoint | null)[]> {
    checkOptions("read current points", options);
    const { time = currentTime(), ...call } = options;
    return await this.#each((stream) =>
      stream.nearest(time, { ...this.#at(stream, call), backward: true })
    );
  }

  /**
   * Describes each stream; see {@linkcode Stream.describe}.
   *
   * @example A table of the set
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name, unit: name === "a" ? "volts" : "deg" } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   *
   * assertEquals((await set.describe()).map(({ name, unit, count }) => [name, unit, count]), [
   *   ["a", "volts", 2n],
   *   ["b", "deg", 1n],
   * ]);
   * ```
   */
  async describe(options: RequestOptions = {}): Promise<StreamDescription[]> {
    return await this.#each((stream) => stream.describe(this.#at(stream, options)));
  }

  /**
   * The points of all streams in `[start, end)` as columns of one table, joined by time as
   * {@linkcode StreamSet.rows} does. All of it is held in memory; `rows` and `toParquet` are for
   * more than fits.
   *
   * @param options Names of the columns.
   * @throws {RangeError} If two columns have the same name, or there are not as many as streams.
   *
   * @example Joined
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name, unit: name === "a" ? "volts" : "deg" } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   *
   * const { times, columns } = await set.toColumns(0n, 9n);
   * assertEquals([...times], [1n, 2n]);
   * assertEquals(columns.map(({ label, values }) => [label, ...values]), [
   *   ["demo/a", 1, 3],
   *   ["demo/b", NaN, 5],
   * ]);
   * ```
   */
  async toColumns(
    start: TimeLike,
    end: TimeLike,
    options: SetTableOptions = {},
  ): Promise<JoinedColumns> {
    const action = "join columns";
    checkOptions(action, options);
    checkLabels(action, this.length, options.labels);
    const { labels: given, ...call } = options;
    const left = remainingOf(action, call);
    const labels = await this.#labels(action, given, left());
    const joined = joinColumns(this.streams, labels, await this.values(start, end, left()));
    const size = { rows: joined.times.length, columns: joined.columns.length + 1 };
    return withDisplay(
      joined,
      objectText("JoinedColumns", size),
      (renderer, { times, columns }) => renderer.joined(times, columns),
    );
  }

  /**
   * The points of all streams in `[start, end)` as one Arrow table: `time` (timestamp[ns, UTC]) and
   * a float64 column of each stream, NaN where it has no point. All of it is held in memory. The
   * functions of `@btrdb/btrdb/arrow` take such tables and write streams of any length.
   *
   * @param options Names of the columns.
   * @throws {RangeError} If two columns have the same name, or one is called `time`.
   *
   * @example Names and rows
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name, unit: name === "a" ? "volts" : "deg" } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   *
   * const table = await set.toArrow(0n, 9n, { labels: ["L1", "L2"] });
   * assertEquals([table.numRows, ...table.names], [2, "time", "L1", "L2"]);
   * ```
   */
  async toArrow(
    start: TimeLike,
    end: TimeLike,
    options: SetTableOptions = {},
  ): Promise<ArrowTable> {
    const { times, columns } = await this.toColumns(start, end, options);
    checkTimeLabel("make an Arrow table", columns);
    const { DOUBLE, tableOf, TIME } = await import("../arrow/named_columns.ts");
    return tableOf([
      { name: "time", type: TIME, data: times },
      ...columns.map(({ label, values }) => ({ name: label, type: DOUBLE, data: values })),
    ]);
  }

  /**
   * Writes the points of all streams in `[start, end)` as one Parquet file; see `writeParquet` of
   * `@btrdb/btrdb/parquet`. Memory does not grow with the range, and a file appears under its name
   * when it is complete.
   *
   * @param sink A path, a `file:` URL, a stream of bytes, which is closed at the end, or a
   *   function.
   * @param options Names of the columns, compression, row groups.
   * @returns Rows and bytes written.
   * @throws {RangeError} If an option is out of range, or two columns have the same name.
   *
   * @example Into memory
   * ```ts
   * import { connect, StreamSet } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const [a, b] = await Promise.all(["a", "b"].map((name) =>
   *   db.create(crypto.randomUUID(), "demo", { tags: { name, unit: name === "a" ? "volts" : "deg" } })
   * ));
   * const set = new StreamSet([a!, b!]);
   * await a!.insert([[1n, 1], [2n, 3]]);
   * await b!.insert([[2n, 5]]);
   *
   * let size = 0;
   * const written = await set.toParquet((bytes) => void (size += bytes.length), 0n, 9n);
   * assertEquals([written.rows, written.bytes], [2, size]);
   * ```
   */
  async toParquet(
    sink: ByteSink,
    start: TimeLike,
    end: TimeLike,
    options: SetParquetOptions = {},
  ): Promise<ExportProgress> {
    const action = "write Parquet";
    checkOptions(action, options);
    checkLabels(action, this.length, options.labels);
    const { labels: given, timeoutMs, ...write } = options;
    const left = remainingOf(action, { signal: write.signal, timeoutMs });
    const labels = await this.#labels(action, given, left());
    checkTimeLabel(action, labels.map((label) => ({ label })));
    const { writeParquet } = await import("../io/parquet_write.ts");
    const tables = this.streams.map((stream, s) => ({
      label: labels[s]!,
      columns: stream.rawValues(start, end, this.#at(stream, left())),
    }));
    return await writeParquet(sink, tables, write);
  }

  async #labels(
    action: string,
    given: readonly string[] | undefined,
    options: RequestOptions,
  ): Promise<string[]> {
    const paths = given === undefined ? await this.#each((stream) => pathOf(stream, options)) : [];
    return columnLabels(action, this.streams, paths, given);
  }

  async #each<R>(work: (stream: Stream) => Promise<R>): Promise<R[]> {
    return await mapConcurrently(this.streams, this.#concurrency, work);
  }

  /** Options of a read of one stream: its pinned version, else the latest. */
  #at<O extends RequestOptions>(stream: Stream, options: O): O & { version: bigint } {
    checkOptions("read the streams", options);
    return { ...options, version: this.#pins.get(stream.uuid) ?? LATEST };
  }

  #given(versions: ReadonlyMap<string, bigint>): Map<string, bigint> {
    if (!(versions instanceof Map)) {
      throw invalidType(`Cannot pin versions: versions is ${describe(versions)}, expected a Map`);
    }
    const known = new Set(this.streams.map((stream) => stream.uuid));
    const given = new Map<string, bigint>();
    for (const [key, version] of versions) {
      const uuid = uuidText(uuidBytes(key));
      if (!known.has(uuid)) {
        throw outOfRange(`Cannot pin versions: ${uuid} is not in the set`);
      }
      given.set(uuid, versionNumber("pin versions", version));
    }
    return given;
  }
}

/** Refuses a column that is called as the times are. */
function checkTimeLabel(action: string, columns: readonly { label: string }[]): void {
  if (columns.every(({ label }) => label !== "time")) return;
  throw outOfRange(
    `Cannot ${action}: a column is called "time", expected another label than that of the times`,
  );
}

/** Options of the set that `pinVersions` and `filter` make. */
interface Pinned extends StreamSetOptions {
  pins?: ReadonlyMap<string, bigint>;
}

/** Rows of streams; what merges them is loaded when it is needed. */
async function* rowsOf(
  sources: readonly AsyncIterator<RawColumns>[],
): AsyncIterableIterator<MergedRow> {
  const { mergeRows } = await import("./merge_rows.ts");
  yield* mergeRows(sources);
}
