/**
 * Finds the ranges in which two streams differ, from the statistics of ever smaller windows.
 *
 * @module
 */

import type { StatColumns, Stream } from "../../../mod.ts";
import { formatTime } from "../../core/time.ts";
import { CliError } from "../errors.ts";
import { PointChecksum } from "./point_checksum.ts";
import { LAST_TIME, MIN_TIME } from "../../core/range.ts";

/** A range in which two streams are not the same. */
export interface DifferentRange {
  start: bigint;
  end: bigint;
  countA: bigint;
  countB: bigint;
}

/** Options of a comparison. */
export interface CompareOptions {
  /** True to compare points even where the statistics are equal. */
  exact: boolean;
  signal: AbortSignal;
  /** Told how many points are settled. */
  onSettled?: (points: bigint) => void;
}

/** Pointwidth of the first look: 64 windows tile the time axis. */
const TOP = 56;
/** A node of the tree has 2^6 children. */
const STEP = 6;
/** Points that are compared one by one. */
const LEAF_POINTS = 65_536n;

/**
 * Finds the ranges in which two streams differ, in the order of time. A range has few points, or one
 * of the streams has none in it.
 *
 * @param a One stream.
 * @param b The other one; absent: one without points.
 */
export async function* differentRanges(
  a: Stream,
  b: Stream | undefined,
  options: CompareOptions,
): AsyncGenerator<DifferentRange, void, void> {
  yield* joined(descend(a, b, MIN_TIME, LAST_TIME, TOP, options));
}

async function* descend(
  a: Stream,
  b: Stream | undefined,
  start: bigint,
  end: bigint,
  pointwidth: number,
  options: CompareOptions,
): AsyncGenerator<DifferentRange, void, void> {
  const { signal, exact, onSettled } = options;
  const read = (stream: Stream): Promise<StatColumns> =>
    stream.alignedWindows(start, end, pointwidth, { signal }).collect();
  const [statA, statB] = await Promise.all([read(a), b === undefined ? undefined : read(b)]);
  for (const { time, i, j } of paired(statA, statB)) {
    const window = { start: time, end: time + (1n << BigInt(pointwidth)) };
    const countA = i < 0 ? 0n : statA.count[i]!;
    const countB = j < 0 ? 0n : statB!.count[j]!;
    const larger = countA > countB ? countA : countB;
    const small = larger <= LEAF_POINTS || pointwidth < STEP;
    const same = i >= 0 && j >= 0 && sameStatistics(statA, i, statB!, j);
    if (same && (!exact || (small && await samePoints(a, b!, window, countA, signal)))) {
      onSettled?.(countA);
    } else if (countA === 0n || countB === 0n || small) {
      yield { ...clamp(window), countA, countB };
    } else {
      yield* descend(a, b, window.start, window.end, pointwidth - STEP, options);
    }
  }
}

/** Windows are cut to the times that requests may name. */
function clamp({ start, end }: { start: bigint; end: bigint }): { start: bigint; end: bigint } {
  return { start: start < MIN_TIME ? MIN_TIME : start, end: end > LAST_TIME ? LAST_TIME : end };
}

interface Pair {
  time: bigint;
  /** Indices; −1 where there is no such window. */
  i: number;
  j: number;
}

function* paired(a: StatColumns, b: StatColumns | undefined): Iterable<Pair> {
  const timesB = b?.times ?? new BigInt64Array(0);
  for (let i = 0, j = 0; i < a.times.length || j < timesB.length;) {
    const [timeA, timeB] = [a.times[i], timesB[j]];
    const useA = timeB === undefined || (timeA !== undefined && timeA <= timeB);
    const useB = timeA === undefined || (timeB !== undefined && timeB <= timeA);
    yield { time: useA ? timeA! : timeB!, i: useA ? i : -1, j: useB ? j : -1 };
    if (useA) i++;
    if (useB) j++;
  }
}

/** Means are summed up in other orders in other trees; everything else is exact. */
const MEAN_TOLERANCE = 1e-9;

function sameStatistics(a: StatColumns, i: number, b: StatColumns, j: number): boolean {
  if (a.count[i] !== b.count[j] || a.min[i] !== b.min[j] || a.max[i] !== b.max[j]) return false;
  const scale = Math.max(Math.abs(a.min[i]!), Math.abs(a.max[i]!));
  return a.mean[i] === b.mean[j] || Math.abs(a.mean[i]! - b.mean[j]!) <= MEAN_TOLERANCE * scale;
}

/**
 * Tells whether two streams have the same points in a window.
 *
 * @param count Points that both have in it by their statistics.
 * @throws {CliError} If both give the same points, and another number of them.
 */
async function samePoints(
  a: Stream,
  b: Stream,
  window: { start: bigint; end: bigint },
  count: bigint,
  signal: AbortSignal,
): Promise<boolean> {
  const { start, end } = clamp(window);
  const [sumA, sumB] = await Promise.all([
    checksumOf(a, start, end, signal),
    checksumOf(b, start, end, signal),
  ]);
  if (sumA.count !== sumB.count || String(sumA) !== String(sumB)) return false;
  if (BigInt(sumA.count) === count) return true;
  throw new CliError(
    `Cannot compare ${a.uuid}: both databases give ${sumA.count} points from ${
      formatTime(start)
    } to ` +
      `${formatTime(end)}, but by their windows there are ${count}`,
    { hint: "does another program write to them? If not, `btrdb verify` shows where this is so" },
  );
}

/** The checksum of the points of a range. */
async function checksumOf(
  stream: Stream,
  start: bigint,
  end: bigint,
  signal: AbortSignal,
  onPoints?: (points: number) => void,
): Promise<PointChecksum> {
  const sum = new PointChecksum();
  for await (const batch of stream.rawValues(start, end, { signal })) {
    sum.add(batch);
    onPoints?.(batch.times.length);
  }
  return sum;
}

/** The checksum of all points of a stream. */
export function checksumOfAll(stream: Stream, signal: AbortSignal): Promise<PointChecksum> {
  return checksumOf(stream, MIN_TIME, LAST_TIME, signal);
}

/** Neighbours in which the second stream has nothing become one range. */
async function* joined(
  ranges: AsyncIterable<DifferentRange>,
): AsyncGenerator<DifferentRange, void, void> {
  let last: DifferentRange | undefined;
  for await (const range of ranges) {
    const empty = range.countB === 0n && last?.countB === 0n;
    if (last !== undefined && empty && last.end === range.start) {
      last = { ...last, end: range.end, countA: last.countA + range.countA };
    } else {
      if (last !== undefined) yield last;
      last = range;
    }
  }
  if (last !== undefined) yield last;
}
