/**
 * Statistics of any part of a long run of points, without reading all of it.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { type Accumulator, reduceValues } from "./stats.ts";

/** Points of the smallest piece of which statistics are kept, and pieces of the next larger one. */
const FANOUT = 16;

/** Statistics of pieces of `width` points, each found when it is first asked for. */
class Level {
  readonly width: number;
  readonly counts: Float64Array;
  readonly mins: Float64Array;
  readonly means: Float64Array;
  readonly maxs: Float64Array;
  readonly m2s: Float64Array;

  constructor(points: number, width: number) {
    const n = Math.floor(points / width);
    this.width = width;
    this.counts = new Float64Array(n);
    this.mins = new Float64Array(n);
    this.means = new Float64Array(n);
    this.maxs = new Float64Array(n);
    this.m2s = new Float64Array(n);
  }
}

/** The points of a run, for windows. */
export class PointStats {
  readonly #values: Float64Array;
  /** The widest pieces first. */
  readonly #levels: readonly Level[];

  constructor({ values }: RawColumns) {
    const n = values.length;
    this.#values = values;
    this.#levels = [FANOUT ** 3, FANOUT ** 2, FANOUT].filter((width) => width <= n)
      .map((width) => new Level(n, width));
  }

  /** Adds the points `[from, to)` to an accumulator. */
  add(window: Accumulator, from: number, to: number): void {
    this.#add(window, from, to, 0);
  }

  #add(window: Accumulator, from: number, to: number, depth: number): void {
    const level = this.#levels[depth];
    if (level === undefined) {
      window.addValues(this.#values, from, to);
      return;
    }
    const { width } = level;
    const first = Math.ceil(from / width), last = Math.floor(to / width);
    if (first >= last) {
      this.#add(window, from, to, depth + 1);
      return;
    }
    this.#add(window, from, first * width, depth + 1);
    for (let i = first; i < last; i++) {
      if (level.counts[i] === 0) this.#fill(level, i);
      window.add(width, level.mins[i]!, level.means[i]!, level.maxs[i]!, level.m2s[i]!);
    }
    this.#add(window, last * width, to, depth + 1);
  }

  #fill(level: Level, i: number): void {
    const { width } = level;
    const { min, mean, max, m2 } = reduceValues(this.#values, i * width, (i + 1) * width);
    level.mins[i] = min;
    level.means[i] = mean;
    level.maxs[i] = max;
    level.m2s[i] = m2;
    level.counts[i] = width;
  }
}

const known = new WeakMap<RawColumns, PointStats>();

/** The statistics of a run; kept as long as it is. */
export function statsOf(points: RawColumns): PointStats {
  let stats = known.get(points);
  if (stats === undefined) known.set(points, stats = new PointStats(points));
  return stats;
}
