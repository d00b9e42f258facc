/**
 * Points of several groups apart.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { columnBytes } from "./arena.ts";
import { extendedArena } from "./extended_arena.ts";

/** The group of points that are left out. */
export const NO_GROUP = 0xffff_ffff;

/**
 * Puts the points of each group together, in the order in which they are.
 *
 * @param columns The points of all groups.
 * @param groups Number of the group of each point, below `count`, or {@linkcode NO_GROUP}.
 * @param count Number of groups.
 * @returns Makes columns of the points of a group: of very many groups not all at once.
 */
export function groupPoints(
  { times, values }: RawColumns,
  groups: Uint32Array,
  count: number,
): (group: number) => RawColumns {
  const n = times.length;
  const next = new Uint32Array(count + 1);
  for (let i = 0; i < n; i++) {
    const group = groups[i]!;
    if (group !== NO_GROUP) next[group + 1]!++;
  }
  for (let group = 0; group < count; group++) next[group + 1]! += next[group]!;
  const column = columnBytes(n);
  const memory = extendedArena(5 * column + columnBytes(count));
  const { base, exports } = memory;
  const timesAt = base + columnBytes(count);
  const [valuesAt, groupsAt] = [timesAt + column, timesAt + 2 * column];
  const [timesOut, valuesOut] = [timesAt + 3 * column, timesAt + 4 * column];
  memory.u32.set(next.subarray(0, count), base >> 2);
  memory.i64.set(times, timesAt >> 3);
  memory.f64.set(values, valuesAt >> 3);
  memory.u32.set(groups, groupsAt >> 2);
  exports.scatterPoints(groupsAt, timesAt, valuesAt, n, base, timesOut, valuesOut);
  const total = next[count]!;
  const all = {
    times: memory.i64.slice(timesOut >> 3, (timesOut >> 3) + total),
    values: memory.f64.slice(valuesOut >> 3, (valuesOut >> 3) + total),
  };
  return (group) => {
    const [from, to] = [next[group]!, next[group + 1]!];
    return { times: all.times.slice(from, to), values: all.values.slice(from, to) };
  };
}
