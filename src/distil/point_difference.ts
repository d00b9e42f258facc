/**
 * Differences between two sets of points, whatever order equal times come in: servers sort them
 * unstably (docs/protocol.md, "Insert").
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import type { TimeRange } from "./time_ranges.ts";

/**
 * The shortest range in which two sets of points differ.
 *
 * @param a Points in order of time.
 * @param b Likewise.
 * @returns Absent if they are the same.
 */
export function differenceOf(a: RawColumns, b: RawColumns): TimeRange | undefined {
  a = ordered(a);
  b = ordered(b);
  const [n, m] = [a.times.length, b.times.length];
  const shorter = Math.min(n, m);
  let head = 0;
  while (head < shorter && same(a, head, b, head)) head++;
  if (head === n && head === m) return undefined;
  let tail = 0;
  while (tail < shorter - head && same(a, n - 1 - tail, b, m - 1 - tail)) tail++;
  const first = [a.times[head], b.times[head]].filter((time) => time !== undefined);
  const last = [a.times[n - 1 - tail], b.times[m - 1 - tail]].filter((time) => time !== undefined);
  const start = first.reduce((least, time) => time < least ? time : least);
  const end = last.reduce((most, time) => time > most ? time : most, start) + 1n;
  return { start, end };
}

function same(a: RawColumns, i: number, b: RawColumns, j: number): boolean {
  return a.times[i] === b.times[j] && a.values[i] === b.values[j];
}

/** Columns whose points of equal time are in the order of their values. */
function ordered(columns: RawColumns): RawColumns {
  const { times } = columns;
  let values = columns.values;
  for (let i = 1, run = 0; i <= times.length; i++) {
    if (i < times.length && times[i] === times[run]) continue;
    if (i - run > 1) {
      if (values === columns.values) values = values.slice();
      values.subarray(run, i).sort();
    }
    run = i;
  }
  return { times, values };
}
