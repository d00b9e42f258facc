/**
 * Collects finished windows in columns that grow.
 *
 * @module
 */

import { allocStat, type StatColumns } from "../../core/columns.ts";
import type { WindowRuns } from "../../kernel/window_runs.ts";
import { type Accumulator, stddevOf } from "./stats.ts";

/** Windows for which memory is taken at first, where nobody knows how many come. */
const FIRST_WINDOWS = 256;

/** Windows from which on columns are copied as a whole. */
const WORTH_A_COPY = 8;

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
    const i = this.#add(1);
    const columns = this.#columns;
    columns.times[i] = time;
    columns.min[i] = window.min;
    columns.mean[i] = window.mean;
    columns.max[i] = window.max;
    columns.count[i] = BigInt(window.count);
    columns.stddev![i] = stddevOf(window.m2, window.count);
  }

  /** Appends the windows of runs `[from, to)`, each of which is all of its window. */
  pushRuns(runs: WindowRuns, from: number, to: number): void {
    const at = this.#add(to - from);
    const { times, min, mean, max, count, stddev } = this.#columns;
    runs.copyStarts(from, to, times, at);
    // In halves, without a bigint each.
    const counts = new Uint32Array(count.buffer, count.byteOffset, 2 * count.length);
    for (let run = from, i = at; run < to; run++, i++) {
      const n = runs.count(run);
      min[i] = runs.min(run);
      mean[i] = runs.total(run) / n;
      max[i] = runs.max(run);
      counts[2 * i] = n;
      counts[2 * i + 1] = 0;
      stddev![i] = stddevOf(runs.m2(run), n);
    }
  }

  /** Appends windows `[from, to)` of other columns as they are. */
  copy(source: StatColumns, from: number, to: number): void {
    const at = this.#add(to - from);
    copyStat(source, from, to, this.#columns, at);
  }

  /** Makes room for windows; returns the index of the first. */
  #add(windows: number): number {
    const at = this.#length;
    this.#length += windows;
    if (this.#length > this.#columns.times.length) this.#grow(at);
    return at;
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

  #grow(used: number): void {
    const next = allocStat(Math.max(this.#first, 2 * used, this.#length), true);
    copyStat(this.#columns, 0, used, next, 0);
    this.#columns = next;
  }
}

/** Copies windows `[from, to)` of columns with standard deviations to where others have room. */
export function copyStat(
  source: StatColumns,
  from: number,
  to: number,
  into: StatColumns,
  at: number,
): void {
  if (to - from < WORTH_A_COPY) {
    for (; from < to; from++, at++) {
      into.times[at] = source.times[from]!;
      into.min[at] = source.min[from]!;
      into.mean[at] = source.mean[from]!;
      into.max[at] = source.max[from]!;
      into.count[at] = source.count[from]!;
      into.stddev![at] = source.stddev![from]!;
    }
    return;
  }
  into.times.set(source.times.subarray(from, to), at);
  into.min.set(source.min.subarray(from, to), at);
  into.mean.set(source.mean.subarray(from, to), at);
  into.max.set(source.max.subarray(from, to), at);
  into.count.set(source.count.subarray(from, to), at);
  into.stddev!.set(source.stddev!.subarray(from, to), at);
}
