/**
 * The kernels once more, in plain TypeScript, one point at a time: slow, short and easy to believe.
 *
 * @module
 */

import { allocStat, type RawColumns, type StatColumns } from "../../src/core/columns.ts";

/** Stable sort of points by time. */
export function referenceSort({ times, values }: RawColumns): RawColumns {
  const order = Array.from(times, (_, i) => i);
  order.sort((a, b) => times[a]! < times[b]! ? -1 : times[a]! > times[b]! ? 1 : a - b);
  return {
    times: BigInt64Array.from(order, (i) => times[i]!),
    values: Float64Array.from(order, (i) => values[i]!),
  };
}

/** Boundaries of chunks that do not cross multiples of 2^pointwidth nor exceed `maxPoints`. */
export function referenceChunks(
  times: BigInt64Array,
  pointwidth: number,
  maxPoints: number,
): number[] {
  const bucket = (i: number) => times[i]! >> BigInt(pointwidth);
  const boundaries = [0];
  for (let i = 1; i <= times.length; i++) {
    const from = boundaries.at(-1)!;
    if (i === times.length || i - from === maxPoints || bucket(i) !== bucket(from)) {
      boundaries.push(i);
    }
  }
  return boundaries;
}

/** One window of points or of windows. */
interface Member {
  time: bigint;
  min: number;
  mean: number;
  max: number;
  count: bigint;
  stddev: number;
}

/** Points as windows of one point each. */
function members(columns: RawColumns | StatColumns): Member[] {
  return Array.from(columns.times, (time, i) => {
    if ("values" in columns) {
      const v = columns.values[i]!;
      return { time, min: v, mean: v, max: v, count: 1n, stddev: 0 };
    }
    return {
      time,
      min: columns.min[i]!,
      mean: columns.mean[i]!,
      max: columns.max[i]!,
      count: columns.count[i]!,
      stddev: columns.stddev?.[i] ?? 0,
    };
  });
}

/** Sum that loses nothing on the way (Neumaier). */
function sum(terms: readonly number[]): number {
  let total = 0, lost = 0;
  for (const term of terms) {
    const next = total + term;
    lost += Math.abs(total) >= Math.abs(term) ? total - next + term : term - next + total;
    total = next;
  }
  return total + lost;
}

/** Statistics of all members; `undefined` if they have no points. */
function combine(all: readonly Member[]): Omit<Member, "time"> | undefined {
  const some = all.filter(({ count }) => count > 0n);
  if (some.length === 0) return undefined;
  const count = some.reduce((n, m) => n + m.count, 0n);
  const mean = sum(some.map((m) => m.mean * Number(m.count))) / Number(count);
  const squares = some.map((m) => Number(m.count) * ((m.mean - mean) ** 2 + m.stddev ** 2));
  return {
    min: some.reduce((low, m) => m.min < low ? m.min : low, Infinity),
    mean,
    max: some.reduce((high, m) => m.max > high ? m.max : high, -Infinity),
    count,
    stddev: Math.sqrt(sum(squares) / Number(count)),
  };
}

/** Rows of `(start, members)` as columns; rows without points are zero, or left out. */
function toColumns(
  rows: readonly (readonly [bigint, readonly Member[]])[],
  dense: boolean,
  stddev: boolean,
): StatColumns {
  const kept = rows.map(([start, all]) => [start, combine(all)] as const)
    .filter(([, stats]) => dense || stats !== undefined);
  const out = allocStat(kept.length, stddev);
  kept.forEach(([start, stats], i) => {
    out.times[i] = start;
    if (stats === undefined) return;
    out.min[i] = stats.min;
    out.mean[i] = stats.mean;
    out.max[i] = stats.max;
    out.count[i] = stats.count;
    if (stddev) out.stddev![i] = stats.stddev;
  });
  return out;
}

/** Windows `[start + k * width, start + (k + 1) * width)`. */
export function referenceRewindow(
  columns: RawColumns | StatColumns,
  start: bigint,
  end: bigint,
  width: bigint,
  dense: boolean,
  stddev: boolean,
): StatColumns {
  const all = members(columns);
  const rows: [bigint, Member[]][] = [];
  for (let at = start; at + width <= end; at += width) {
    rows.push([at, all.filter(({ time }) => time >= at && time < at + width)]);
  }
  return toColumns(rows, dense, stddev);
}

/** One row per pixel column. */
export function referencePixels(
  columns: RawColumns | StatColumns,
  start: bigint,
  end: bigint,
  pixels: number,
): StatColumns {
  const all = members(columns);
  const edge = (p: number) => start + (end - start) * BigInt(p) / BigInt(pixels);
  const rows = Array.from({ length: pixels }, (_, p): [bigint, Member[]] => [
    edge(p),
    all.filter(({ time }) => time >= edge(p) && time < edge(p + 1)),
  ]);
  return toColumns(rows, true, false);
}

/** Index of the first point that is out of `[min, max)` or not finite, or -1. */
export function referenceBadPoint({ times, values }: RawColumns, min: bigint, max: bigint): number {
  return values.findIndex((v, i) => !Number.isFinite(v) || times[i]! < min || times[i]! >= max);
}
