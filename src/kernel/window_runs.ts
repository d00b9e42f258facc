/**
 * Statistics of the runs of points that lie in the windows of a grid.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { gallop } from "../core/search.ts";
import { CHUNK, columnBytes } from "./arena.ts";
import { extendedArena } from "./extended_arena.ts";

/** Numbers of a run, and where they are; see wasm/window_runs.ts. */
const ROW = 8;
const Row = { Count: 1, Min: 2, Mean: 3, Max: 4, M2: 5, Total: 7 } as const;

/** Runs of points, each in one window, used again for those of the next points. */
export class WindowRuns {
  /** Most runs there is room for. */
  #room = 0;
  #starts = new BigInt64Array(0);
  #ends = new Uint32Array(0);
  #rows = new Float64Array(0);

  /**
   * Finds the runs of the points `[from, to)`, as many as are done in one go.
   *
   * @param points In order of time; none is before the start of the open window.
   * @param start Start of the open window, into which the first of them may fall.
   * @param width Of all windows, ns.
   * @param total Sum of the values in the open window so far.
   * @param nothing Sum of no values: 0 or −0.
   * @returns Number of runs, and the index behind their points.
   */
  fill(
    { times, values }: RawColumns,
    from: number,
    to: number,
    start: bigint,
    width: bigint,
    total: number,
    nothing: number,
  ): { runs: number; end: number } {
    const end = Math.min(to, from + CHUNK), n = end - from;
    const runs = this.#findEnds(times, from, end, start, width);
    const column = columnBytes(n), before = times[from]! < start + width ? total : nothing;
    const a = extendedArena(column + columnBytes(runs) + 8 * ROW * runs);
    const ends = a.base + column, rows = ends + columnBytes(runs);
    a.f64.set(values.subarray(from, end), a.base >>> 3);
    for (let run = 0; run < runs; run++) a.u32[(ends >>> 2) + run] = this.#ends[run]!;
    a.exports.windowRuns(a.base, ends, runs, before, nothing, rows);
    this.#rows.set(a.f64.subarray(rows >>> 3, (rows >>> 3) + ROW * runs));
    return { runs, end };
  }

  #findEnds(times: BigInt64Array, from: number, to: number, start: bigint, width: bigint): number {
    const last = times[to - 1]!;
    const perNs = (to - from) / Number(last - times[from]! + 1n);
    let runs = 0, windowStart = start, windowEnd = start + width;
    for (let at = from; at < to; runs++) {
      const time = times[at]!;
      if (time >= windowEnd) {
        windowStart = time - windowEnd < width ? windowEnd : time - (time - start) % width;
        windowEnd = windowStart + width;
      }
      let next = to;
      if (last >= windowEnd) {
        // Samples are regular, most of the time.
        const guess = Math.min(at + Math.ceil(Number(windowEnd - time) * perNs), to) - 1;
        next = gallop(times, windowEnd, times[guess]! < windowEnd ? guess + 1 : at, to);
      }
      if (runs === this.#room) this.#grow();
      this.#starts[runs] = windowStart;
      this.#ends[runs] = next - from;
      at = next;
    }
    return runs;
  }

  #grow(): void {
    const room = this.#room = Math.max(64, 2 * this.#room);
    const starts = this.#starts, ends = this.#ends;
    this.#starts = new BigInt64Array(room);
    this.#starts.set(starts);
    this.#ends = new Uint32Array(room);
    this.#ends.set(ends);
    this.#rows = new Float64Array(ROW * room);
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
