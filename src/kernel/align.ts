/**
 * Points onto a grid of times, piece by piece.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { columnBytes } from "./arena.ts";
import { extendedArena } from "./extended_arena.ts";

/** Points, and rows, in the arena at a time. */
const PIECE = 16_384;

/** Value of a row to which no point is near. */
export type Fill = "none" | "previous" | "linear";

const FILLS: Readonly<Record<Fill, number>> = { none: 0, previous: 1, linear: 2 };

/** A grid: place `i` is at `start + i · ns / parts`, rounded to the nearest ns. */
export interface Grid {
  start: bigint;
  ns: bigint;
  parts: bigint;
}

/** Rules by which points come onto a grid. */
export interface AlignRules {
  tolerance: bigint;
  fill: Fill;
  maxGap: bigint;
}

/** Most rows that {@linkcode gridTimes} makes at once, so that nothing overflows. */
export function gridPiece({ ns }: Grid): number {
  return Number(ns > 1n << 46n ? (1n << 62n) / ns : BigInt(PIECE));
}

/** Times of the places `[from, from + n)` of a grid; `n` is at most {@linkcode gridPiece}. */
export function gridTimes({ start, ns, parts }: Grid, from: bigint, n: number): BigInt64Array {
  const { base, exports, i64 } = extendedArena(columnBytes(n));
  const whole = from * ns;
  exports.gridTimes(start + whole / parts, whole % parts, ns, parts, n, base);
  return i64.slice(base >>> 3, (base >>> 3) + n);
}

/** One stream on its way to a grid. */
export class StreamAligner {
  /** Rows that have a point of the stream. */
  matched = 0n;
  /** Rows whose value was filled in. */
  filled = 0n;
  readonly #rules: AlignRules;
  #time = 0n;
  #value = 0;
  #some = 0n;

  /** @param rules Tolerance, fill, longest gap. */
  constructor(rules: AlignRules) {
    this.#rules = rules;
  }

  /**
   * Decides rows from `row` on.
   *
   * @param points Points that have not been used up, in order of time.
   * @param grid Times of the rows, at most {@linkcode gridPiece}.
   * @param row First row that is not decided.
   * @param final True if no points follow these.
   * @param out Values of the rows; NaN where there is none.
   * @returns The row reached, and how many points were used up.
   */
  align(
    points: RawColumns,
    grid: BigInt64Array,
    row: number,
    final: boolean,
    out: Float64Array,
  ): { row: number; used: number } {
    let used = 0;
    do {
      const left = points.times.length - used;
      const n = Math.min(PIECE, left);
      const reached = this.#piece(points, used, n, grid, row, final && n === left, out);
      used += reached.used;
      row = reached.row;
      // A piece that is not used up has decided all rows.
      if (reached.used < n) break;
    } while (row < grid.length && used < points.times.length);
    return { row, used };
  }

  #piece(
    points: RawColumns,
    from: number,
    n: number,
    grid: BigInt64Array,
    row: number,
    final: boolean,
    out: Float64Array,
  ): { row: number; used: number } {
    const [column, places] = [columnBytes(n), columnBytes(grid.length)];
    const { base, exports, i64, u64, f64 } = extendedArena(2 * column + 2 * places + 64);
    const values = base + column, times = values + column, result = times + places;
    const state = (result + places + 7) & ~7;
    i64.set(points.times.subarray(from, from + n), base >>> 3);
    f64.set(points.values.subarray(from, from + n), values >>> 3);
    i64.set(grid.subarray(row), (times >>> 3) + row);
    i64[state >>> 3] = this.#time;
    f64[(state >>> 3) + 1] = this.#value;
    u64[(state >>> 3) + 2] = this.#some;
    const { tolerance, fill, maxGap } = this.#rules;
    const reached = exports.alignRows(
      base,
      values,
      n,
      times,
      grid.length,
      row,
      state,
      tolerance,
      FILLS[fill],
      maxGap,
      final,
      result,
    );
    out.set(f64.subarray((result >>> 3) + row, (result >>> 3) + reached), row);
    this.#time = i64[state >>> 3]!;
    this.#value = f64[(state >>> 3) + 1]!;
    this.#some = u64[(state >>> 3) + 2]!;
    this.matched += u64[(state >>> 3) + 4]!;
    this.filled += u64[(state >>> 3) + 5]!;
    return { row: reached, used: Number(u64[(state >>> 3) + 3]!) };
  }
}
