/**
 * Statistics of the runs of points that lie in the windows of a grid.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { halvesOf } from "../core/regular_times.ts";
import { gallop } from "../core/search.ts";
import { CHUNK, columnBytes } from "./arena.ts";
import { extendedArena } from "./extended_arena.ts";

/** Numbers of a run, and where they are; see wasm/window_runs.ts. */
const ROW = 8;
const Row = { Count: 1, Min: 2, Mean: 3, Max: 4, M2: 5, Total: 7 } as const;

/** In the end of a run: the next one is of the same window. */
const SHARED = 2 ** 31;

/** Range of times, ns, in which their differences are exact numbers: 52 days. */
const NEAR = 2 ** 52;

const HALF = 2 ** 32;

/** A time of some, as ns since another one that is near to it, which is given as its halves. */
function nsSince(low: number, high: number, halves: Int32Array, i: number): number {
  return (halves[2 * i + 1]! - high) * HALF + ((halves[2 * i]! >>> 0) - low);
}

/** As {@linkcode gallop} of such times. */
function gallopNear(
  low: number,
  high: number,
  halves: Int32Array,
  ns: number,
  from: number,
  to: number,
): number {
  for (let step = 1; from < to && nsSince(low, high, halves, from) < ns; step *= 2) {
    const next = from + step;
    if (next < to && nsSince(low, high, halves, next) < ns) {
      from = next;
      continue;
    }
    to = Math.min(to, next);
    for (from++; from < to;) {
      const middle = (from + to) >>> 1;
      if (nsSince(low, high, halves, middle) < ns) from = middle + 1;
      else to = middle;
    }
  }
  return from;
}

/** Points whose runs wait for the others of a batch. */
interface Part {
  readonly values: Float64Array;
  readonly from: number;
  readonly to: number;
}

/**
 * Runs of points, each in one window, in batches: first the runs of some columns are found, then the
 * statistics of all of them are made in one go. Memory is used again for the next batch.
 */
export class WindowRuns {
  /** Most runs there is room for. */
  #room = 0;
  #starts = new BigInt64Array(0);
  #startHalves = halvesOf(this.#starts);
  #ends = new Uint32Array(0);
  #rows = new Float64Array(0);
  #parts: Part[] = [];
  #points = 0;
  #found = 0;
  /** Runs whose statistics were made last. */
  #reduced = 0;
  /** The first run goes on with the window that was open before the batch. */
  #isOpen = false;

  /** Points found and not yet reduced. */
  get points(): number {
    return this.#points;
  }

  /** Runs found and not yet reduced. */
  get found(): number {
    return this.#found;
  }

