/**
 * Ranges in which two versions of a stream differ, complete.
 *
 * The database finds them by the nodes of its tree that are younger than the first version. When
 * everything below a node is deleted the node is gone, and new points make a new one that knows only
 * of themselves: what was deleted beside them is not reported (docs/protocol.md, "Changes"). Such
 * places have lost all their points, so the numbers of points give them away.
 *
 * @module
 */

import type { Stream } from "../client/stream.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import type { Left } from "./ledger.ts";
import { clipped, EVERYTHING, type TimeRange, widened } from "./time_ranges.ts";

/** Ranges kept in memory; with more of them they are asked for more coarsely. */
const MAX_RANGES = 1 << 18;
/** A level of the tree, in steps of resolution. */
const LEVEL = 6;
/** Resolution that tells the buckets of the root apart and no more. */
const COARSEST = 56;
/** Requests at a time. */
const AT_ONCE = 16;
/** Length in ns below which a place that has lost points is not narrowed down. */
const NARROW = 1n << 20n;

/** Two versions of a stream. */
export interface VersionPair {
  stream: Stream;
  /** A version that can still be read. */
  from: bigint;
  /** A later one. */
  to: bigint;
}

/**
 * Ranges outside which two versions have the same points.
 *
 * @param resolution Ranges are rounded out to 2^resolution ns or more, 0 to 63.
 * @returns Ranges inside the legal times, ascending, not touching each other.
 */
export async function changedRanges(
  pair: VersionPair,
  resolution: number,
  left: Left,
): Promise<TimeRange[]> {
  if (pair.from >= pair.to) return [];
  const reported = widened(await reportedRanges(pair, resolution, left), 0n, 0n);
  const lost = await new LostPoints(pair, reported, left).find();
  return lost.length === 0 ? reported : widened([...reported, ...lost], 0n, 0n);
}

async function reportedRanges(
  { stream, from, to }: VersionPair,
  resolution: number,
  left: Left,
): Promise<TimeRange[]> {
  for (let fine = Math.min(resolution, COARSEST);; fine = Math.min(fine + LEVEL, COARSEST)) {
    const ranges: TimeRange[] = [];
    for await (const range of stream.changes(from, to, fine, left())) {
      ranges.push(range);
      if (ranges.length > MAX_RANGES && fine < COARSEST) break;
    }
    if (ranges.length <= MAX_RANGES || fine === COARSEST) return ranges;
  }
}

/** Finds places that have lost points and are not reported. */
class LostPoints {
  readonly #pair: VersionPair;
  readonly #reported: readonly TimeRange[];
  readonly #left: Left;
  /** Points that the reported ranges before each one have lost. */
  #lostBefore: bigint[] = [];

  constructor(pair: VersionPair, reported: readonly TimeRange[], left: Left) {
    this.#pair = pair;
    this.#reported = reported;
    this.#left = left;
  }

  async find(): Promise<TimeRange[]> {
    const losses = await mapConcurrently(this.#reported, AT_ONCE, async (range) => {
      const [from, to] = await this.#counts(range);
      return from - to;
    });
    let sum = 0n;
    this.#lostBefore = [0n, ...losses.map((loss) => sum += loss)];
    return await this.#within(EVERYTHING, 0, this.#reported.length);
  }

  /** Places in a range; `first` to before `last` are the reported ranges in it. */
  async #within(range: TimeRange, first: number, last: number): Promise<TimeRange[]> {
    const [from, to] = await this.#counts(range);
    if (from - to === this.#lostBefore[last]! - this.#lostBefore[first]!) return [];
    if (first < last) {
      const middle = (first + last) >> 1;
      const { start, end } = this.#reported[middle]!;
      return await this.#both(
        [{ start: range.start, end: start }, first, middle],
        [{ start: end, end: range.end }, middle + 1, last],
      );
    }
    const length = range.end - range.start;
    if (to === 0n || length <= NARROW) return [range];
    const half = range.start + length / 2n;
    return await this.#both(
      [{ start: range.start, end: half }, first, first],
      [{ start: half, end: range.end }, first, first],
    );
  }

  async #both(...parts: [TimeRange, number, number][]): Promise<TimeRange[]> {
    const found: TimeRange[] = [];
    for (const [range, first, last] of parts) {
      const inside = clipped(range, EVERYTHING);
      if (inside !== undefined) found.push(...await this.#within(inside, first, last));
    }
    return found;
  }

  /** Points of a range in both versions. */
  async #counts(range: TimeRange): Promise<[from: bigint, to: bigint]> {
    const { stream, from, to } = this.#pair;
    const count = (version: bigint) => stream.count({ ...this.#left(), ...range, version });
    return await Promise.all([count(from), count(to)]);
  }
}
