/**
 * Sorting points by time.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { isAscending } from "./search.ts";

/** The points in order of time, stable; the same object when they already are. */
export function sortColumns(columns: RawColumns): RawColumns {
  const { times, values } = columns;
  if (isAscending(times)) return columns;
  const order = Uint32Array.from(times, (_, i) => i);
  order.sort((a, b) => {
    const ta = times[a]!, tb = times[b]!;
    return ta < tb ? -1 : ta > tb ? 1 : a - b;
  });
  return {
    times: BigInt64Array.from(order, (i) => times[i]!),
    values: Float64Array.from(order, (i) => values[i]!),
  };
}