  /**
   * Finds the runs of the points `[from, to)`, as many as a batch has room for. Their values have to
   * stay as they are until {@linkcode reduce}.
   *
   * @param points In order of time; none is before those found already, nor before the start of the
   *   open window.
   * @param start Start of the open window, into which the first points of a batch may fall.
   * @param width Of all windows, ns.
   * @returns The index behind the points taken.
   */
  find(
    { times, values }: RawColumns,
    from: number,
    to: number,
    start: bigint,
    width: bigint,
  ): number {
    const end = Math.min(to, from + CHUNK - this.#points);
    if (end <= from) return from;
    const found = this.#found;
    this.#findEnds(times, from, end, found === 0 ? start : this.#starts[found - 1]!, width);
    const first = this.#starts[found]!;
    if (found === 0) this.#isOpen = first === start;
    else if (first === this.#starts[found - 1]) this.#ends[found - 1]! += SHARED;
    this.#parts.push({ values, from, to: end });
    this.#points += end - from;
    return end;
  }

  /**
   * Makes the statistics of all runs that were found, at least one; valid until the next batch.
   *
   * @param total Sum of the values in the open window so far.
   * @param nothing Sum of no values: 0 or −0.
   * @returns Number of runs.
   */
  reduce(total: number, nothing: number): number {
    const runs = this.#found, column = columnBytes(this.#points), parts = this.#parts.splice(0);
    this.#points = this.#found = 0;
    this.#reduced = runs;
    const a = extendedArena(column + columnBytes(runs) + 8 * ROW * runs);
    const ends = a.base + column, rows = ends + columnBytes(runs);
    let at = a.base >>> 3;
    for (const { values, from, to } of parts) {
      a.f64.set(to - from === values.length ? values : values.subarray(from, to), at);
      at += to - from;
    }
    for (let run = 0; run < runs; run++) a.u32[(ends >>> 2) + run] = this.#ends[run]!;
    a.exports.windowRuns(a.base, ends, runs, this.#isOpen ? total : nothing, nothing, rows);
    this.#rows.set(a.f64.subarray(rows >>> 3, (rows >>> 3) + ROW * runs));
    return runs;
  }

  #findEnds(times: BigInt64Array, from: number, to: number, start: bigint, width: bigint): void {
    const span = times[to - 1]! - start;
    if (span + width < NEAR) this.#findNear(times, from, to, start, Number(width), Number(span));
    else this.#findFar(times, from, to, start, width);
  }

  /** Finds runs of times that are near to each other, which are looked at as ns since `start`. */
  #findNear(
    times: BigInt64Array,
    from: number,
    to: number,
    start: bigint,
    width: number,
    last: number,
  ): void {
    const halves = halvesOf(times);
    const low = Number(BigInt.asUintN(32, start)), high = Number(start >> 32n);
    let perNs = (to - 1 - from) / (last - nsSince(low, high, halves, from));
    const before = this.#points - from;
    // A sum: had it the parameter as its first value, V8 would make an object of each later one.
    let windowStart = 0, windowEnd = windowStart + width;
    for (let first = from; first < to;) {
      const time = nsSince(low, high, halves, first);
      if (time >= windowEnd) {
        windowStart = time - windowEnd < width ? windowEnd : time - time % width;
        windowEnd = windowStart + width;
      }
      let next = to;
      if (last >= windowEnd) {
        // Samples are regular, most of the time.
        let guess = Math.min(first + Math.ceil((windowEnd - time) * perNs), to - 1);
        // A whole number of samples a window, but for rounding.
        if (guess - 1 > first && nsSince(low, high, halves, guess - 1) >= windowEnd) guess--;
        const isLow = nsSince(low, high, halves, guess - 1) < windowEnd;
        if (isLow && nsSince(low, high, halves, guess) >= windowEnd) next = guess;
        else {
          next = gallopNear(low, high, halves, windowEnd, isLow ? guess : first, to);
          // A gap anywhere makes the average of all samples a bad guess everywhere.
          perNs = (next - first) / (nsSince(low, high, halves, next) - time);
        }
      }
      const run = this.#found++;
      if (run === this.#room) this.#grow();
      const carry = Math.floor((low + windowStart) / HALF);
      this.#startHalves[2 * run] = low + windowStart - carry * HALF;
      this.#startHalves[2 * run + 1] = high + carry;
      this.#ends[run] = before + next;
      first = next;
    }
  }

  /** As {@linkcode #findNear} of times anywhere. */
  #findFar(times: BigInt64Array, from: number, to: number, start: bigint, width: bigint): void {
    const last = times[to - 1]!;
    const perNs = (to - 1 - from) / Number(last - times[from]!);
    const before = this.#points - from;
    let windowStart = start, windowEnd = start + width;
    for (let at = from; at < to;) {
      const time = times[at]!;
      if (time >= windowEnd) {
        windowStart = time - windowEnd < width ? windowEnd : time - (time - start) % width;
        windowEnd = windowStart + width;
      }
      let next = to;
      if (last >= windowEnd) {
        // Samples are regular, most of the time.
        const guess = Math.min(at + Math.ceil(Number(windowEnd - time) * perNs), to - 1);
        const low = times[guess - 1]! < windowEnd ? guess : at;
        next = low === guess && times[guess]! >= windowEnd
          ? guess
          : gallop(times, windowEnd, low, to);
      }
      const run = this.#found++;
      if (run === this.#room) this.#grow();
      this.#starts[run] = windowStart;
      this.#ends[run] = before + next;
      at = next;
    }
  }

  #grow(): void {
    const room = this.#room = Math.max(64, 2 * this.#room);
    const starts = this.#starts, ends = this.#ends;
    this.#starts = new BigInt64Array(room);
    this.#starts.set(starts);
    this.#startHalves = halvesOf(this.#starts);
    this.#ends = new Uint32Array(room);
    this.#ends.set(ends);
    this.#rows = new Float64Array(ROW * room);
  }

  /**
   * The end of the runs from `run` on each of which is alone in its window, whatever there was before
   * this batch and comes behind it; `run` if it is none of them.
   */
  aloneUntil(run: number): number {
    const last = this.#reduced - 1;
    if (run === 0 || this.#ends[run - 1]! >= SHARED) return run;
    while (run < last && this.#ends[run]! < SHARED) run++;
    return run;
  }

  /** Copies the starts of the windows of runs. */
  copyStarts(from: number, to: number, into: BigInt64Array, at: number): void {
    into.set(this.#starts.subarray(from, to), at);
  }

  /** Start of the window of a run. */
  start(run: number): bigint {
    return this.#starts[run]!;
  }

  /** Number of points. */
  count(run: number): number {
    return this.#rows[ROW * run + Row.Count]!;
  }

  /** Smallest value. */
  min(run: number): number {
    return this.#rows[ROW * run + Row.Min]!;
  }

  /** Mean of the values. */
  mean(run: number): number {
    return this.#rows[ROW * run + Row.Mean]!;
  }

  /** Largest value. */
  max(run: number): number {
    return this.#rows[ROW * run + Row.Max]!;
  }

  /** Sum of the squared distances from the mean. */
  m2(run: number): number {
    return this.#rows[ROW * run + Row.M2]!;
  }

  /** Sum of the values of the window up to the end of the run, in order. */
  total(run: number): number {
    return this.#rows[ROW * run + Row.Total]!;
  }
}
