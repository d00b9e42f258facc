/**
 * Alignment of several streams to a common rate.
 *
 * @module
 */

import { SingleUse } from "../client/iterators.ts";
import type { StreamSet } from "../client/stream_set.ts";
import { cancellable } from "../core/cancellable.ts";
import { emptyRaw, type RawColumns } from "../core/columns.ts";
import { lowerBound } from "../core/search.ts";
import { remainingOf, type RequestOptions } from "../core/request_options.ts";
import type { StreamAligner } from "../kernel/align.ts";
import { ACTION, type AlignSource, type Source, sourcesOf } from "./align_source.ts";
import { type AlignOptions, type Plan, planOf, type Rules, rulesOf } from "./align_plan.ts";

export type { Fill } from "../kernel/align.ts";
export type { AlignOptions } from "./align_plan.ts";
export type { AlignSource } from "./align_source.ts";

/** Rows of aligned streams. */
export interface AlignedColumns {
  /** Time of each row, ns since the Unix epoch, UTC. */
  times: BigInt64Array;
  /** Values of each stream, NaN where there is none. */
  values: Float64Array[];
}

/** Numbers of rows of one stream that have a point, a filled value, or none. */
export interface AlignCount {
  /** Rows to which a point belongs. */
  matched: bigint;
  /** Rows whose value was filled in. */
  filled: bigint;
  /** Rows without a value. */
  missing: bigint;
  /** Points in the range, or near enough to its first or last row, that belong to no row. */
  unused: bigint;
}

/** Values in a batch, of all streams together. */
const BATCH_VALUES = 1 << 20;

/**
 * Aligns streams to a common rate: row `i` is
 * at `start + i / rate`, computed from `i` and rounded to the
 * nearest ns, so that nothing adds up over any range. Memory does not grow with it.
 *
 * @param sources Streams, a set (in its pinned versions), or columns.
 * @param options Rows, and how points come to them.
 * @returns Rows, to be read once: in batches, or all by `collect`.
 * @throws {TypeError | RangeError} If an option is wrong.
 *
 * @example Two PMUs, one of them 0.3 ms late
 * ```ts
 * import { align } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * const ms = 1_000_000n;
 * const west = { times: BigInt64Array.of(0n, 20n * ms, 40n * ms), values: Float64Array.of(1, 2, 3) };
 * const east = { times: BigInt64Array.of(300_000n, 40n * ms), values: Float64Array.of(5, 7) };
 * const rows = align([west, east], {
 *   start: 0n,
 *   end: 60n * ms,
 *   rate: 50,
 *   tolerance: 500_000n,
 *   fill: "linear",
 *   maxGap: 50n * ms,
 * });
 * const { times, values } = await rows.collect();
 * assertEquals([...times], [0n, 20n * ms, 40n * ms]);
 * assertEquals(values.map((column) => column.map(Math.round)), [
 *   Float64Array.of(1, 2, 3),
 *   Float64Array.of(5, 6, 7),
 * ]);
 * assertEquals(rows.counts[1], { matched: 2n, filled: 1n, missing: 0n, unused: 0n });
 * ```
 */
export function align(
  sources: StreamSet | readonly AlignSource[],
  options: AlignOptions,
): AlignedQuery {
  return new AlignedQuery(sources, options);
}

/**
 * Rows of aligned streams, to be read once.
 *
 * @example Batch by batch
 * ```ts
 * import { align } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * const columns = { times: BigInt64Array.of(0n, 1_000_000_000n), values: Float64Array.of(5, 6) };
 * let rows = 0;
 * for await (const { times } of align([columns], { start: 0n, end: 2_000_000_000n, rate: 1 })) {
 *   rows += times.length;
 * }
 * assertEquals(rows, 2);
 * ```
 */
export class AlignedQuery implements AsyncIterable<AlignedColumns> {
  readonly #rules: Rules;
  readonly #sources: Source[];
  readonly #left: () => RequestOptions;
  /** Those of the streams, once rows are read: their kernel is not loaded before. */
  #aligners: StreamAligner[] = [];
  readonly #inRange: bigint[];
  #plan: Promise<Plan> | undefined;
  #rows = 0n;
  readonly #answer: SingleUse<AlignedColumns>;

  /** @ignore Made by `align`. */
  constructor(sources: StreamSet | readonly AlignSource[], options: AlignOptions) {
    this.#rules = rulesOf(options);
    const { signal, timeoutMs } = options;
    this.#left = remainingOf(ACTION, { signal, timeoutMs });
    this.#sources = sourcesOf(sources);
    if (this.#rules.end === undefined && this.#sources.some(({ last }) => last === undefined)) {
      throw new TypeError(`Cannot ${ACTION}: end is not given, but batches have no known end`);
    }
    this.#inRange = this.#sources.map(() => 0n);
    this.#answer = new SingleUse(
      ACTION,
      () => cancellable({ signal }, (call) => this.#batches(() => ({ ...this.#left(), ...call }))),
    );
  }

