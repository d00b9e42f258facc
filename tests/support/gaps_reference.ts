/**
 * The plain way to find gaps: looking at every point.
 *
 * @module
 */

import type { Finding, GapOptions, RawColumns } from "@btrdb/btrdb";

/** Findings of one kind, all of them. */
export interface PlainFindings {
  points: bigint;
  list: Finding[];
}

/** Every gap and other fault of some points, at a period of whole ns. */
export function plainGaps(
  { times, values }: RawColumns,
  period: bigint,
  over: bigint,
  { repeats = 2, low = -Infinity, high = Infinity, start, end }: GapOptions = {},
): Record<"gaps" | "duplicates" | "repeats" | "zeros" | "outOfRange", PlainFindings> {
  const list: Finding[] = [];
  const missing = (a: bigint, b: bigint): bigint => {
    const points = (2n * (b - a) + period) / (2n * period) - 1n;
    return points < 1n ? 1n : points;
  };
  const edge = (a: bigint, b: bigint, last: bigint): void => {
    if (b - a > over) list.push({ start: a, end: b, points: (last - a) / period || 1n });
  };
  if (start !== undefined && times.length > 0) edge(start as bigint, times[0]!, times[0]!);
  for (let i = 1; i < times.length; i++) {
    const [a, b] = [times[i - 1]!, times[i]!];
    if (b - a > over) list.push({ start: a, end: b, points: missing(a, b) });
  }
  if (end !== undefined) edge(times.at(-1)!, end as bigint, (end as bigint) - 1n);
  const runs = (isIn: (i: number) => boolean, fewest = 1, from = 0): PlainFindings => {
    const found: Finding[] = [];
    for (let i = 0; i < times.length; i++) {
      if (!isIn(i)) continue;
      let j = i;
      while (j + 1 < times.length && isIn(j + 1)) j++;
      const first = i + from;
      if (j - first + 1 >= fewest) {
        found.push({ start: times[first]!, end: times[j]!, points: BigInt(j - first + 1) });
      }
      i = j;
    }
    return { points: found.reduce((sum, { points }) => sum + points, 0n), list: found };
  };
  return {
    gaps: { points: list.reduce((sum, { points }) => sum + points, 0n), list },
    duplicates: runs((i) => times[i] === times[i - 1]),
    repeats: runs((i) => i > 0 && values[i] === values[i - 1], repeats, -1),
    zeros: runs((i) => values[i] === 0),
    outOfRange: runs((i) => values[i]! < low || values[i]! > high),
  };
}
