/**
 * Late points: those of a version that are beside its tree, because they would be few among many in
 * the leaves they belong to (docs/engine.md, "Late points").
 *
 * @module
 */

import { type RawColumns, sliceRaw } from "../../core/columns.ts";
import { gallop, lowerBound } from "../../core/search.ts";
import { mergeThreeColumns, type ThreeColumns } from "../../kernel/merge_two_runs.ts";
import { earlier } from "./merge_runs.ts";

/** Points in order of time, equal times in order of arrival. */
export interface LatePoints extends RawColumns {
  /** The version with which each of them came. */
  readonly majors: Float64Array;
}

/** No points. */
export const NO_LATE: LatePoints = {
  times: new BigInt64Array(0),
  values: new Float64Array(0),
  majors: new Float64Array(0),
};

/** Sorted points that all came with one version. */
export function lateOf({ times, values }: RawColumns, major: number): LatePoints {
  return { times, values, majors: new Float64Array(times.length).fill(major) };
}

/** The points `[from, to)`, in the same memory. */
export function sliceLate(points: LatePoints, from: number, to: number): LatePoints {
  return { ...sliceRaw(points, from, to), majors: points.majors.subarray(from, to) };
}

/** Points of each run that are merged in one step, if no more have the same time. */
const STEP_POINTS = 16_384;

/** Two runs as one; at equal times the points of `a` come first. */
export function mergeLate(a: LatePoints, b: LatePoints): LatePoints {
  const na = a.times.length, nb = b.times.length;
  if (na === 0) return b;
  if (nb === 0) return a;
  if (a.times[na - 1]! <= b.times[0]!) return joinLate([a, b]);
  const merged = allocLate(na + nb);
  for (let i = 0, j = 0; i < na || j < nb;) {
    // Points of equal time are in one step.
    const end = earlier(a.times[i + STEP_POINTS], b.times[j + STEP_POINTS]);
    const toA = end === undefined ? na : gallop(a.times, end + 1n, i, na);
    const toB = end === undefined ? nb : gallop(b.times, end + 1n, j, nb);
    const [nextA, nextB] = [sliceLate(a, i, toA), sliceLate(b, j, toB)];
    mergeThreeColumns(columnsOf(nextA), columnsOf(nextB), columnsOf(merged), i + j);
    i = toA;
    j = toB;
  }
  return merged;
}

function columnsOf({ times, values, majors }: LatePoints): ThreeColumns {
  return [times, values, majors];
}

function allocLate(n: number): LatePoints {
  return {
    times: new BigInt64Array(n),
    values: new Float64Array(n),
    majors: new Float64Array(n),
  };
}

/** A range of times, `[start, end)`, ns. */
export interface TimeRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Indices of the points in a range. */
export function indicesIn({ times }: RawColumns, { start, end }: TimeRange): [number, number] {
  const from = lowerBound(times, start);
  return [from, lowerBound(times, end, from)];
}

/**
 * Points as those in some ranges and the others.
 *
 * @param ranges Ascending, apart from one another.
 */
export function splitLate(
  points: LatePoints,
  ranges: readonly TimeRange[],
): { within: LatePoints; others: LatePoints } {
  const within: LatePoints[] = [], others: LatePoints[] = [];
  let at = 0;
  for (const range of ranges) {
    const [from, to] = indicesIn(points, range);
    if (from === to) continue;
    others.push(sliceLate(points, at, from));
    within.push(sliceLate(points, from, to));
    at = to;
  }
  if (at === 0) return { within: NO_LATE, others: points };
  others.push(sliceLate(points, at, points.times.length));
  return { within: joinLate(within), others: joinLate(others) };
}

/** Runs that follow one another as one. */
function joinLate(runs: readonly LatePoints[]): LatePoints {
  const n = runs.reduce((sum, { times }) => sum + times.length, 0);
  const all = allocLate(n);
  let at = 0;
  for (const { times, values, majors } of runs) {
    all.times.set(times, at);
    all.values.set(values, at);
    all.majors.set(majors, at);
    at += times.length;
  }
  return all;
}