  /** Counts of each stream, up to the rows read so far. */
  get counts(): AlignCount[] {
    return this.#inRange.map((inRange, s) => {
      const { matched, filled } = this.#aligners[s] ?? { matched: 0n, filled: 0n };
      return { matched, filled, missing: this.#rows - matched - filled, unused: inRange - matched };
    });
  }

  /**
   * All rows at once.
   *
   * @throws {TypeError} If the rows were read before.
   *
   * @example Every second
   * ```ts
   * import { align } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * const columns = { times: BigInt64Array.of(0n), values: Float64Array.of(5) };
   * const { values } = await align([columns], { start: 0n, end: 2_000_000_000n, rate: 1 }).collect();
   * assertEquals(values, [Float64Array.of(5, NaN)]);
   * ```
   */
  async collect(): Promise<AlignedColumns> {
    const { rows } = await this.#planned(this.#left);
    if (rows > 2n ** 30n) {
      throw new RangeError(
        `Cannot ${ACTION}: there are ${rows} rows, expected at most 2^30 at once; read them in batches`,
      );
    }
    const all: AlignedColumns = {
      times: new BigInt64Array(Number(rows)),
      values: this.#sources.map(() => new Float64Array(Number(rows))),
    };
    let at = 0;
    for await (const { times, values } of this) {
      all.times.set(times, at);
      values.forEach((column, s) => all.values[s]!.set(column, at));
      at += times.length;
    }
    return all;
  }

  /**
   * The rows in batches, in order of time.
   *
   * @throws {TypeError} If the rows were read before.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<AlignedColumns> {
    return this.#answer.take();
  }

  /** The rows that there are; the end is asked for, once, if it was not given. */
  #planned(left: () => RequestOptions): Promise<Plan> {
    this.#plan ??= planOf(this.#rules, this.#sources, left);
    return this.#plan;
  }

  async *#batches(left: () => RequestOptions): AsyncGenerator<AlignedColumns, void, undefined> {
    const plan = await this.#planned(left);
    const { grid, rows } = plan;
    const { gridPiece, gridTimes, StreamAligner } = await import("../kernel/align.ts");
    this.#aligners = this.#sources.map(() => new StreamAligner(this.#rules));
    const sources = this.#sources.map(({ open }, s) => {
      const count = (n: number): void => {
        this.#inRange[s]! += BigInt(n);
      };
      return new PendingPoints(open(plan, left), plan, count);
    });
    const most = Math.max(1, Math.floor(BATCH_VALUES / Math.max(1, sources.length)));
    const size = BigInt(Math.min(gridPiece(grid), most));
    try {
      for (let from = 0n; from < rows; from += size) {
        const n = Number(from + size < rows ? size : rows - from);
        const times = gridTimes(grid, from, n);
        const values = await Promise.all(
          sources.map((source, s) => source.fill(times, this.#aligners[s]!)),
        );
        this.#rows += BigInt(n);
        yield { times, values };
      }
      await Promise.all(sources.map((source) => source.drain()));
    } finally {
      await Promise.all(sources.map((source) => source.close()));
    }
  }
}

/** The points of one stream that have not been used up. */
class PendingPoints {
  readonly #source: AsyncIterator<RawColumns>;
  readonly #plan: Plan;
  readonly #count: (points: number) => void;
  #points: RawColumns = emptyRaw();
  #ended = false;

  constructor(source: AsyncIterator<RawColumns>, plan: Plan, count: (points: number) => void) {
    this.#source = source;
    this.#plan = plan;
    this.#count = count;
  }

  /** Values of the rows at `times`. */
  async fill(times: BigInt64Array, aligner: StreamAligner): Promise<Float64Array> {
    const out = new Float64Array(times.length);
    for (let row = 0; row < times.length;) {
      const reached = aligner.align(this.#points, times, row, this.#ended, out);
      row = reached.row;
      const { times: known, values } = this.#points;
      this.#points = {
        times: known.subarray(reached.used),
        values: values.subarray(reached.used),
      };
      if (row < times.length) await this.#pull();
    }
    return out;
  }

  /** Counts the points that follow the last row. */
  async drain(): Promise<void> {
    while (!this.#ended) await this.#pull();
  }

  /** Gets the next batch; the points before are used up. */
  async #pull(): Promise<void> {
    const { value, done } = await this.#source.next();
    if (done === true) {
      this.#ended = true;
      return;
    }
    const { times, values } = value;
    const { from, to } = this.#plan;
    this.#count(lowerBound(times, to) - lowerBound(times, from));
    this.#points = { times, values };
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#source.return?.();
  }
}
