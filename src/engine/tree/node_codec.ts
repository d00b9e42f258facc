/**
 * Encodes tree nodes as blocks of bytes, and decodes them. A block is a checksum (CRC-32 of
 * everything after it, seeded with the address), the kind of the node, and its content
 * (docs/engine.md, "Blocks").
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { damaged } from "../file/checksum.ts";
import { decodeSortedBlock, decodeSortedBlockInto, pointsOf } from "../../kernel/decode_block.ts";
import { encodeBlockInArena } from "../../kernel/encode_block.ts";
import { BLOCK_HEADER_BYTES, checkedKind, COMPRESSED_INNER, seal } from "./block_frame.ts";
import { decodeInner } from "./inner_codec.ts";
import { INNER, LEAF, type Leaf, type Node } from "./node.ts";

/** The block of a leaf with the points `[from, to)`, valid until the next one is encoded or decoded. */
export function encodeLeaf(
  address: number,
  points: RawColumns,
  from: number,
  to: number,
): Uint8Array {
  return seal(encodeBlockInArena(points, from, to, BLOCK_HEADER_BYTES), LEAF, address);
}

let sealed = new Uint8Array(4096);

/** The block of a leaf whose points were encoded before, valid until the next one is sealed. */
export function sealLeaf(address: number, content: Uint8Array): Uint8Array {
  const size = BLOCK_HEADER_BYTES + content.length;
  if (size > sealed.length) sealed = new Uint8Array(2 * size);
  sealed.set(content, BLOCK_HEADER_BYTES);
  return seal(sealed.subarray(0, size), LEAF, address);
}

/** Points of a leaf, decoded in any way. */
function decodeLeaf<T>(address: number, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw damaged(`block ${address}: ${(error as Error).message}`);
  }
}

/**
 * The node of a block.
 *
 * @throws {BTrDBError} If the block is damaged.
 */
export function decodeNode(address: number, block: Uint8Array): Node {
  const kind = checkedKind(address, block);
  if (kind === INNER || kind === COMPRESSED_INNER) return decodeInner(address, block, kind);
  if (kind !== LEAF) throw damaged(`block ${address} is not a node`);
  return decodeLeaf(
    address,
    (): Leaf => ({ kind: LEAF, ...decodeSortedBlock(block, BLOCK_HEADER_BYTES) }),
  );
}

/**
 * The points of the block of a leaf, into columns that are there.
 *
 * @returns Number of points. If `columns` has no room for them, nothing is written.
 * @throws {BTrDBError} If the block is damaged, or no leaf.
 */
export function decodeLeafInto(address: number, block: Uint8Array, columns: RawColumns): number {
  if (checkedKind(address, block) !== LEAF) throw damaged(`block ${address} is not a leaf`);
  return decodeLeaf(address, () => decodeSortedBlockInto(block, BLOCK_HEADER_BYTES, columns));
}

/**
 * The compressed points of the block of a leaf.
 *
 * @param count Number of points that it has.
 * @throws {BTrDBError} If the block is damaged, no leaf, or one of another number of points.
 */
export function storedLeaf(address: number, block: Uint8Array, count: number): Uint8Array {
  if (checkedKind(address, block) !== LEAF) throw damaged(`block ${address} is not a leaf`);
  const points = block.subarray(BLOCK_HEADER_BYTES);
  const n = decodeLeaf(address, () => pointsOf(points));
  if (n !== count) throw damaged(`block ${address} has ${n} points, expected ${count}`);
  return points;
}
