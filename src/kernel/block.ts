/**
 * Points as compressed bytes, without loss: the form of the engine's leaves and of its journal
 * (docs/engine.md, "Blocks").
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { type Arena, arena, columnBytes } from "./arena.ts";

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
  const n = to - from;
  const column = columnBytes(n);
  const a = arena(5 * column + maxBytes(n));
  const times = a.base, values = times + column, scratch = values + column;
  const out = scratch + 3 * column;
  a.i64.set(points.times.subarray(from, to), times >>> 3);
  a.f64.set(points.values.subarray(from, to), values >>> 3);
  const size = a.exports.encodeBlock(times, values, n, scratch, out);
  const block = new Uint8Array(reserve + size);
  block.set(a.u8.subarray(out, out + size), reserve);
  return block;
}

/**
 * Decodes what {@linkcode encodeBlock} made.
 *
 * @param bytes The block, from byte `offset` to its end.
 * @param offset First byte of the block.
 * @throws {RangeError} If the bytes are no block.
 */
export function decodeBlock(bytes: Uint8Array, offset = 0): RawColumns {
  const { a, n, times, values } = decodeInArena(bytes, offset);
  return { times: a.i64.slice(times, times + n), values: a.f64.slice(values, values + n) };
}

/**
 * As {@linkcode decodeBlock}, into columns that are there.
 *
 * @param columns Columns to fill, from index 0 on.
 * @returns Number of points in the block. If `columns` has no room for them, nothing is written.
 * @throws {RangeError} If the bytes are no block.
 */
export function decodeBlockInto(bytes: Uint8Array, offset: number, columns: RawColumns): number {
  const { a, n, times, values } = decodeInArena(bytes, offset);
  if (n <= columns.times.length) {
    columns.times.set(a.i64.subarray(times, times + n));
    columns.values.set(a.f64.subarray(values, values + n));
  }
  return n;
}

/** The `n` points of a block in the arena: indices of the first time and of the first value. */
function decodeInArena(
  bytes: Uint8Array,
  offset: number,
): { a: Arena; n: number; times: number; values: number } {
  const size = bytes.length - offset;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const n = size < 4 ? 0 : view.getUint32(offset, true);
  // Every miniblock of 64 points has at least two bytes in both runs: a damaged count is noticed
  // before memory is reserved for it.
  if (n === 0 || size < n >>> 5) throw new RangeError(`Cannot decode a block of ${size} bytes`);
  const column = columnBytes(n);
  const a = arena(2 * column + columnBytes(size >>> 3) + 16);
  const times = a.base, values = times + column, source = values + column;
  a.u8.set(bytes.subarray(offset), source);
  if (!a.exports.decodeBlock(source, source + size, n, times, values)) {
    throw new RangeError(`Cannot decode a block of ${size} bytes: its structure is damaged`);
  }
  return { a, n, times: times >>> 3, values: values >>> 3 };
}
