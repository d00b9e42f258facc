/**
 * Gaps and other faults in the points of streams.
 *
 * @module
 */

import { timeRange } from "../client/arguments.ts";
import { Stream } from "../client/stream.ts";
import { StreamSet } from "../client/stream_set.ts";
import type { ReadOptions } from "../client/stream_options.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { describe } from "../core/describe.ts";
import { MAX_TIME, MIN_TIME } from "../core/range.ts";
import { remainingOf } from "../core/request_options.ts";
import { type TimeLike, toNanoseconds } from "../core/time.ts";
import type { Findings } from "./findings.ts";
import { GapScan, type ScanCost, type ScanPlan } from "./gap_scan.ts";
import { SampleClock } from "./sample_clock.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

export type { Finding, Findings } from "./findings.ts";
export type { ScanCost } from "./gap_scan.ts";

/** Options of {@linkcode gaps}. */
export interface GapOptions extends ReadOptions {
  /** First moment. @default {the first point} */
  start?: TimeLike | undefined;
  /** End, exclusive. @default {after the last point} */
  end?: TimeLike | undefined;
  /**
   * Points a second that there should be, 0.000001 to 1,000,000,000.
   *
   * @default {undefined} found from the typical step of the stream
   */
  rate?: number | undefined;
  /**
   * A gap is a distance of more than so many ns, which are at least a period.
   *
   * @default {undefined} one and a half periods
   */
  over?: bigint | number | undefined;
  /**
   * True to read every point. Otherwise a window whose count is what the rate gives is not looked
   * into, so that a point that is missing and another that is there twice in the same window (of a
   * 64th of the range or less) are not found.
   *
   * @default {false}
   */
  exact?: boolean | undefined;
  /** True to look for points of value 0 too. @default {false} */
  zeros?: boolean | undefined;
  /**
   * Look for so many equal values in a row too, from 2. Costs reading all points, except where long
   * stretches are constant.
   *
   * @default {undefined} not looked for
   */
  repeats?: number | undefined;
  /** Look for values below it too. @default {-Infinity} */
  low?: number | undefined;
  /** Look for values above it too. @default {Infinity} */
  high?: number | undefined;
  /** Most findings of one kind that are listed; all are counted. @default {10000} */
  limit?: number | undefined;
}

/** Result of {@linkcode gaps}. */
export interface GapReport {
  /** The stream's uuid. */
  uuid: string;
  /** Start of the range, ns since the Unix epoch, UTC; `null` for a stream without points. */
  start: bigint | null;
  /** End of the range, exclusive; `null` for a stream without points. */
  end: bigint | null;
  /** Points a second that there should be; `null` where it was not given and cannot be found. */
  rate: number | null;
  /** Longest distance between points that is no gap, ns. */
  over: bigint | null;
  /** Points in the range. */
  points: bigint;
  /** Points that there should be: those there, duplicates once, and those missing in gaps. */
  expected: bigint;
  /** Share of those expected that are there, percent; 100 where none is expected. */
  availability: number;
  /** Gaps: distances above `over`, from point to point or to an edge of the range. */
  gaps: Findings;
  /** Points at the time of the point before them. */
  duplicates: Findings;
  /** Runs of equal values; absent where they were not looked for. */
  repeats?: Findings;
  /** Runs of points of value 0; absent where they were not looked for. */
  zeros?: Findings;
  /** Runs of points outside `low` to `high`; absent where they were not looked for. */
  outOfRange?: Findings;
  /** Amount of data read. */
  cost: ScanCost;
}

const ACTION = "find gaps";
/** Streams looked at at a time. */
const CONCURRENCY = 4;

/**
 * Finds gaps from window counts, looking closer only where a count is not what the rate gives: a day
 * at 120 points a second takes some hundred windows. Windows that are looked into are read in full,
 * so duplicates in them are found too; other faults on demand.
 *
 * @param source A stream, or a set, of which the pinned versions are looked at.
 * @param options Range, rate, and what else to look for.
 * @returns One report, or one a stream, in their order.
 * @throws {TypeError | RangeError} If an option is wrong.
 * @throws {BTrDBError} 404 if a stream or version does not exist.
 *
 * @example Two samples are missing
 * ```ts
 * import { connect, gaps, SECOND } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const stream = await db.create(crypto.randomUUID(), "demo");
 * await stream.insert([0n, 1n, 2n, 5n, 6n].map((i) => [i * SECOND, 1] as const));
 * const report = await gaps(stream);
 * assertEquals(report.gaps.list, [{ start: 2n * SECOND, end: 5n * SECOND, points: 2n }]);
 * assertEquals([report.rate, report.expected], [1, 7n]);
 * ```
 */
export async function gaps(source: Stream, options?: GapOptions): Promise<GapReport>;
/** Finds gaps in each stream of a set. */
export async function gaps(
  source: StreamSet,
  options?: Omit<GapOptions, "version">,
): Promise<GapReport[]>;
export async function gaps(
  source: Stream | StreamSet,
  options: GapOptions = {},
): Promise<GapReport | GapReport[]> {
  const checked = checkGapOptions(options);
  const left = remainingOf(ACTION, readOptionsOf(options));
  if (source instanceof Stream) return await reportOf(source, options, checked, left);
  if (!(source instanceof StreamSet)) {
    throw invalidType(
      `Cannot ${ACTION}: source is ${describe(source)}, expected a Stream or a StreamSet`,
    );
  }
  const { pins } = source;
  return await mapConcurrently(source.streams, CONCURRENCY, (stream) => {
    const version = pins.get(stream.uuid);
    return reportOf(stream, options, checked, () => ({ ...left(), version }));
  });
}

