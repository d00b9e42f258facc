/**
 * Collects finished windows in columns that grow.
 *
 * @module
 */

import { allocStat, type StatColumns } from "../../core/columns.ts";
import { type Accumulator, stddevOf } from "./stats.ts";

/** Windows for which memory is taken at first, where nobody knows how many come. */
const FIRST_WINDOWS = 256;

/** Shared by all builders that are empty: columns cost more to make than a few windows to collect. */
const NO_ROOM = allocStat(0, true);

/** Collects windows. */
export class StatBuilder {
  #columns: StatColumns = NO_ROOM;
  #length = 0;
  readonly #first: number;

  /** @param first Windows for which memory is taken when the first one comes. */
  constructor(first: number = FIRST_WINDOWS) {
    this.#first = first;
  }

  /** Windows collected. */
  get length(): number {
    return this.#length;
  }

  /** Appends the window that begins at `time`. */
  push(time: bigint, window: Accumulator): void {
    if (this.#length === this.#columns.times.length) this.#grow();
    const i = this.#length++;
    const columns = this.#columns;
    columns.times[i] = time;
    columns.min[i] = window.min;
    columns.mean[i] = window.mean;
    columns.max[i] = window.max;
    columns.count[i] = BigInt(window.count);
    columns.stddev![i] = stddevOf(window.m2, window.count);
  }

  /** Appends window `from` of other columns as it is. */
  copy(source: StatColumns, from: number): void {
    if (this.#length === this.#columns.times.length) this.#grow();
    const i = this.#length++;
    const columns = this.#columns;
    columns.times[i] = source.times[from]!;
    columns.min[i] = source.min[from]!;
    columns.mean[i] = source.mean[from]!;
    columns.max[i] = source.max[from]!;
    columns.count[i] = source.count[from]!;
    columns.stddev![i] = source.stddev![from]!;
  }

  /** The windows collected, in columns of their own; the builder is empty afterwards. */
  take(): StatColumns {
    const n = this.#length;
    this.#length = 0;
    const columns = this.#columns;
    if (n > 0 && n === columns.times.length) {
      this.#columns = NO_ROOM;
      return columns;
    }
    const { times, min, mean, max, count, stddev } = columns;
    return {
      times: times.slice(0, n),
      min: min.slice(0, n),
      mean: mean.slice(0, n),
      max: max.slice(0, n),
      count: count.slice(0, n),
      stddev: stddev!.slice(0, n),
    };
  }

  #grow(): void {
    const old = this.#columns;
    const next = allocStat(Math.max(this.#first, 2 * this.#length), true);
    next.times.set(old.times);
    next.min.set(old.min);
    next.mean.set(old.mean);
    next.max.set(old.max);
    next.count.set(old.count);
    next.stddev!.set(old.stddev!);
    this.#columns = next;
  }
}
