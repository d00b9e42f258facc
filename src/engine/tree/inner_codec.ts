/**
 * Encodes inner nodes as blocks of bytes, and decodes them (docs/engine.md, "Blocks").
 *
 * @module
 */

import { damaged } from "../file/checksum.ts";
import { decodeBlocks } from "../../kernel/decode_block.ts";
import { encodeBlock, encodeBlockInArena } from "../../kernel/encode_block.ts";
import { BLOCK_HEADER_BYTES, COMPRESSED_INNER, seal } from "./block_frame.ts";
import { ABSENT, INNER, InnerNode } from "./node.ts";
import { FANOUT } from "../constants.ts";
import { innerProblem, refuseNode } from "./check_node.ts";

/** Buckets from which the columns of a node are compressed: with fewer they are not shorter. */
const WORTH_COMPRESSION = 4;

/** The block of an inner node. */
export function encodeInner(address: number, node: InnerNode): Uint8Array {
  const touched = touchedBuckets(node);
  return touched.length < WORTH_COMPRESSION
    ? encodePlain(address, node, touched)
    : encodeCompressed(address, node, touched);
}

/** Buckets that were ever touched. */
function touchedBuckets({ generations }: InnerNode): number[] {
  const touched: number[] = [];
  for (let b = 0; b < FANOUT; b++) if (generations[b]! > 0) touched.push(b);
  return touched;
}

// ---- plain: the only form until schema 7 -----------------------------------------------------

const PLAIN_HEAD = BLOCK_HEADER_BYTES + 11;

/** The block of an inner node with its numbers as they are. */
export function encodePlain(
  address: number,
  node: InnerNode,
  touched: readonly number[] = touchedBuckets(node),
): Uint8Array {
  const n = touched.length;
  const block = new Uint8Array(PLAIN_HEAD + n * (2 + 7 * 8));
  const view = new DataView(block.buffer);
  view.setUint8(5, node.pointwidth);
  view.setUint8(6, n);
  view.setBigInt64(7, node.start, true);
  let at = PLAIN_HEAD;
  for (const b of touched) {
    block[at++] = b;
    block[at++] = node.kinds[b]!;
  }
  for (const column of plainColumns(node)) {
    for (const b of touched) {
      view.setFloat64(at, column[b]!, true);
      at += 8;
    }
  }
  return seal(block, INNER, address);
}

function plainColumns(node: InnerNode): Float64Array[] {
  const { addresses, generations, counts, mins, means, maxs, m2s } = node;
  return [addresses, generations, counts, mins, means, maxs, m2s];
}

/** The inner node of a plain block, not yet checked. */
function decodePlain(address: number, block: Uint8Array): InnerNode {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const n = block.length > 6 ? view.getUint8(6) : 0;
  const size = PLAIN_HEAD + n * (2 + 7 * 8);
  if (block.length !== size) {
    throw damaged(`block ${address}: ${block.length} bytes, expected ${size}`);
  }
  const node = new InnerNode(view.getUint8(5), view.getBigInt64(7, true));
  let last = -1;
  for (let i = 0; i < n; i++) {
    const b = block[PLAIN_HEAD + 2 * i]!;
    if (b <= last || b >= FANOUT) throw damaged(`block ${address}: bucket ${b} is out of order`);
    node.kinds[b] = block[PLAIN_HEAD + 2 * i + 1]!;
    last = b;
  }
  // The numbers are little-endian, as they are in memory wherever WebAssembly runs fast.
  const numbers = new Float64Array(block.slice(PLAIN_HEAD + 2 * n).buffer);
  for (const [c, column] of plainColumns(node).entries()) {
    for (let i = 0; i < n; i++) column[block[PLAIN_HEAD + 2 * i]!] = numbers[c * n + i]!;
  }
  for (let i = 0; i < n; i++) {
    const b = block[PLAIN_HEAD + 2 * i]!;
    if (!(node.generations[b]! >= 1)) throw damaged(`block ${address}: bucket ${b} has no version`);
  }
  return node;
}

// ---- compressed ------------------------------------------------------------------------------

const KINDS_AT = BLOCK_HEADER_BYTES + 17;
const COMPRESSED_HEAD = KINDS_AT + FANOUT / 4;

