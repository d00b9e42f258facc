/**
 * Points to compressed bytes, without loss: the form of the engine's leaves and of its journal
 * (docs/engine.md, "Blocks").
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { columnBytes } from "./arena.ts";
import { extendedArena } from "./extended_arena.ts";

/** Points of a miniblock, and what the kernel notes on each. */
const MINIBLOCK_POINTS = 64;
const TABLE_ROW_BYTES = 48;

/** Bytes a block of `n` points takes at most, and what the kernel may write behind it. */
function maxBytes(n: number): number {
  return 32 + 17 * n + (n >>> 2) + 16;
}

/**
 * Encodes points.
 *
 * @param points In any order; sorted ones take less room.
 * @param from First point.
 * @param to End of the points, exclusive; more than `from`.
 * @param reserve Bytes to leave free at the front.
 * @returns The block, `reserve` bytes in.
 */
export function encodeBlock(
  points: RawColumns,
  from: number,
  to: number,
  reserve = 0,
): Uint8Array<ArrayBuffer> {
  return encodeBlockInArena(points, from, to, reserve).slice();
}

/**
 * As {@linkcode encodeBlock}, without a copy: the bytes are valid until the next call of the kernel, and
 * the first `reserve` of them may be anything.
 */
export function encodeBlockInArena(
  points: RawColumns,
  from: number,
  to: number,
  reserve = 0,
): Uint8Array<ArrayBuffer> {
  const n = to - from;
  const column = columnBytes(n);
  const scratchBytes = 3 * column + 3 * TABLE_ROW_BYTES * Math.ceil(n / MINIBLOCK_POINTS);
  const a = extendedArena(2 * column + scratchBytes + reserve + maxBytes(n));
  const times = a.base, values = times + column, scratch = values + column;
  const out = scratch + scratchBytes;
  a.i64.set(points.times.subarray(from, to), times >>> 3);
  a.f64.set(points.values.subarray(from, to), values >>> 3);
  const size = a.exports.encodeBlock(times, values, n, scratch, out + reserve);
  return a.u8.subarray(out, out + reserve + size);
}
