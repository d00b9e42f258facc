/**
 * Looking over the points of an insert.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { MAX_TIME, MIN_TIME } from "../core/range.ts";

/** Index of the first point whose time or value is not legal; −1 when all are. */
export function findBadPoint({ times, values }: RawColumns): number {
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    if (time < MIN_TIME || time >= MAX_TIME - 1n || !Number.isFinite(values[i]!)) return i;
  }
  return -1;
}
