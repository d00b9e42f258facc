/**
 * The frame that all blocks have: a checksum (CRC-32 of everything after it, seeded with the
 * address), then the kind.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { bytesOf, damaged } from "../file/checksum.ts";

/** Kind of a list of late points, beside {@linkcode INNER} and {@linkcode LEAF}. */
export const LATE_LIST = 3;

/** Kind of a run of late points. */
export const LATE_RUN = 4;

/** Kind of an inner node whose columns are compressed. */
export const COMPRESSED_INNER = 5;

/** Checksum and kind. */
export const BLOCK_HEADER_BYTES = 5;

/** Writes the kind and the checksum into a block. */
export function seal(block: Uint8Array, kind: number, address: number): Uint8Array {
  block[4] = kind;
  const view = new DataView(block.buffer, block.byteOffset);
  view.setUint32(0, crc32(block.subarray(4), address >>> 0), true);
  return block;
}

/**
 * The kind of a block, 1 to 5.
 *
 * @throws {BTrDBError} `CORRUPT` if its checksum does not fit, or it is of no kind.
 */
export function checkedKind(address: number, block: Uint8Array): number {
  bytesOf(block, `block ${address}`);
  if (block.length < BLOCK_HEADER_BYTES) throw damaged(`block ${address}: too short`);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const expected = view.getUint32(0, true);
  const actual = crc32(block.subarray(4), address >>> 0);
  if (actual !== expected) throw damaged(`block ${address}: its checksum does not fit`);
  const kind = block[4] ?? 0;
  if (kind >= 1 && kind <= COMPRESSED_INNER) return kind;
  throw damaged(`block ${address}: unknown kind ${kind}`);
}