function readOptionsOf({ version, signal, timeoutMs }: GapOptions): ReadOptions {
  return { version, signal, timeoutMs };
}

interface Checked extends Omit<ScanPlan, "clock" | "over"> {
  over: bigint | undefined;
}

function checkGapOptions(options: GapOptions): Checked {
  if (typeof options !== "object" || options === null) {
    throw invalidType(`Cannot ${ACTION}: options is ${describe(options)}, expected an object`);
  }
  const { rate, over, repeats, low = -Infinity, high = Infinity, limit = 10_000 } = options;
  if (options.start !== undefined || options.end !== undefined) {
    timeRange(ACTION, options.start ?? MIN_TIME, options.end ?? MAX_TIME);
  }
  if (rate !== undefined && !(typeof rate === "number" && rate >= 1e-6 && rate <= 1e9)) {
    refuse("rate", rate, "a number of points a second from 0.000001 to 1000000000");
  }
  if (over !== undefined) {
    const isWhole = typeof over === "bigint" || Number.isSafeInteger(over);
    if (!isWhole || over < 1) refuse("over", over, "whole ns from 1");
  }
  for (const name of ["exact", "zeros"] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== "boolean") refuse(name, value, "true or false");
  }
  if (repeats !== undefined && !(Number.isSafeInteger(repeats) && repeats >= 2)) {
    refuse("repeats", repeats, "an integer from 2");
  }
  if (typeof low !== "number" || Number.isNaN(low)) refuse("low", low, "a number");
  if (typeof high !== "number" || Number.isNaN(high)) refuse("high", high, "a number");
  if (low > high) refuse("low", low, `at most high, which is ${high}`);
  if (!Number.isSafeInteger(limit) || limit < 0) refuse("limit", limit, "an integer from 0");
  return {
    exact: options.exact ?? false,
    zeros: options.zeros ?? false,
    repeats,
    low,
    high,
    limit,
    over: over === undefined ? undefined : BigInt(over),
  };
}

function refuse(name: string, value: unknown, expected: string): never {
  throw outOfRange(`Cannot ${ACTION}: ${name} is ${describe(value)}, expected ${expected}`);
}

async function reportOf(
  stream: Stream,
  options: GapOptions,
  checked: Checked,
  left: () => ReadOptions,
): Promise<GapReport> {
  const range = await rangeOf(stream, options, left);
  const clock = options.rate === undefined
    ? await clockOf(stream, left)
    : SampleClock.ofRate(options.rate);
  const over = overOf(clock, checked.over);
  const { uuid } = stream;
  if (range === undefined || clock === undefined) {
    const points = range === undefined
      ? 0n
      : await stream.count({ ...left(), start: range.start, end: range.end });
    const none = { points: 0n, runs: 0n, list: [] };
    const cost = { requests: 0, windows: 0, points: 0 };
    const known = {
      uuid,
      start: range?.start ?? null,
      end: range?.end ?? null,
      rate: clock?.rate ?? null,
      over: over ?? null,
    };
    const counts = { points, expected: points, availability: 100, cost };
    return { ...known, ...counts, gaps: none, duplicates: none };
  }
  const scan = new GapScan(stream, { ...checked, clock, over: over! }, left);
  const edges = { start: options.start !== undefined, end: options.end !== undefined };
  await scan.run(range.start, range.end, edges);
  const present = scan.points - scan.duplicates.found.points;
  const expected = present + scan.gaps.points;
  const report: GapReport = {
    uuid,
    ...range,
    rate: clock.rate,
    over: over!,
    points: scan.points,
    expected,
    availability: expected === 0n ? 100 : 100 * Number(present) / Number(expected),
    gaps: plain(scan.gaps),
    duplicates: plain(scan.duplicates.found),
    cost: scan.cost,
  };
  if (checked.repeats !== undefined) report.repeats = plain(scan.repeats.found);
  if (checked.zeros) report.zeros = plain(scan.zeros.found);
  if (checked.low > -Infinity || checked.high < Infinity) {
    report.outOfRange = plain(scan.outside.found);
  }
  return report;
}

function plain({ points, runs, list }: Findings): Findings {
  return { points, runs, list };
}

/** The range given, or that of the points. */
async function rangeOf(
  stream: Stream,
  options: GapOptions,
  left: () => ReadOptions,
): Promise<{ start: bigint; end: bigint } | undefined> {
  const start = options.start === undefined
    ? (await stream.earliest(left()))?.time
    : toNanoseconds(options.start);
  const end = options.end === undefined
    ? ((await stream.latest(left()))?.time ?? MIN_TIME - 1n) + 1n
    : toNanoseconds(options.end);
  return start === undefined || end <= start ? undefined : { start, end };
}

async function clockOf(
  stream: Stream,
  left: () => ReadOptions,
): Promise<SampleClock | undefined> {
  const { step } = await stream.describe(left());
  return step === null ? undefined : SampleClock.ofStep(step);
}

function overOf(clock: SampleClock | undefined, given: bigint | undefined): bigint | undefined {
  if (clock === undefined) return given;
  if (given === undefined) return clock.hundredths(150n);
  if (given < clock.period) {
    refuse("over", given, `at least ${clock.period}, the period at ${clock.rate} points a second`);
  }
  return given;
}
