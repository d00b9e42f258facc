/**
 * Answers in small steps, for reads of thousands of streams at once. Each step begins anew and
 * keeps nothing but what was asked for, so that a stream that waits for the others costs a chunk and
 * a node, not its path through the tree and what was read there.
 *
 * @module
 */

import { concatRaw, concatStat, type RawColumns, sliceRaw } from "../../core/columns.ts";
import { sliceStat, type StatColumns } from "../../core/columns.ts";
import { lowerBound } from "../../core/search.ts";

/**
 * Raw points, a chunk a step.
 *
 * @param open The points from a time on, the first chunk of as many as are wanted; yields
 * `undefined` where it may pause.
 * @param start First time wanted.
 * @param most Points of a chunk.
 */
export function* rawInSteps(
  open: (start: bigint, points: number) => Iterable<RawColumns | undefined>,
  start: bigint,
  most: number,
): Generator<RawColumns | undefined> {
  let from = start;
  /** Points at `from` that were given already. */
  let given = 0;
  for (;;) {
    let chunk: RawColumns | undefined;
    for (const columns of open(from, given + most)) {
      if ((chunk = columns) !== undefined) break;
      yield undefined;
    }
    const n = chunk?.times.length ?? 0;
    if (chunk === undefined || n === given) return;
    const last = chunk.times[n - 1]!;
    const same = n - lowerBound(chunk.times, last);
    const fresh = sliceRaw(chunk, given, n);
    const isLast = n < given + most;
    given = same;
    from = last;
    yield fresh.times.length === n ? fresh : concatRaw([fresh]);
    if (isLast) return;
  }
}

/**
 * Windows, a chunk a step.
 *
 * @param open The windows from a time on; yields `undefined` where it may pause.
 * @param start First time wanted.
 * @param width Of a window, ns.
 * @param most Windows of a chunk.
 */
export function* windowsInSteps(
  open: (start: bigint) => Iterable<StatColumns | undefined>,
  start: bigint,
  width: bigint,
  most: number,
): Generator<StatColumns | undefined> {
  let from = start;
  for (;;) {
    let chunk: StatColumns | undefined;
    for (const columns of open(from)) {
      if (columns === undefined) yield undefined;
      else if (columns.times.length > 0) {
        chunk = columns;
        break;
      }
    }
    if (chunk === undefined) return;
    if (chunk.times.length > most) chunk = concatStat([sliceStat(chunk, 0, most)]);
    from = chunk.times.at(-1)! + width;
    yield chunk;
  }
}
