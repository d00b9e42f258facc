/**
 * The form of `RawValues` in which points are compressed blocks (docs/protocol.md, "Points in blocks"):
 * one more field of the request asks for it, and two more of a response carry them.
 *
 * @module
 */

import { MAX_POINTS_IN_BLOCKS, type PointBlocks } from "../core/point_blocks.ts";
import type { RawColumns } from "../core/columns.ts";
import { decodeSortedBlocks } from "./decode_block.ts";
import { Wire, WireReader } from "./wire_reader.ts";

/** Field of the request; it is true. */
const ASKED = 1000 << 3 | Wire.Varint;

/** Tags of the number of points of a response, and of the blocks behind it. */
export const POINTS_IN_BLOCKS: number = 1001 << 3 | Wire.Varint;
export const BLOCKS: number = 1002 << 3 | Wire.Bytes;

/** Bytes that the fields around the blocks take at most. */
const AROUND_BYTES = 64;

/** `RawValuesParams` that ask for blocks; a server that does not know them sends points. */
export function askForBlocks(params: Uint8Array): Uint8Array {
  const asking = new Uint8Array(params.length + 3);
  asking.set(params);
  writeVarint(asking, writeVarint(asking, params.length, BigInt(ASKED)), 1n);
  return asking;
}

/**
 * Tells whether `RawValuesParams` ask for blocks.
 *
 * @throws {BTrDBError} `INTERNAL` if they are malformed.
 */
export function asksForBlocks(params: Uint8Array): boolean {
  const reader = new WireReader(params, "RawValuesParams");
  let asks = false;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === ASKED) asks = reader.uint64() !== 0n;
    else reader.skip(tag);
  }
  return asks;
}

/** Writes a varint; returns its end. */
function writeVarint(bytes: Uint8Array, at: number, value: bigint): number {
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes[at++] = Number(rest & 127n) | 128;
  bytes[at++] = Number(rest);
  return at;
}

/**
 * Encodes a `RawValuesResponse` of blocks.
 *
 * @param points The blocks.
 * @param major Major version.
 * @param minor Minor version.
 * @param memory Gives the memory of the message.
 * @returns The message.
 */
export function encodeBlocksResponse(
  { points, blocks }: PointBlocks,
  major: bigint,
  minor: bigint,
  memory: (bytes: number) => Uint8Array,
): Uint8Array {
  const length = blocks.reduce((sum, block) => sum + block.length, 0);
  const bytes = memory(length + AROUND_BYTES);
  const fields: [tag: number, value: bigint][] = [
    [2 << 3, major],
    [3 << 3, minor],
    [POINTS_IN_BLOCKS, BigInt(points)],
    [BLOCKS, BigInt(length)],
  ];
  let at = 0;
  for (const [tag, value] of fields) {
    if (value !== 0n) at = writeVarint(bytes, writeVarint(bytes, at, BigInt(tag)), value);
  }
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  return bytes.subarray(0, at);
}

/**
 * Reads the blocks at the cursor of a response.
 *
 * @param points Number of points that the response says they have.
 * @throws {BTrDBError} `INTERNAL` if they have not, or if these are more than are taken.
 */
export function readBlocks(reader: WireReader, points: bigint): RawColumns {
  const start = reader.pos;
  const { pos, end } = reader.message();
  if (points < 1n || points > BigInt(MAX_POINTS_IN_BLOCKS)) {
    throw reader.malformed(`blocks have ${points} points`, start);
  }
  try {
    return decodeSortedBlocks(reader.bytes.subarray(pos, end), Number(points));
  } catch (error) {
    if (error instanceof RangeError) throw reader.malformed("a block is malformed", start);
    throw error;
  }
}
