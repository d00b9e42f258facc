/**
 * Statistics of runs of points, and their accumulation over windows.
 *
 * @module
 */

import type { WindowRuns } from "../../kernel/window_runs.ts";
import type { Stats } from "./node.ts";

/** Statistics of the values `[from, to)`, which must not be empty. */
export function reduceValues(values: Float64Array, from: number, to: number): Stats {
  const first = values[from]!;
  let min = first, max = first, sum = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const count = to - from;
  const mean = sum / count;
  let m2 = 0;
  for (let i = from; i < to; i++) {
    const delta = values[i]! - mean;
    m2 += delta * delta;
  }
  return { count, min, mean, max, m2 };
}

/**
 * As {@linkcode reduceValues}, with the squares in four sums, which is faster and may differ in the
 * last digits: for answers, not for what is stored.
 *
 * @param before A running sum, which `total` goes on with.
 */
function reduceQuickly(
  values: Float64Array,
  from: number,
  to: number,
  before: number,
): Stats & { total: number } {
  const first = values[from]!;
  let min = first, max = first, sum = 0, total = before;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    sum += value;
    total += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const count = to - from;
  const mean = sum / count;
  let i = from, a = 0, b = 0, c = 0, d = 0;
  for (const whole = to - 3; i < whole; i += 4) {
    const p = values[i]! - mean, q = values[i + 1]! - mean;
    const r = values[i + 2]! - mean, s = values[i + 3]! - mean;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (; i < to; i++) {
    const delta = values[i]! - mean;
    a += delta * delta;
  }
  return { count, min, mean, max, m2: a + b + (c + d), total };
}

/** Sums up sets of points, in the order and with the operations of the real server. */
export class Accumulator {
  count = 0;
  min = 0;
  max = 0;
  /** Sum of the values added, and of mean times count of the sets added. */
  total: number;
  m2 = 0;
  /** Sum of no values. */
  readonly nothing: number;

  /**
   * @param nothing The sum of no values: 0, or −0, with which the mean of negative zeros is one too.
   */
  constructor(nothing = 0) {
    this.nothing = nothing;
    this.total = nothing;
  }

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

  /**
   * Adds the values `[from, to)`: their sum, not their mean times their count, which can overflow
   * where the sum does not.
   */
  addValues(values: Float64Array, from: number, to: number): void {
    if (from >= to) return;
    const { count, min, mean, max, m2, total } = reduceQuickly(values, from, to, this.total);
    this.add(count, min, mean, max, m2);
    this.total = total;
  }

  /** As {@linkcode addValues}, of a run whose statistics are there. */
  addRun(runs: WindowRuns, run: number): void {
    this.add(runs.count(run), runs.min(run), runs.mean(run), runs.max(run), runs.m2(run));
    this.total = runs.total(run);
  }

  /** Forgets everything. */
  reset(): void {
    this.count =
      this.min =
      this.max =
      this.m2 =
        0;
    this.total = this.nothing;
  }
}

/** Population standard deviation from the sum of squared differences. */
export function stddevOf(m2: number, count: number): number {
  return count === 0 ? 0 : Math.sqrt(m2 / count);
}
