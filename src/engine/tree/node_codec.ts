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
import { BLOCK_HEADER_BYTES, checkedKind, seal } from "./block_frame.ts";
import { INNER, InnerNode, LEAF, type Leaf, type Node } from "./node.ts";
import { FANOUT } from "../constants.ts";
import { innerProblem, refuseNode } from "./check_node.ts";

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

/** The block of an inner node: a header, then the columns of the buckets that were ever touched. */
export function encodeInner(address: number, node: InnerNode): Uint8Array {
  const touched: number[] = [];
  for (let b = 0; b < FANOUT; b++) if (node.generations[b]! > 0) touched.push(b);
  const n = touched.length;
  const block = new Uint8Array(BLOCK_HEADER_BYTES + 11 + n * (2 + 7 * 8));
  const view = new DataView(block.buffer);
  view.setUint8(5, node.pointwidth);
  view.setUint8(6, n);
  view.setBigInt64(7, node.start, true);
  let at = BLOCK_HEADER_BYTES + 11;
  for (const b of touched) {
    block[at++] = b;
    block[at++] = node.kinds[b]!;
  }
  const columns = innerColumns(node);
  for (const column of columns) {
    for (const b of touched) {
      view.setFloat64(at, column[b]!, true);
      at += 8;
    }
  }
  return seal(block, INNER, address);
}

function innerColumns(node: InnerNode): Float64Array[] {
  return [
    node.addresses,
    node.generations,
    node.counts,
    node.mins,
    node.means,
    node.maxs,
    node.m2s,
  ];
}

function decodeInner(address: number, block: Uint8Array): InnerNode {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const n = block.length > 6 ? view.getUint8(6) : 0;
  const size = BLOCK_HEADER_BYTES + 11 + n * (2 + 7 * 8);
  if (block.length !== size) {
    throw damaged(`block ${address}: ${block.length} bytes, expected ${size}`);
  }
  const node = new InnerNode(view.getUint8(5), view.getBigInt64(7, true));
  const head = BLOCK_HEADER_BYTES + 11;
  let last = -1;
  for (let i = 0; i < n; i++) {
    const b = block[head + 2 * i]!;
    if (b <= last || b >= FANOUT) throw damaged(`block ${address}: bucket ${b} is out of order`);
    node.kinds[b] = block[head + 2 * i + 1]!;
    last = b;
  }
  // The numbers are little-endian, as they are in memory wherever WebAssembly runs fast.
  const numbers = new Float64Array(block.slice(head + 2 * n).buffer);
  for (const [c, column] of innerColumns(node).entries()) {
    for (let i = 0; i < n; i++) column[block[head + 2 * i]!] = numbers[c * n + i]!;
  }
  for (let i = 0; i < n; i++) {
    const b = block[head + 2 * i]!;
    if (!(node.generations[b]! >= 1)) throw damaged(`block ${address}: bucket ${b} has no version`);
  }
  refuseNode(address, innerProblem(node));
  return node;
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
  if (kind === INNER) return decodeInner(address, block);
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
