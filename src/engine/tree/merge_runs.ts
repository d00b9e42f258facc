/**
 * Merging sorted runs of points.
 *
 * @module
 */

import { concatRaw, type RawColumns } from "../../core/columns.ts";
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

/** All points of both runs. Runs that do not interleave are only copied. */
function mergeAll(a: RawColumns, b: RawColumns): RawColumns {
  if (a.times.at(-1)! <= b.times[0]!) return concatRaw([a, b]);
  return mergeTwoRuns(a, b);
}

const NOTHING = new BigInt64Array(0);

function isDropped(time: bigint, drop: true | BigInt64Array): boolean {
  return drop === true || drop[lowerBound(drop, time)] === time;
}
