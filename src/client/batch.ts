/**
 * Batches that queries yield: columns with their version, which can be iterated point by point.
 *
 * @module
 */

import { concatRaw, concatStat, statPointAt } from "../core/columns.ts";
import type { RawColumns, RawPoint, StatColumns, StatPoint } from "../core/columns.ts";
import type { Version } from "../endpoint/endpoint.ts";
import { setDisplay } from "./display.ts";
import { batchText } from "./inspect_text.ts";
import { rawVegaLite, statVegaLite, type VegaLiteOptions, type VegaLiteSpec } from "./vega_lite.ts";

/**
 * Raw points as columns, of one version of a stream. Iterating gives the points.
 *
 * @example Columns, or points
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const stream = await db.create(crypto.randomUUID(), "demo");
 * await stream.insert([[1n, 0.5], [2n, 1.5]]);
 * const batch = await stream.rawValues(0n, 9n).collect();
 * assertEquals([batch.length, batch.version, batch.versionMinor], [2, 10n, 2n]);
 * assertEquals(batch.values, new Float64Array([0.5, 1.5]));
 * assertEquals([...batch][0], { time: 1n, value: 0.5 });
 * ```
 */
export class RawBatch implements RawColumns, Iterable<RawPoint> {
  /** Times, ns since the Unix epoch, UTC, ascending. */
  readonly times: BigInt64Array;
  /** Values, in the unit of the stream. */
  readonly values: Float64Array;
  /** Version of the stream these points were read from. */
  readonly version: bigint;
  /** Points that were in the write buffer, not yet in a version of their own. */
  readonly versionMinor: bigint;

  /** @ignore Made by queries. */
  constructor(columns: RawColumns, version: Version) {
    this.times = columns.times;
    this.values = columns.values;
    this.version = version.major;
    this.versionMinor = version.minor;
  }

  /** Number of points. */
  get length(): number {
    return this.times.length;
  }

  static {
    setDisplay(
      RawBatch.prototype,
      (batch) => batchText("RawBatch", batch.times, { value: batch.values }, versionText(batch)),
      (renderer, batch) => renderer.raw(batch, `RawBatch, version ${versionText(batch)}`),
    );
  }

  /**
   * The points as a line in the grammar of Vega-Lite 5, for notebooks and other programs.
   *
   * @param options Name and unit of the stream.
   * @returns A specification, which a notebook draws.
   * @throws {RangeError} If there are more than 50,000 points: windows show as much.
   *
   * @example In a notebook
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 0.5], [2n, 1.5]]);
   * const spec = (await stream.rawValues(0n, 9n).collect()).toVegaLite({ title: "a", unit: "V" });
   * assertEquals(spec.data.values[1], { time: 2e-6, ns: "1970-01-01T00:00:00.000000002Z", value: 1.5 });
   * ```
   */
  toVegaLite(options: VegaLiteOptions = {}): VegaLiteSpec {
    return rawVegaLite(this, options);
  }

  /** The points in order of time. */
  *[Symbol.iterator](): IterableIterator<RawPoint> {
    const { times, values } = this;
    for (let i = 0; i < times.length; i++) yield { time: times[i]!, value: values[i]! };
  }
}

/**
 * Windows as columns, of one version of a stream. Iterating gives the windows.
 *
 * @example Columns, or windows
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const stream = await db.create(crypto.randomUUID(), "demo");
 * await stream.insert([[1n, 2], [2n, 6]]);
 * const batch = await stream.windows(0n, 8n, 4n).collect();
 * assertEquals(batch.length, 2);
 * assertEquals(batch.mean, new Float64Array([4, 0]));
 * const [first] = batch;
 * assertEquals([first?.min, first?.max, first?.count], [2, 6, 2n]);
 * ```
 */
export class StatBatch implements StatColumns, Iterable<StatPoint> {
  /** Start of each window, ns since the Unix epoch, UTC, ascending. */
  readonly times: BigInt64Array;
  /** Smallest value in each window; 0 where `count` is 0. */
  readonly min: Float64Array;
  /** Arithmetic mean of the values in each window; 0 where `count` is 0. */
  readonly mean: Float64Array;
  /** Largest value in each window; 0 where `count` is 0. */
  readonly max: Float64Array;
  /** Number of points in each window. */
  readonly count: BigUint64Array;
  /** Population standard deviation in each window, where the database provides it. */
  declare readonly stddev?: Float64Array;
  /** Version of the stream these windows were read from. */
  readonly version: bigint;
  /** Points that were in the write buffer, not yet in a version of their own. */
  readonly versionMinor: bigint;

  /** @ignore Made by queries. */
  constructor(columns: StatColumns, version: Version) {
    this.times = columns.times;
    this.min = columns.min;
    this.mean = columns.mean;
    this.max = columns.max;
    this.count = columns.count;
    if (columns.stddev !== undefined) this.stddev = columns.stddev;
    this.version = version.major;
    this.versionMinor = version.minor;
  }

  /** Number of windows. */
  get length(): number {
    return this.times.length;
  }

  static {
    setDisplay(
      StatBatch.prototype,
      (batch) => {
        const { times, min, mean, max, count, stddev } = batch;
        const columns = { min, mean, max, count, ...(stddev === undefined ? {} : { stddev }) };
        return batchText("StatBatch", times, columns, versionText(batch));
      },
      (renderer, batch) => renderer.stat(batch, `StatBatch, version ${versionText(batch)}`),
    );
  }

  /**
   * The windows as a band from min to max and a line of means in the grammar of Vega-Lite 5;
   * windows without points are left out.
   *
   * @param options Name and unit of the stream.
   * @returns A specification, which a notebook draws.
   * @throws {RangeError} If there are more than 50,000 windows.
   */
  toVegaLite(options: VegaLiteOptions = {}): VegaLiteSpec {
    return statVegaLite(this, options);
  }

  /** The windows in order of time. */
  *[Symbol.iterator](): IterableIterator<StatPoint> {
    for (let i = 0; i < this.times.length; i++) yield statPointAt(this, i);
  }
}

function versionText({ version, versionMinor }: RawBatch | StatBatch): string {
  return `${version}.${versionMinor}`;
}

/** All batches of an answer as one; a single batch is handed on as it is. */
export function joinRaw(batches: readonly RawBatch[]): RawBatch {
  const first = batches[0];
  if (first === undefined || batches.length === 1) {
    return first ?? new RawBatch(concatRaw([]), NONE);
  }
  return new RawBatch(concatRaw(batches), { major: first.version, minor: first.versionMinor });
}

/** All batches of an answer as one; a single batch is handed on as it is. */
export function joinStat(batches: readonly StatBatch[]): StatBatch {
  const first = batches[0];
  if (first === undefined || batches.length === 1) {
    return first ?? new StatBatch(concatStat([]), NONE);
  }
  return new StatBatch(concatStat(batches), { major: first.version, minor: first.versionMinor });
}

const NONE: Version = { major: 0n, minor: 0n };
