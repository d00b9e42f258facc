/**
 * Points to what a plot draws: one row per pixel column.
 *
 * @module
 */

import { lowerBound } from "../core/search.ts";
import { allocStat, type RawColumns, type StatColumns } from "../core/columns.ts";
import { checkObject } from "../core/check_object.ts";
import { checkInteger, checkPoints, checkRange, isRaw } from "./arguments.ts";
import { type Arena, arena, columnBytes } from "./arena.ts";
import { isSorted } from "./find_bad_point.ts";
import { outOfRange } from "../core/argument_error.ts";

/** Range and width of a plot. */
export interface PixelOptions {
  /** Time of the left edge, ns since the Unix epoch, UTC. */
  start: bigint;
  /** Time of the right edge, exclusive. */
  end: bigint;
  /** Number of pixel columns, 1 to 65,536. */
  pixels: number;
}

const ACTION = "reduce to pixels";
const MAX_PIXELS = 65_536;
/** Points, or windows, per call of the kernel. */
const CHUNK = 65_536;
const STAT_CHUNK = 16_384;

/**
 * Smallest value, mean and largest value of the points behind each pixel column of a plot. Column
 * `p` stands for the times from `start + ⌊p · (end − start) / pixels⌋` to where column `p + 1`
 * begins.
 *
 * @param columns Raw points or windows (which belong where they start), times ascending.
 * @param options Range and width of a plot.
 * @returns `pixels` rows; `times` is where the column begins, all else is 0 where it has no points.
 * @throws {TypeError} If an argument is of the wrong type, or a column detached.
 * @throws {RangeError} If `pixels` is not within 1 to 65,536, `start` is after `end`, times are not
 * ascending, or columns differ in length.
 *
 * @example Six samples on three pixels
 * ```ts
 * import { reducePixels } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const times = BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n);
 * const values = Float64Array.of(5, 1, 2, 2, 0, 9);
 * const { min, max } = reducePixels({ times, values }, { start: 0n, end: 6n, pixels: 3 });
 * assertEquals([...min], [1, 2, 0]);
 * assertEquals([...max], [5, 2, 9]);
 * ```
 */
export function reducePixels(
  columns: RawColumns | StatColumns,
  options: PixelOptions,
): StatColumns {
  checkObject(ACTION, "options", options);
  const { start, end, pixels } = options;
  checkInteger(ACTION, "pixels", pixels, 1, MAX_PIXELS);
  checkRange(ACTION, start, end);
  checkPoints(ACTION, columns);
  if (!isSorted(columns.times)) {
    throw outOfRange(`Cannot ${ACTION}: times are not in order, expected them ascending`);
  }
  const out = allocStat(pixels);
  const bounds = findBounds(columns.times, start, end, out.times);
  const chunk = isRaw(columns) ? CHUNK : STAT_CHUNK;
  for (let at = bounds[0]!; at < bounds[pixels]!; at += chunk) {
    reduceChunk(columns, at, Math.min(at + chunk, bounds[pixels]!), bounds, out);
  }
  return out;
}

/** Index of the first point of each pixel, one more for the end; pixel times go to `edges`. */
function findBounds(
  times: BigInt64Array,
  start: bigint,
  end: bigint,
  edges: BigInt64Array,
): Float64Array {
  const pixels = edges.length;
  const bounds = new Float64Array(pixels + 1);
  let from = 0;
  for (let p = 0; p <= pixels; p++) {
    const edge = start + (end - start) * BigInt(p) / BigInt(pixels);
    if (p < pixels) edges[p] = edge;
    from = lowerBound(times, edge, from);
    bounds[p] = from;
  }
  return bounds;
}

/** First pixel whose range ends after point `at`. */
function pixelOf(bounds: Float64Array, at: number): number {
  let low = 0, high = bounds.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bounds[middle + 1]! <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Adds the points `[from, to)` to the pixels they belong to. */
function reduceChunk(
  columns: RawColumns | StatColumns,
  from: number,
  to: number,
  bounds: Float64Array,
  out: StatColumns,
): void {
  const first = pixelOf(bounds, from);
  const pixels = pixelOf(bounds, to - 1) - first + 1;
  const column = columnBytes(to - from), toColumn = columnBytes(pixels);
  const raw = isRaw(columns);
  const inputs = (raw ? 1 : 5) * column;
  const a = arena(inputs + 4 * toColumn + 4 * (pixels + 1));
  const results = a.base + inputs, edges = results + 4 * toColumn;
  copyIn(a, columns, from, to, column);
  for (let p = 0; p <= pixels; p++) {
    a.u32[(edges >>> 2) + p] = Math.min(Math.max(bounds[first + p]!, from), to) - from;
  }
  a.exports.reduceRanges(!raw, a.base, column, edges, pixels, results, toColumn);
  for (let p = 0; p < pixels; p++) addPixel(a, results + 8 * p, toColumn, out, first + p);
}

/** Copies what the kernel needs of the points `[from, to)` to the start of the arena. */
function copyIn(
  a: Arena,
  columns: RawColumns | StatColumns,
  from: number,
  to: number,
  column: number,
): void {
  const at = (k: number) => (a.base + k * column) >>> 3;
  if (isRaw(columns)) {
    a.f64.set(columns.values.subarray(from, to), at(0));
    return;
  }
  a.f64.set(columns.min.subarray(from, to), at(1));
  a.f64.set(columns.mean.subarray(from, to), at(2));
  a.f64.set(columns.max.subarray(from, to), at(3));
  a.u64.set(columns.count.subarray(from, to), at(4));
}

/** Adds the statistics at `p` to those a pixel has from the chunks before. */
function addPixel(a: Arena, p: number, column: number, out: StatColumns, pixel: number): void {
  const count = a.u64[(p + 3 * column) >>> 3]!;
  if (count === 0n) return;
  const min = a.f64[p >>> 3]!, mean = a.f64[(p + column) >>> 3]!;
  const max = a.f64[(p + 2 * column) >>> 3]!;
  const before = out.count[pixel]!;
  const share = Number(count) / Number(before + count);
  out.min[pixel] = before === 0n || min < out.min[pixel]! ? min : out.min[pixel]!;
  out.max[pixel] = before === 0n || max > out.max[pixel]! ? max : out.max[pixel]!;
  out.mean[pixel] = before === 0n ? mean : out.mean[pixel]! + (mean - out.mean[pixel]!) * share;
  out.count[pixel] = before + count;
}
