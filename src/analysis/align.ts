/**
 * Several streams at the same moments.
 *
 * @module
 */

import { timeRange } from "../client/arguments.ts";
import { Stream } from "../client/stream.ts";
import { StreamSet } from "../client/stream_set.ts";
import type { RawColumns } from "../core/columns.ts";
import { describe } from "../core/describe.ts";
import { MAX_TIME, MIN_TIME } from "../core/range.ts";
import { lowerBound } from "../core/search.ts";
import { remainingOf, type RequestOptions } from "../core/request_options.ts";
import type { TimeLike } from "../core/time.ts";
import { type Fill, type Grid, gridPiece, gridTimes, StreamAligner } from "../kernel/align.ts";
import { checkRaw } from "../kernel/arguments.ts";
import { rateFraction } from "./rate_fraction.ts";
import { isSorted } from "../kernel/find_bad_point.ts";

export type { Fill } from "../kernel/align.ts";

/** Points to be aligned: a stream, columns in order of time, or batches of them. */
export type AlignSource = Stream | RawColumns | AsyncIterable<RawColumns>;

/** Options of {@linkcode align}. */
export interface AlignOptions extends RequestOptions {
  /** First row. */
  start: TimeLike;
  /** End, exclusive. @default {after the last point of all streams} */
  end?: TimeLike | undefined;
  /** Rows a second, 0.000001 to 1,000,000,000: the simplest fraction that is this number. */
  rate: number;
  /**
   * A point at most so many ns away from a row belongs to it, the nearest one if there are several.
   * Less than half the distance of rows, so that no point belongs to two.
   *
   * @default {0n} the exact time
   */
  tolerance?: bigint | number | undefined;
  /**
   * Value of a row to which no point belongs: none (NaN), that of the last point before it, or the
   * straight line between the points on both sides.
   *
   * @default {"none"}
   */
  fill?: Fill | undefined;
  /**
   * Longest distance in ns that is filled: from the last point, or for `"linear"` between both. With
   * `fill` only.
   *
   * @default {undefined} any distance; `counts` says how many rows were filled
   */
  maxGap?: bigint | number | undefined;
}

/** Rows of aligned streams. */
export interface AlignedColumns {
  /** Time of each row, ns since the Unix epoch, UTC. */
  times: BigInt64Array;
  /** Values of each stream, NaN where there is none. */
  values: Float64Array[];
}

/** Origin of the rows of one stream. */
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

const ACTION = "align streams";
/** No two points are further apart. */
const ANY_GAP = 1n << 62n;
/** Values in a batch, of all streams together. */
const BATCH_VALUES = 1 << 20;

