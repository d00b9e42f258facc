/**
 * Points as compressed bytes, without loss: the form of the engine's leaves and of its journal
 * (docs/engine.md, "Blocks").
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { columnBytes } from "./arena.ts";
import { type ExtendedArena, extendedArena } from "./extended_arena.ts";

/** Most points of a block: what {@linkcode encodeBlock} has memory for. */
const MAX_POINTS = 2 ** 26;

/** Points of a miniblock, and what the kernel notes on each. */
const MINIBLOCK_POINTS = 64;
const TABLE_ROW_BYTES = 48;

const MIN_INT64 = -(1n << 63n);

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

/**
 * Decodes what {@linkcode encodeBlock} made.
 *
 * @param bytes The block, from byte `offset` to its end.
 * @param offset First byte of the block.
 * @param most Most points it may have.
 * @throws {RangeError} If the bytes are no block, or one of more points.
 */
export function decodeBlock(bytes: Uint8Array, offset = 0, most: number = MAX_POINTS): RawColumns {
  return copyOut(decodeInArena(bytes, offset, most));
}

/**
 * As {@linkcode decodeBlock}, of points that must be in order of time and have finite values.
 *
 * @throws {RangeError} If the bytes are no such block.
 */
export function decodeSortedBlock(bytes: Uint8Array, offset = 0): RawColumns {
  const decoded = decodeInArena(bytes, offset, MAX_POINTS);
  checkSorted(decoded);
  return copyOut(decoded);
}

function copyOut({ a, n, times, values }: Decoded): RawColumns {
  return { times: a.i64.slice(times, times + n), values: a.f64.slice(values, values + n) };
}

/**
 * As {@linkcode decodeSortedBlock}, into columns that are there.
 *
 * @param columns Columns to fill, from index 0 on.
 * @returns Number of points in the block. If `columns` has no room for them, nothing is written.
 * @throws {RangeError} If the bytes are no such block.
 */
export function decodeSortedBlockInto(
  bytes: Uint8Array,
  offset: number,
  columns: RawColumns,
): number {
  const decoded = decodeInArena(bytes, offset, MAX_POINTS);
  checkSorted(decoded);
  const { a, n, times, values } = decoded;
  if (n <= columns.times.length) {
    columns.times.set(a.i64.subarray(times, times + n));
    columns.values.set(a.f64.subarray(values, values + n));
  }
  return n;
}

/** The `n` points of a block in the arena: indices of the first time and of the first value. */
interface Decoded {
  a: ExtendedArena;
  n: number;
  times: number;
  values: number;
}

function checkSorted({ a, n, times, values }: Decoded): void {
  if (a.exports.firstUnsorted(8 * times, n, MIN_INT64) < n) {
    throw new RangeError("Cannot decode a block: its points are not in order of time");
  }
  if (a.exports.firstNotFinite(8 * values, n) < n) {
    throw new RangeError("Cannot decode a block: a value is NaN or infinite");
  }
}

function decodeInArena(bytes: Uint8Array, offset: number, most: number): Decoded {
  const size = bytes.length - offset;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const n = size < 4 ? 0 : view.getUint32(offset, true);
  // Every miniblock of 64 points has at least two bytes in both runs: a damaged count is noticed
  // before memory is reserved for it.
  if (n === 0 || size < n >>> 5) throw new RangeError(`Cannot decode a block of ${size} bytes`);
  if (n > most) throw new RangeError(`Cannot decode a block of ${n} points, expected 1 to ${most}`);
  const column = columnBytes(n);
  const a = extendedArena(2 * column + columnBytes(size >>> 3) + 16);
  const times = a.base, values = times + column, source = values + column;
  a.u8.set(bytes.subarray(offset), source);
  if (!a.exports.decodeBlock(source, source + size, n, times, values)) {
    throw new RangeError(`Cannot decode a block of ${size} bytes: its structure is damaged`);
  }
  return { a, n, times: times >>> 3, values: values >>> 3 };
}
