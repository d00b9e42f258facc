/**
 * Runs of points in the windows of a grid, by a plain loop.
 *
 * @module
 */

import type { RawColumns } from "../../src/core/columns.ts";

/** The points that lie in one window. */
export interface Run {
  start: bigint;
  count: number;
  min: number;
  mean: number;
  max: number;
  m2: number;
  total: number;
}

/**
 * The runs of points in order of time, none of which is before the open window.
 *
 * @param start Start of the open window.
 * @param total Sum of the values in it so far.
 * @param nothing Sum of no values.
 */
export function runsOf(
  { times, values }: RawColumns,
  start: bigint,
  width: bigint,
  total: number,
  nothing: number,
): Run[] {
  const runs: Run[] = [];
  for (let from = 0, to = 0; from < times.length; from = to) {
    const windowStart = times[from]! - (times[from]! - start) % width;
    while (to < times.length && times[to]! < windowStart + width) to++;
    const run = statsOf(values.subarray(from, to), windowStart === start ? total : nothing);
    runs.push({ start: windowStart, ...run });
  }
  return runs;
}

function statsOf(values: Float64Array, before: number): Omit<Run, "start"> {
  let min = values[0]!, max = values[0]!, sum = 0, total = before;
  for (const value of values) {
    sum += value;
    total += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const count = values.length;
  const mean = sum / count;
  // Squares of every fourth value, so that four sums do not wait for each other; the last ones
  // belong to the first sum.
  const squares = [0, 0, 0, 0];
  values.forEach((value, i) => {
    const lane = i < count - count % 4 ? i % 4 : 0;
    squares[lane]! += (value - mean) * (value - mean);
  });
  const [a, b, c, d] = squares as [number, number, number, number];
  return { count, min, mean, max, m2: a + b + (c + d), total };
}
