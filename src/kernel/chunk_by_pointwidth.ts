/**
 * Cutting sorted points into pieces that fit the tree.
 *
 * @module
 */

import { gallop } from "../core/search.ts";
import type { RawColumns } from "../core/columns.ts";
import { checkObject } from "../core/check_object.ts";
import { checkInteger, checkTimes } from "./arguments.ts";
import { isSorted } from "./find_bad_point.ts";
import { outOfRange } from "../core/argument_error.ts";

/** Options of cutting points into chunks. */
export interface ChunkOptions {
  /** No chunk crosses a multiple of 2^pointwidth ns; 0 to 63. */
  pointwidth: number;
  /** Most points of a chunk; 1 to 2^32 - 1. */
  maxPoints: number;
}

/**
 * Cuts points that are in order of time into chunks that never cross a multiple of 2^pointwidth ns
 * and never exceed `maxPoints`, each as long as that allows. One chunk then touches one subtree.
 *
 * @param columns Points, times ascending; only the times are looked at.
 * @param options Options of cutting points into chunks.
 * @returns n + 1 boundaries of n chunks: chunk `i` is `[r[i], r[i + 1])`. One boundary, 0, if there
 * are no points.
 * @throws {RangeError} If `pointwidth` is not within 0 to 63, `maxPoints` not within 1 to 2^32 - 1,
 * or
 * times are not ascending.
 *
 * @example Cut a batch for inserting
 * ```ts
 * import { chunkByPointwidth } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const times = BigInt64Array.of(0n, 5n, 15n, 16n, 17n, 18n);
 * const cuts = chunkByPointwidth({ times }, { pointwidth: 4, maxPoints: 2 });
 * assertEquals([...cuts], [0, 2, 3, 5, 6]);
 * ```
 */
export function chunkByPointwidth(
  columns: Pick<RawColumns, "times">,
  options: ChunkOptions,
): Uint32Array {
  const action = "chunk points";
  checkObject(action, "columns", columns);
  checkObject(action, "options", options);
  const { pointwidth, maxPoints } = options;
  checkInteger(action, "pointwidth", pointwidth, 0, 63);
  checkInteger(action, "maxPoints", maxPoints, 1, 0xffffffff);
  checkTimes(action, columns.times);
  const { times } = columns;
  if (!isSorted(times)) {
    throw outOfRange(`Cannot ${action}: times are not in order, expected them ascending`);
  }
  return new Uint32Array(cutSorted(times, options));
}

/** As {@linkcode chunkByPointwidth}, of times that are known to ascend and options that are checked. */
export function cutSorted(
  times: BigInt64Array,
  { pointwidth, maxPoints }: ChunkOptions,
): number[] {
  const bits = BigInt(pointwidth);
  const boundaries: number[] = [0];
  for (let from = 0; from < times.length;) {
    from = chunkEnd(times, from, Math.min(times.length, from + maxPoints), bits);
    boundaries.push(from);
  }
  return boundaries;
}

/** First index in `(from, to]` whose time is in another bucket than that of `from`, or `to`. */
function chunkEnd(times: BigInt64Array, from: number, to: number, bits: bigint): number {
  if (to - from === 1) return to;
  const next = ((times[from]! >> bits) + 1n) << bits;
  if (times[to - 1]! < next) return to;
  return gallop(times, next, from, to);
}
