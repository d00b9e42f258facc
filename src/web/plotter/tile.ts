/**
 * Tiles: windows of a stream at one pointwidth, their keys and the requests for them.
 *
 * @module
 */

import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import type { OffsetWindows } from "../../plot/figure/pixel_columns.ts";

/** Windows in a tile, as a power of two. */
export const TILE_BITS = 9;

/** Bytes of a window in a tile: offset, min, mean, max, count. */
const WINDOW_BYTES = 40;

/** Bytes of a tile beside its windows. */
const TILE_BYTES = 400;

/** A range of windows to read. */
export interface TileRequest {
  readonly uuid: string;
  readonly version: bigint;
  readonly pointwidth: number;
  /** Start of the first window, ns since the Unix epoch. */
  readonly start: bigint;
  readonly end: bigint;
}

/** Windows as they were read; those without points are left out. */
export interface TileAnswer {
  readonly times: BigInt64Array;
  readonly min: Float64Array;
  readonly mean: Float64Array;
  readonly max: Float64Array;
  readonly count: BigUint64Array;
}

/** Windows that are here. */
export interface Tile {
  readonly windows: OffsetWindows;
  readonly bytes: number;
  /** True if points were written since; it is drawn until it was read again. */
  isStale: boolean;
}

/** A piece of a stream at one pointwidth: the place of a tile. */
export interface TilePiece {
  readonly uuid: string;
  readonly version: bigint;
  readonly pointwidth: number;
  readonly index: bigint;
}

/** Key of a stream at a version. */
export function streamKey({ uuid, version }: { uuid: string; version: bigint }): string {
  return `${uuid}/${version}`;
}

/** Key of a tile. */
export function keyOf({ uuid, version, pointwidth, index }: TilePiece): string {
  return `${uuid}/${version}/${pointwidth}/${index}`;
}

/** Tells whether any legal time is in a piece. */
export function isLegal({ pointwidth, index }: TilePiece): boolean {
  const shift = BigInt(pointwidth + TILE_BITS);
  return (index + 1n) << shift > MIN_TIME && index << shift < MAX_TIME;
}

/** The request for pieces that follow one another. */
export function requestOf(run: readonly TilePiece[]): TileRequest {
  const { uuid, version, pointwidth, index } = run[0]!;
  const shift = BigInt(pointwidth + TILE_BITS);
  const [start, end] = [index << shift, (run.at(-1)!.index + 1n) << shift];
  return {
    uuid,
    version,
    pointwidth,
    start: start < MIN_TIME ? MIN_TIME : start,
    end: end > MAX_TIME ? MAX_TIME : end,
  };
}

/** The tile of a piece, from a part of an answer. */
export function tileOf(piece: TilePiece, answer: TileAnswer, from: number, to: number): Tile {
  const base = piece.index << BigInt(piece.pointwidth + TILE_BITS);
  const offsets = new Float64Array(to - from);
  const count = new Float64Array(to - from);
  for (let i = from; i < to; i++) {
    offsets[i - from] = Number(answer.times[i]! - base);
    count[i - from] = Number(answer.count[i]!);
  }
  const windows = {
    base,
    offsets,
    // The shortest windows are points: times are whole nanoseconds.
    width: piece.pointwidth === 0 ? 0 : 2 ** piece.pointwidth,
    min: answer.min.slice(from, to),
    mean: answer.mean.slice(from, to),
    max: answer.max.slice(from, to),
    count,
  };
  return { windows, bytes: TILE_BYTES + WINDOW_BYTES * (to - from), isStale: false };
}
