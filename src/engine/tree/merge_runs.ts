/**
 * Merging sorted runs of points.
 *
 * @module
 */

import { concatRaw, type RawColumns, sliceRaw } from "../../core/columns.ts";
import { mergeTwoRuns } from "../../kernel/merge_two_runs.ts";
import { gallop, lowerBound } from "../../core/search.ts";

/**
 * Two sorted runs as one; at equal times the points of `a` come first.
 *
 * @param drop Times, ascending, at which the points of `a` are left out; `true` for all of `b`.
 */
export function mergeRuns(
  a: RawColumns,
  b: RawColumns,
  drop: true | BigInt64Array = NOTHING,
): RawColumns {
  const na = a.times.length, nb = b.times.length;
  if (na === 0) return b;
  if (nb === 0) return a;
  if (drop !== true && drop.length === 0) return mergeAll(a, b);
  const times = new BigInt64Array(na + nb);
  const values = new Float64Array(na + nb);
  let out = 0;
  const copy = (run: RawColumns, from: number, to: number) => {
    times.set(run.times.subarray(from, to), out);
    values.set(run.values.subarray(from, to), out);
    out += to - from;
  };
  let i = 0, j = 0;
  while (i < na && j < nb) {
    const ta = a.times[i]!, tb = b.times[j]!;
    if (tb < ta) {
      const to = gallop(b.times, ta, j, nb);
      copy(b, j, to);
      j = to;
      continue;
    }
    const to = gallop(a.times, ta < tb ? tb : ta + 1n, i, na);
    if (ta < tb || !isDropped(ta, drop)) copy(a, i, to);
    i = to;
    if (ta < tb) continue;
    const end = gallop(b.times, tb + 1n, j, nb);
    copy(b, j, end);
    j = end;
  }
  copy(a, i, na);
  copy(b, j, nb);
  return out === na + nb
    ? { times, values }
    : { times: times.slice(0, out), values: values.slice(0, out) };
}

/** Points of each run that are merged in one step: four times as many take 8 ms the first time. */
const STEP_POINTS = 16_384;

/**
 * As {@linkcode mergeRuns}, in steps. Yields where it may pause.
 *
 * @param a Sorted points; must stay as they are until the last step.
 * @param b Sorted points; the same.
 */
export function* mergeRunsInSteps(
  a: RawColumns,
  b: RawColumns,
  drop: true | BigInt64Array = NOTHING,
): Generator<undefined, RawColumns> {
  const na = a.times.length, nb = b.times.length;
  if (na === 0) return b;
  if (nb === 0) return a;
  if (na + nb <= 2 * STEP_POINTS) return mergeRuns(a, b, drop);
  // The C library may fill such memory with zeros at once, for some ms.
  const times = new BigInt64Array(na + nb);
  yield;
  const merged = { times, values: new Float64Array(na + nb) };
  let out = 0, i = 0, j = 0;
  const add = ({ times, values }: RawColumns) => {
    merged.times.set(times, out);
    merged.values.set(values, out);
    out += times.length;
  };
  while (i < na || j < nb) {
    yield;
    const end = earlier(a.times[i + STEP_POINTS], b.times[j + STEP_POINTS]);
    const toA = end === undefined ? na : gallop(a.times, end, i, na);
    const toB = end === undefined ? nb : gallop(b.times, end, j, nb);
    add(mergeRuns(sliceRaw(a, i, toA), sliceRaw(b, j, toB), drop));
    [i, j] = [toA, toB];
    if (end === undefined) continue;
    // Any number of points may have this time.
    const endA = gallop(a.times, end + 1n, i, na), endB = gallop(b.times, end + 1n, j, nb);
    const isReplaced = endA > i && endB > j && isDropped(end, drop);
    for (const part of isReplaced ? [] : partsOf(a, i, endA)) {
      add(part);
      yield;
    }
    for (const part of partsOf(b, j, endB)) {
      add(part);
      yield;
    }
    [i, j] = [endA, endB];
  }
  return sliceRaw(merged, 0, out);
}

/** Points in parts of one step. */
function* partsOf(run: RawColumns, from: number, to: number): Generator<RawColumns> {
  for (let at = from; at < to; at += STEP_POINTS) {
    yield sliceRaw(run, at, Math.min(at + STEP_POINTS, to));
  }
}

/** The earlier of two times, of which either may be absent. */
export function earlier(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  return a === undefined || b !== undefined && b < a ? b : a;
}

/** All points of both runs. Runs that do not interleave are only copied. */
function mergeAll(a: RawColumns, b: RawColumns): RawColumns {
  if (a.times.at(-1)! <= b.times[0]!) return concatRaw([a, b]);
  return mergeTwoRuns(a, b);
}

const NOTHING = new BigInt64Array(0);

function isDropped(time: bigint, drop: true | BigInt64Array): boolean {
  return drop === true || drop[lowerBound(drop, time)] === time;
}
