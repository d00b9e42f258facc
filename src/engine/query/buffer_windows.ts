/**
 * Windows of the points in the buffer.
 *
 * @module
 */

import type { StatColumns } from "../../core/columns.ts";
import type { Reading } from "./snapshot.ts";
import { type Grid, pointWindows } from "../tree/windows.ts";

/** Values below this have finite sums, however many they are: a count is below 2^53. */
const MODERATE = 1e290;

function isModerate(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i]!) < MODERATE)) return false;
  return true;
}

/** The windows of a grid that have buffered points, to be merged with those of the tree. */
export function sparseBufferWindows(snapshot: Reading, grid: Grid): StatColumns {
  const windows = pointWindows(snapshot.points, grid);
  overflowInOrder(windows, snapshot, grid);
  return windows;
}

/**
 * As {@linkcode sparseBufferWindows}, for an answer that has the empty windows too. The real server
 * merges there every window of the buffer with one of the tree, an empty one as well, so the mean
 * times the count can overflow once more, and a negative zero is lost; only without a tree the last
 * window stands alone.
 */
export function denseBufferWindows(snapshot: Reading, grid: Grid): StatColumns {
  const windows = sparseBufferWindows(snapshot, grid);
  const { times, mean, count } = windows;
  const last = times.length - 1;
  for (let i = 0; i <= last; i++) {
    if (i === last && snapshot.root === 0 && times[i]! + grid.width >= grid.end) break;
    // No count makes it zero or infinite, and to read one costs a bigint.
    if (mean[i] !== 0 && Math.abs(mean[i]!) < MODERATE) continue;
    const sum = mean[i]! * Number(count[i]!);
    if (sum === 0 || !Number.isFinite(sum)) mean[i] = sum + 0;
  }
  return windows;
}

/**
 * Tells whether a sum overflows, which depends on its order. The real server keeps a running
 * mean of the points in the order of their arrival (docs/protocol.md, "Windows of the buffer").
 */
function overflowInOrder(windows: StatColumns, reading: Reading, grid: Grid): void {
  const { times, min, mean, max, count } = windows;
  if (isModerate(min) && isModerate(max)) return;
  const risky = new Map<bigint, number>();
  for (let i = 0; i < times.length; i++) {
    const bound = 2 * Math.max(-min[i]!, max[i]!) * Number(count[i]!);
    if (!Number.isFinite(bound)) risky.set(times[i]!, i);
  }
  if (risky.size === 0) return;
  const { arrived } = reading;
  const seen = new Float64Array(times.length);
  for (let p = 0; p < arrived.times.length; p++) {
    const time = arrived.times[p]!;
    if (time < grid.start || time >= grid.end) continue;
    const i = risky.get(time - (time - grid.start) % grid.width);
    if (i === undefined) continue;
    const n = seen[i]!++;
    const value = arrived.values[p]!;
    mean[i] = n === 0 ? value : (mean[i]! * n + value) / (n + 1);
  }
}