/**
 * Streams at the same moments: row `i` is at `start + i / rate`, computed from `i` and rounded to the
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

interface Plan {
  start: bigint;
  end: bigint;
  grid: Grid;
  rows: bigint;
  /** From where on points are counted. */
  from: bigint;
  /** To where points are counted, exclusive. */
  to: bigint;
  tolerance: bigint;
  fill: Fill;
  maxGap: bigint;
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
  readonly #aligners: StreamAligner[];
  readonly #inRange: bigint[];
  #plan: Promise<Plan> | undefined;
  #rows = 0n;
  #taken = false;

  /** @ignore Made by `align`. */
  constructor(sources: StreamSet | readonly AlignSource[], options: AlignOptions) {
    this.#rules = rulesOf(options);
    const { signal, timeoutMs } = options;
    this.#left = remainingOf(ACTION, { signal, timeoutMs });
    this.#sources = sourcesOf(sources);
    if (this.#rules.end === undefined && this.#sources.some(({ last }) => last === undefined)) {
      throw new TypeError(`Cannot ${ACTION}: end is not given, but batches have no known end`);
    }
    this.#aligners = this.#sources.map(() => new StreamAligner(this.#rules));
    this.#inRange = this.#sources.map(() => 0n);
  }

  /** Counts of each stream, up to the rows read so far. */
  get counts(): AlignCount[] {
    return this.#aligners.map(({ matched, filled }, s) => ({
      matched,
      filled,
      missing: this.#rows - matched - filled,
      unused: this.#inRange[s]! - matched,
    }));
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
    const { rows } = await this.#planned();
    if (rows > 2n ** 30n) {
      throw new RangeError(
        `Cannot ${ACTION}: there are ${rows} rows, expected at most 2^30 at once; read them in batches`,
      );
    }
    const all: AlignedColumns = {
      times: new BigInt64Array(Number(rows)),
      values: this.#aligners.map(() => new Float64Array(Number(rows))),
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
    if (this.#taken) {
      throw new TypeError(`Cannot ${ACTION} twice: the rows were already read, align them anew`);
    }
    this.#taken = true;
    return this.#batches();
  }

  /** The rows that there are; the end is asked for, once, if it was not given. */
  #planned(): Promise<Plan> {
    this.#plan ??= planOf(this.#rules, this.#sources, this.#left);
    return this.#plan;
  }

  async *#batches(): AsyncGenerator<AlignedColumns, void, void> {
    const plan = await this.#planned();
    const { grid, rows } = plan;
    const sources = this.#sources.map(({ open }, s) => {
      const count = (n: number): void => {
        this.#inRange[s]! += BigInt(n);
      };
      return new PendingPoints(open(plan, this.#left), plan, count);
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
  #points: RawColumns = { times: new BigInt64Array(0), values: new Float64Array(0) };
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

/** Source of points. */
interface Source {
  open(plan: Plan, left: () => RequestOptions): AsyncIterator<RawColumns>;
  /** Finds the time of the last point; absent where nobody knows. */
  last?(left: () => RequestOptions): Promise<bigint | undefined>;
}

function sourcesOf(sources: StreamSet | readonly AlignSource[]): Source[] {
  if (sources instanceof StreamSet) {
    return [...sources].map((stream) => streamSource(stream, sources.pins.get(stream.uuid)));
  }
  if (!Array.isArray(sources)) {
    throw new TypeError(
      `Cannot ${ACTION}: sources is ${describe(sources)}, expected a StreamSet or an array`,
    );
  }
  return (sources as readonly AlignSource[]).map((source, s) => {
    if (source instanceof Stream) return streamSource(source, undefined);
    if (typeof source !== "object" || source === null) {
      throw new TypeError(
        `Cannot ${ACTION}: sources[${s}] is ${describe(source)}, expected a Stream or columns`,
      );
    }
    if (Symbol.asyncIterator in source) return { open: () => ordered(source) };
    checkOrder(source, undefined);
    return {
      open: () => oneBatch(source),
      last: () => Promise.resolve(source.times.at(-1)),
    };
  });
}

function streamSource(stream: Stream, version: bigint | undefined): Source {
  return {
    open: (plan, left) => streamPoints(stream, version, plan, left),
    last: async (left) => (await stream.latest({ ...left(), version }))?.time,
  };
}

/** The points in the range, and around it those that rows at its ends may need. */
async function* streamPoints(
  stream: Stream,
  version: bigint | undefined,
  { start, end, tolerance, fill, maxGap }: Plan,
  left: () => RequestOptions,
): AsyncGenerator<RawColumns> {
  let from = start - tolerance, to = end + tolerance;
  if (fill !== "none") {
    const before = await stream.nearest(start, { ...left(), version, backward: true });
    if (before !== null && start - before.time <= maxGap && before.time < from) from = before.time;
    const after = end < MAX_TIME ? await stream.nearest(end, { ...left(), version }) : null;
    if (after !== null && after.time - end <= maxGap && after.time >= to) to = after.time + 1n;
  }
  if (from < MIN_TIME) from = MIN_TIME;
  if (to > MAX_TIME) to = MAX_TIME;
  yield* stream.rawValues(from, to, { ...left(), version });
}

async function* oneBatch(columns: RawColumns): AsyncGenerator<RawColumns> {
  yield await Promise.resolve(columns);
}

/** Passes batches on and refuses times that go back. */
async function* ordered(source: AsyncIterable<RawColumns>): AsyncGenerator<RawColumns> {
  let before: bigint | undefined;
  for await (const columns of source) {
    checkOrder(columns, before);
    before = columns.times.at(-1) ?? before;
    yield columns;
  }
}

function checkOrder(columns: RawColumns, before: bigint | undefined): void {
  checkRaw(ACTION, columns);
  const first = columns.times[0];
  if (isSorted(columns.times) && !(before !== undefined && first !== undefined && first < before)) {
    return;
  }
  throw new RangeError(`Cannot ${ACTION}: times are not in order, expected them ascending`);
}

/** Checked options. */
interface Rules extends Pick<Plan, "start" | "tolerance" | "fill" | "maxGap"> {
  end: bigint | undefined;
  /** Length of a row, `ns / parts`. */
  ns: bigint;
  parts: bigint;
}

function rulesOf(options: AlignOptions): Rules {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${ACTION}: options is ${describe(options)}, expected an object`);
  }
  const { rate, fill = "none" } = options;
  const { start, end } = timeRange(ACTION, options.start, options.end ?? MAX_TIME);
  if (!(typeof rate === "number" && rate >= 1e-6 && rate <= 1e9)) {
    refuse("rate", rate, "a number of rows a second from 0.000001 to 1000000000");
  }
  if (fill !== "none" && fill !== "previous" && fill !== "linear") {
    refuse("fill", fill, `"none", "previous" or "linear"`);
  }
  const { count, seconds } = rateFraction(rate);
  const { ns, parts } = manageable(ratio(seconds * 1_000_000_000n, count));
  const tolerance = wholeNs("tolerance", options.tolerance ?? 0n, 0n);
  if (2n * tolerance * parts >= ns && tolerance > 0n) {
    refuse("tolerance", tolerance, `less than half of ${Number(ns) / Number(parts)} ns`);
  }
  if (fill === "none" && options.maxGap !== undefined) {
    throw new TypeError(`Cannot ${ACTION}: maxGap is given without fill, expected both`);
  }
  const maxGap = wholeNs("maxGap", options.maxGap ?? ANY_GAP, 1n);
  return {
    start,
    end: options.end === undefined ? undefined : end,
    ns,
    parts,
    tolerance,
    fill,
    maxGap,
  };
}

async function planOf(
  { start, end: given, ns, parts, tolerance, fill, maxGap }: Rules,
  sources: readonly Source[],
  left: () => RequestOptions,
): Promise<Plan> {
  let end = given ?? start;
  if (given === undefined) {
    for (const last of await Promise.all(sources.map((source) => source.last!(left)))) {
      if (last !== undefined && last >= end) end = last + 1n;
    }
  }
  const grid = { start, ns, parts };
  const rows = rowsOf(grid, end);
  const near = start + (2n * (rows - 1n) * ns + parts) / (2n * parts) + tolerance + 1n;
  const points = { from: start - tolerance, to: near > end ? near : end };
  return { start, end, grid, rows, ...points, tolerance, fill, maxGap };
}

/** A fraction in lowest terms. */
function ratio(ns: bigint, parts: bigint): { ns: bigint; parts: bigint } {
  let [a, b] = [ns, parts];
  while (b > 0n) [a, b] = [b, a % b];
  return { ns: ns / a, parts: parts / a };
}

/** Longest numerator that the kernel reckons with. */
const MAX_NS = 1n << 56n;

/** A fraction whose numerator is not too long: that of a strange rate is rounded to 56 bits. */
function manageable({ ns, parts }: { ns: bigint; parts: bigint }): { ns: bigint; parts: bigint } {
  if (ns <= MAX_NS) return { ns, parts };
  let rounded = ratio(ns / parts, 1n);
  for (let half = 1n; rounded.ns < MAX_NS >> 1n; half *= 2n) {
    rounded = { ns: (2n * ns * half + parts) / (2n * parts), parts: half };
  }
  return rounded;
}

/** Rows before `end`: place `i` is rounded to the nearest ns. */
function rowsOf({ start, ns, parts }: Grid, end: bigint): bigint {
  // Place i is before the end if (i ns + parts/2) / parts < end − start.
  const most = (end - start) * parts - parts / 2n;
  return most <= 0n ? 0n : (most - 1n) / ns + 1n;
}

function wholeNs(name: string, value: bigint | number, least: bigint): bigint {
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) {
    refuse(name, value, `whole ns from ${least}`);
  }
  const ns = BigInt(value);
  if (ns < least || ns > 1n << 62n) refuse(name, value, `whole ns from ${least} to 2^62`);
  return ns;
}

function refuse(name: string, value: unknown, expected: string): never {
  throw new RangeError(`Cannot ${ACTION}: ${name} is ${describe(value)}, expected ${expected}`);
}
