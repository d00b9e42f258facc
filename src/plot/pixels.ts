/**
 * Reduces windows to pixels: one window per pixel, however many there are.
 *
 * @module
 */

import type { StatColumns } from "../kernel/mod.ts";

/** Extents to draw in each column of dots. */
export interface Pixels {
  /** True if there are points. */
  filled: Uint8Array;
  min: Float64Array;
  max: Float64Array;
  mean: Float64Array;
  /** Smallest and largest value; ∞ and −∞ if there are no points. */
  low: number;
  high: number;
  /** Pixels between two neighbours that belong together; further apart is a gap. */
  reach: number;
}

/** Distance of two windows, as a multiple of the usual one, from which there is a gap. */
const GAP_FACTOR = 4;

/**
 * Reduces windows to pixels: min of mins, max of maxs, mean weighted by count.
 *
 * @param columns Windows, ascending.
 * @param start Start of the first pixel, ns since the Unix epoch.
 * @param end End of the last pixel, exclusive.
 * @param width Number of pixels.
 */
export function toPixels(
  columns: StatColumns,
  start: bigint,
  end: bigint,
  width: number,
): Pixels {
  const pixels: Pixels = {
    filled: new Uint8Array(width),
    min: new Float64Array(width).fill(Infinity),
    max: new Float64Array(width).fill(-Infinity),
    mean: new Float64Array(width),
    low: Infinity,
    high: -Infinity,
    reach: 2,
  };
  const weights = new Float64Array(width);
  const scale = width / Number(end - start);
  const positions: number[] = [];
  for (let i = 0; i < columns.times.length; i++) {
    const time = columns.times[i]!;
    if (columns.count[i] === 0n || time < start || time >= end) continue;
    const x = Math.min(width - 1, Math.floor(Number(time - start) * scale));
    positions.push(x);
    addWindow(pixels, weights, x, columns, i);
  }
  for (let x = 0; x < width; x++) {
    if (pixels.filled[x]) pixels.mean[x]! /= weights[x]!;
  }
  pixels.reach = Math.max(2, GAP_FACTOR * usualDistance(positions));
  return pixels;
}

function addWindow(
  pixels: Pixels,
  weights: Float64Array,
  x: number,
  columns: StatColumns,
  i: number,
): void {
  const weight = Number(columns.count[i]);
  const min = columns.min[i]!;
  const max = columns.max[i]!;
  pixels.filled[x] = 1;
  weights[x]! += weight;
  pixels.mean[x]! += columns.mean[i]! * weight;
  if (min < pixels.min[x]!) pixels.min[x] = min;
  if (max > pixels.max[x]!) pixels.max[x] = max;
  if (min < pixels.low) pixels.low = min;
  if (max > pixels.high) pixels.high = max;
}

/** The median distance between neighbours, in pixels. */
function usualDistance(positions: readonly number[]): number {
  if (positions.length < 2) return 0;
  const distances = positions.slice(1).map((x, i) => x - positions[i]!).sort((a, b) => a - b);
  return distances[distances.length >> 1]!;
}
