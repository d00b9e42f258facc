/**
 * The deletes and inserts of a patch where nothing but "delete a range" and "insert" exists
 * (protocol v4).
 *
 * @module
 */

import { allocRaw, type RawColumns, sliceRaw } from "../core/columns.ts";
import type { TimeRange } from "./arguments.ts";

/** Stored points to delete in one go, and what stands there afterwards: `[lo, hi)` of the patch. */
export interface PatchRun extends TimeRange {
  lo: number;
  hi: number;
}

/** Deletes and inserts that turn the stored points into the patch. */
export interface PatchPlan {
  /** Ranges that hold stored points and nothing that must stay, ascending. */
  runs: PatchRun[];
  /** Points outside every run that are not stored yet. */
  rest: RawColumns;
}

/**
 * Plans a patch. Points that are stored already, once and with the same value, are left alone;
 * neighbouring stored points that must go, go together.
 *
 * @param stored Points in the patch's range of time, ascending.
 * @param patch New points, ascending, no time twice.
 */
export function planPatch(stored: RawColumns, patch: RawColumns): PatchPlan {
  const n = patch.times.length;
  const done = new Uint8Array(n);
  const runs: PatchRun[] = [];
  let run: PatchRun | undefined;
  let i = 0;
  for (let at = 0; at < stored.times.length;) {
    const time = stored.times[at]!;
    let next = at + 1;
    while (next < stored.times.length && stored.times[next] === time) next++;
    while (i < n && patch.times[i]! < time) i++;
    const patched = i < n && patch.times[i] === time;
    if (patched && next === at + 1 && Object.is(stored.values[at], patch.values[i])) {
      done[i] = 1;
      run = undefined;
    } else if (patched) {
      if (run === undefined) runs.push(run = { start: time, end: time, lo: i, hi: i });
      run.end = time + 1n;
      run.hi = i + 1;
    } else {
      run = undefined;
    }
    at = next;
  }
  for (const { lo, hi } of runs) done.fill(1, lo, hi);
  return { runs, rest: pick(patch, (index) => done[index] === 0) };
}

/**
 * Points of `stored` whose times are not patched.
 *
 * @param stored Ascending.
 * @param patch Ascending.
 */
export function survivors(stored: RawColumns, patch: RawColumns): RawColumns {
  let i = 0;
  return pick(stored, (at) => {
    const time = stored.times[at]!;
    while (i < patch.times.length && patch.times[i]! < time) i++;
    return patch.times[i] !== time;
  });
}

/**
 * Of points with equal times only the last.
 *
 * @param columns Ascending; points of equal time in the order in which they were given.
 */
export function lastOfEquals(columns: RawColumns): RawColumns {
  const { times } = columns;
  const isUnique = times.every((time, i) => time !== times[i - 1]);
  return isUnique ? columns : pick(columns, (i) => times[i] !== times[i + 1]);
}

/** Points for which a condition holds, in columns of their own. */
function pick({ times, values }: RawColumns, wanted: (index: number) => boolean): RawColumns {
  const out = allocRaw(times.length);
  let n = 0;
  for (let i = 0; i < times.length; i++) {
    if (!wanted(i)) continue;
    out.times[n] = times[i]!;
    out.values[n++] = values[i]!;
  }
  return sliceRaw(out, 0, n);
}
