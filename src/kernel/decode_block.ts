/**
 * Compressed bytes to points: what encode_block.ts makes, in the engine's files and in messages
 * (docs/engine.md, "Blocks").
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { type Arena, columnBytes, grown } from "./arena.ts";
import { instantiate } from "./loader.ts";

/** Most points of a block. */
const MAX_POINTS = 2 ** 26;

const MIN_INT64 = -(1n << 63n);

let current: Arena | undefined;

/**
 * As {@linkcode import("./arena.ts").arena}, in a memory of its own: leaves are decoded between the calls of
 * those who find again there what they laid out.
 */
function arena(bytes: number): Arena {
  current = grown(current, bytes, instantiate);
  return current;
}

/**
 * Decodes what {@linkcode import("./encode_block.ts").encodeBlock} made.
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
 * Decodes a block of points that must be in order of time and have finite values.
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
  a: Arena;
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
  const block = bytes.subarray(offset);
  const n = pointsOf(block);
  if (n > most) throw new RangeError(`Cannot decode a block of ${n} points, expected 1 to ${most}`);
  return decodeAll(block, n);
}

/**
 * The number of points that a block says it has.
 *
 * @throws {RangeError} If it has certainly not.
 */
export function pointsOf(block: Uint8Array): number {
  const size = block.length;
  const view = new DataView(block.buffer, block.byteOffset, size);
  const n = size < 4 ? 0 : view.getUint32(0, true);
  refuseTooMany(n, size);
  return n;
}

/**
 * Decodes blocks that stand one behind the other.
 *
 * @param points Number of points of all together.
 * @throws {RangeError} If the bytes are no such blocks of so many points.
 */
export function decodeBlocks(bytes: Uint8Array, points: number): RawColumns {
  return copyOut(decodeAll(bytes, points));
}

/**
 * Decodes blocks that stand one behind the other, of points that must be in order of time and have finite
 * values.
 *
 * @param bytes The blocks.
 * @param points Number of points of all together.
 * @throws {RangeError} If the bytes are no such blocks of so many points.
 */
export function decodeSortedBlocks(bytes: Uint8Array, points: number): RawColumns {
  const decoded = decodeAll(bytes, points);
  checkSorted(decoded);
  return copyOut(decoded);
}

function decodeAll(bytes: Uint8Array, n: number): Decoded {
  const size = bytes.length;
  refuseTooMany(n, size);
  const column = columnBytes(n);
  const a = arena(2 * column + columnBytes(size >>> 3) + 16);
  const times = a.base, values = times + column, source = values + column;
  a.u8.set(bytes, source);
  if (!a.exports.decodeBlocks(source, source + size, n, times, values)) {
    throw new RangeError(`Cannot decode a block of ${size} bytes: its structure is damaged`);
  }
  return { a, n, times: times >>> 3, values: values >>> 3 };
}

/**
 * Every miniblock of 64 points has at least two bytes in both runs: a damaged number is noticed before
 * memory is reserved for it.
 */
function refuseTooMany(n: number, size: number): void {
  if (n === 0 || size < n >>> 5) throw new RangeError(`Cannot decode a block of ${size} bytes`);
}
