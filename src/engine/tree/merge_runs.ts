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

/** Points of each run that are merged in one step, if no more have the same time. */
const STEP_POINTS = 65_536;

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
  if (na + nb <= STEP_POINTS) return mergeRuns(a, b, drop);
  const merged = { times: new BigInt64Array(na + nb), values: new Float64Array(na + nb) };
  let out = 0, i = 0, j = 0;
  while (i < na || j < nb) {
    if (out > 0) yield;
    // Points of equal time are in one step.
    const end = earlier(a.times[i + STEP_POINTS], b.times[j + STEP_POINTS]);
    const toA = end === undefined ? na : gallop(a.times, end + 1n, i, na);
    const toB = end === undefined ? nb : gallop(b.times, end + 1n, j, nb);
    const step = mergeRuns(sliceRaw(a, i, toA), sliceRaw(b, j, toB), drop);
    merged.times.set(step.times, out);
    merged.values.set(step.values, out);
    out += step.times.length;
    i = toA;
    j = toB;
  }
  return sliceRaw(merged, 0, out);
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