/** Columns of a node as points: each number is a time or a value. */
const times = new BigInt64Array(5 * FANOUT);
const timeBits = new Float64Array(times.buffer);
const timeHalves = new Uint32Array(times.buffer);
const values = new Float64Array(5 * FANOUT);

/** The block of an inner node with compressed columns. Addresses, versions and counts must be integers. */
export function encodeCompressed(
  address: number,
  node: InnerNode,
  touched: readonly number[] = touchedBuckets(node),
): Uint8Array {
  const { kinds, addresses, generations, counts, mins, means, maxs, m2s } = node;
  const n = touched.length;
  let latest = 0;
  for (const b of touched) if (generations[b]! > latest) latest = generations[b]!;
  for (let i = 0; i < n; i++) {
    const b = touched[i]!;
    timeBits[i] = means[b]!;
    timeBits[n + i] = m2s[b]!;
    values[i] = mins[b]!;
    values[n + i] = maxs[b]!;
    setInteger(2 * n + i, kinds[b] === ABSENT ? 0 : address - addresses[b]!);
    setInteger(3 * n + i, latest - generations[b]!);
    setInteger(4 * n + i, counts[b]!);
  }
  values.fill(0, 2 * n, 5 * n);
  const head = encodeBlock({ times, values }, 0, 2 * n, COMPRESSED_HEAD);
  const integers = encodeBlockInArena({ times, values }, 2 * n, 5 * n);
  const block = new Uint8Array(head.length + integers.length);
  block.set(head);
  block.set(integers, head.length);
  const view = new DataView(block.buffer);
  view.setUint8(5, node.pointwidth);
  view.setBigInt64(6, node.start, true);
  view.setFloat64(14, latest, true);
  block.fill(0, KINDS_AT, COMPRESSED_HEAD);
  for (const b of touched) block[KINDS_AT + (b >> 2)]! |= (kinds[b]! + 1 & 3) << 2 * (b & 3);
  return seal(block, COMPRESSED_INNER, address);
}

function setInteger(at: number, value: number): void {
  timeHalves[2 * at] = value;
  timeHalves[2 * at + 1] = Math.floor(value / 2 ** 32);
}

/** The inner node of a compressed block, not yet checked. */
function decodeCompressed(address: number, block: Uint8Array): InnerNode {
  if (block.length < COMPRESSED_HEAD) throw damaged(`block ${address}: too short`);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const node = new InnerNode(view.getUint8(5), view.getBigInt64(6, true));
  const latest = view.getFloat64(14, true);
  const { kinds, addresses, generations, counts, mins, means, maxs, m2s } = node;
  const touched: number[] = [];
  for (let b = 0; b < FANOUT; b++) {
    const code = block[KINDS_AT + (b >> 2)]! >> 2 * (b & 3) & 3;
    if (code === 0) continue;
    kinds[b] = code - 1;
    touched.push(b);
  }
  const n = touched.length;
  const columns = columnsOf(address, block, 5 * n);
  const bits = new Float64Array(columns.times.buffer);
  const low = new Uint32Array(columns.times.buffer), high = new Int32Array(columns.times.buffer);
  const integer = (at: number) => high[2 * at + 1]! * 2 ** 32 + low[2 * at]!;
  for (let i = 0; i < n; i++) {
    const b = touched[i]!;
    means[b] = bits[i]!;
    m2s[b] = bits[n + i]!;
    mins[b] = columns.values[i]!;
    maxs[b] = columns.values[n + i]!;
    const back = integer(2 * n + i);
    addresses[b] = back === 0 ? 0 : address - back;
    generations[b] = latest - integer(3 * n + i);
    counts[b] = integer(4 * n + i);
    if (!(generations[b]! >= 1)) throw damaged(`block ${address}: bucket ${b} has no version`);
  }
  return node;
}

function columnsOf(address: number, block: Uint8Array, n: number) {
  try {
    return decodeBlocks(block.subarray(COMPRESSED_HEAD), n);
  } catch (error) {
    throw damaged(`block ${address}: ${(error as Error).message}`);
  }
}

/**
 * The inner node of a block.
 *
 * @throws {BTrDBError} `CORRUPT` if the block is damaged, or is what no inner node of this engine can be.
 */
export function decodeInner(address: number, block: Uint8Array, kind: number): InnerNode {
  const node = kind === INNER ? decodePlain(address, block) : decodeCompressed(address, block);
  refuseNode(address, innerProblem(node));
  return node;
}
