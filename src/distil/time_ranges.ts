/**
 * Sets of ranges of time.
 *
 * @module
 */

import type { TimeRange } from "../client/arguments.ts";
import { joined } from "../client/changes.ts";
import { LAST_TIME, MIN_TIME } from "../core/range.ts";

export type { TimeRange };

/** All times that a point can have. */
export const EVERYTHING: Readonly<TimeRange> = { start: MIN_TIME, end: LAST_TIME };

/** Ranges that reach further, inside the legal times, ascending and not touching each other. */
export function widened(
  ranges: readonly TimeRange[],
  before: bigint,
  after: bigint,
): TimeRange[] {
  const wide: TimeRange[] = [];
  for (const { start, end } of ranges) {
    const range = clipped({ start: start - before, end: end + after }, EVERYTHING);
    if (range !== undefined) wide.push(range);
  }
  return joined(wide);
}

/** The part of a range that lies in another one. */
export function clipped(range: TimeRange, frame: Readonly<TimeRange>): TimeRange | undefined {
  const start = range.start > frame.start ? range.start : frame.start;
  const end = range.end < frame.end ? range.end : frame.end;
  return start < end ? { start, end } : undefined;
}

/** The parts of ranges that lie at or after a time. */
export function from(ranges: readonly TimeRange[], time: bigint): TimeRange[] {
  const frame = { start: time, end: LAST_TIME };
  return ranges.map((range) => clipped(range, frame)).filter((range) => range !== undefined);
}

/**
 * Ranges without the times of others.
 *
 * @param ranges Ascending, not touching each other.
 * @param others Likewise.
 */
export function without(ranges: readonly TimeRange[], others: readonly TimeRange[]): TimeRange[] {
  const left: TimeRange[] = [];
  let i = 0;
  for (const { start, end } of ranges) {
    let at = start;
    while (i < others.length && others[i]!.end <= start) i++;
    for (let k = i; k < others.length && others[k]!.start < end; k++) {
      if (others[k]!.start > at) left.push({ start: at, end: others[k]!.start });
      if (others[k]!.end > at) at = others[k]!.end;
    }
    if (at < end) left.push({ start: at, end });
  }
  return left;
}

/** Length of all ranges together, ns. */
export function lengthOf(ranges: readonly TimeRange[]): bigint {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0n);
}
