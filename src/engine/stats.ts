/**
 * Statistics of runs of points, and their accumulation over windows.
 *
 * @module
 */

import type { Stats } from "./node.ts";

/** Statistics of the values `[from, to)`, which must not be empty. */
export function reduceValues(values: Float64Array, from: number, to: number): Stats {
  const first = values[from]!;
  let min = first, max = first, total = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    total += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const count = to - from;
  const mean = total / count;
  let m2 = 0;
  for (let i = from; i < to; i++) {
    const delta = values[i]! - mean;
    m2 += delta * delta;
  }
  return { count, min, mean, max, m2 };
}

/** Sums up sets of points, in the order and with the operations of the real server. */
export class Accumulator {
  count = 0;
  min = 0;
  max = 0;
  /** Sum of mean times count of everything added. */
  total = 0;
  m2 = 0;

  /** Mean of everything added. */
  get mean(): number {
    return this.count === 0 ? 0 : this.total / this.count;
  }

  /** Adds a set by its statistics. */
  add(count: number, min: number, mean: number, max: number, m2: number): void {
    if (this.count === 0) {
      this.min = min;
      this.max = max;
      this.m2 = m2;
    } else {
      if (min < this.min) this.min = min;
      if (max > this.max) this.max = max;
      const delta = mean - this.total / this.count;
      this.m2 += m2 + delta * delta * (this.count * count / (this.count + count));
    }
    this.total += mean * count;
    this.count += count;
  }

  /** Adds the values `[from, to)`. */
  addValues(values: Float64Array, from: number, to: number): void {
    if (from >= to) return;
    const { count, min, mean, max, m2 } = reduceValues(values, from, to);
    this.add(count, min, mean, max, m2);
  }

  /** Forgets everything. */
  reset(): void {
    this.count =
      this.min =
      this.max =
      this.total =
      this.m2 =
        0;
  }
}

/** Population standard deviation from the sum of squared differences. */
export function stddevOf(m2: number, count: number): number {
  return count === 0 ? 0 : Math.sqrt(m2 / count);
}
