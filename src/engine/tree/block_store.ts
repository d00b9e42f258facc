/**
 * Nodes by address: blocks in the database behind a cache.
 *
 * @module
 */

import { allocRaw, type RawColumns } from "../../core/columns.ts";
import { damaged } from "../file/checksum.ts";
import { NodeCache, type NodeMemory, RUN_LEAVES } from "./node_cache.ts";
import { LEAF_POINTS } from "../constants.ts";
import { type ChildRef, INNER, InnerNode, LEAF, type Leaf, type Node } from "./node.ts";
import { childProblem, leafProblem, refuseNode, rootProblem } from "./check_node.ts";
import { MissingBlock } from "./missing_block.ts";
import { decodeLeafInto, decodeNode, encodeLeaf, sealLeaf, storedLeaf } from "./node_codec.ts";
import { encodeInner } from "./inner_codec.ts";
import type { ReadyLeaves } from "./ready_leaves.ts";
import type { Database, Statement } from "../file/sqlite.ts";
import { reduceValues } from "./stats.ts";

/** Memory into which leaves are decoded one after the other. */
export interface LeafSpace {
  /**
   * The points of a leaf, valid until the next one is decoded.
   *
   * @param start Start of its bucket.
   * @param end End of its bucket.
   * @throws {BTrDBError} If the block is damaged, or no leaf.
   */
  decode(address: number, block: Uint8Array, start: bigint, end: bigint): RawColumns;
}

/** Room for the points of one leaf, used again for the next one. */
export class LeafRoom implements LeafSpace {
  #columns = NO_ROOM;

  /**
   * The points of a leaf, valid until the next one is decoded.
   *
   * @throws {BTrDBError} If the block is damaged, or no leaf.
   */
  decode(address: number, block: Uint8Array): RawColumns {
    const n = decodeLeafInto(address, block, this.#columns);
    if (n > this.#columns.times.length) {
      this.#columns = roomFor(Math.max(n, LEAF_POINTS));
      decodeLeafInto(address, block, this.#columns);
    }
    const { times, values } = this.#columns;
    return { times: times.subarray(0, n), values: values.subarray(0, n) };
  }
}

const NO_ROOM = roomFor(0);

function roomFor(n: number): RawColumns {
  return allocRaw(n);
}

/** A child of an inner node. */
export interface Place {
  readonly parent: InnerNode;
  readonly bucket: number;
}

function addressOf({ parent, bucket }: Place): number {
  return parent.addresses[bucket]!;
}

/** Reads and writes nodes. */
export class BlockStore {
  readonly #select: Statement;
  readonly #selectRun: Statement;
  readonly #insert: Statement;
  readonly #remove: Statement;
  readonly #cache: NodeMemory;
  readonly #room = new LeafRoom();
  /** The same nodes for who reads thousands of streams once: nothing is remembered. */
  readonly passing: BlockStore;
  #next: number;

  /**
   * @param db The open database.
   * @param cache Nodes in memory, or the bound of a cache of its own, bytes.
   * @param next First address to hand out: above every one ever used.
   */
  constructor(db: Database, cache: NodeMemory | number, next: number) {
    this.#select = db.prepare("SELECT data FROM block WHERE id = ?");
    this.#selectRun = db.prepare("SELECT data FROM block WHERE id BETWEEN ? AND ? ORDER BY id");
    this.#insert = db.prepare("INSERT INTO block (id, data) VALUES (?, ?)");
    this.#remove = db.prepare("DELETE FROM block WHERE id = ?");
    const own = typeof cache === "number" ? new NodeCache(cache) : undefined;
    this.#cache = own ?? cache as NodeMemory;
    this.#next = next;
    this.passing = own === undefined ? this : new BlockStore(db, own.reading, Infinity);
  }

  /** Bytes of the nodes in memory. */
  get cachedBytes(): number {
    return this.#cache.bytes;
  }

  /** The next address that will be handed out. */
  get nextAddress(): number {
    return this.#next;
  }

  /** Tells whether the node at an address is in memory. */
  isCached(address: number): boolean {
    return this.#cache.has(address);
  }

  /** The block at an address; `undefined` if there is none. */
  readBlock(address: number): Uint8Array | undefined {
    const data = this.#select.get(address)?.["data"];
    if (data === undefined || data instanceof Uint8Array) return data;
    throw damaged(`block ${address} has no content`);
  }

  /**
   * The root of a tree.
   *
   * @throws {BTrDBError} `CORRUPT` if its block is missing or damaged, or no root.
   */
  readRoot(address: number): InnerNode {
    const node = this.#cache.get(address) ?? this.#readNew(address);
    refuseNode(address, rootProblem(node));
    return node as InnerNode;
  }

  /**
   * An inner node, wherever it hangs; `undefined` if there is none at the address.
   *
   * @throws {BTrDBError} `CORRUPT` if its block is damaged, or no inner node.
   */
  innerAt(address: number): InnerNode | undefined {
    const node = this.#cache.get(address) ?? this.#readIfThere(address);
    if (node === undefined || node instanceof InnerNode) return node;
    throw damaged(`block ${address} is not an inner node`);
  }

  /**
   * The inner node in bucket `b` of another one.
   *
   * @throws {BTrDBError} `CORRUPT` if its block is missing or damaged, or not that node.
   */
  readInner(parent: InnerNode, b: number): InnerNode {
    return this.#readChild(parent, b) as InnerNode;
  }

  /** The leaf in bucket `b` of an inner node; errors as {@linkcode readInner}. */
  readLeaf(parent: InnerNode, b: number): Leaf {
    return this.#readChild(parent, b) as Leaf;
  }

  /** The leaf in bucket `b` of an inner node if it is in memory, and was read through that node. */
  cachedLeaf(parent: InnerNode, b: number): Leaf | undefined {
    if (parent.checked[b] !== 1) return undefined;
    return this.#cache.get(parent.addresses[b]!) as Leaf | undefined;
  }

  #readChild(parent: InnerNode, b: number): Node {
    const address = parent.addresses[b]!;
    const cached = this.#cache.get(address);
    if (cached !== undefined && parent.checked[b] === 1) return cached;
    const node = cached ?? this.#readNew(address);
    refuseNode(address, childProblem(parent, b, node));
    parent.checked[b] = 1;
    return node;
  }

  /**
   * The leaf in bucket `b` of an inner node, and those that follow it up to bucket `last` as far as
   * they were written right after it: one query brings them all. Only what is missed again is
   * remembered.
   *
   * @param leaves Most leaves to read. One alone is not remembered, and valid until any other is read
   *   alone.
   * @param room Memory into which the others are decoded: each leaf is valid until the next one is
   *   taken.
   */
  *readLeaves(
    node: InnerNode,
    b: number,
    last: number,
    leaves: number,
    room: LeafSpace,
  ): Generator<RawColumns> {
    const first = node.addresses[b]!;
    if (leaves === 1) {
      yield this.#readOnce(node, b);
      return;
    }
    const most = Math.min(leaves, RUN_LEAVES - first % RUN_LEAVES);
    let n = 0;
    while (
      n < most && b + n <= last && node.kinds[b + n] === LEAF &&
      node.addresses[b + n] === first + n && !this.#cache.has(first + n)
    ) n++;
    if (n < 2) {
      yield this.readLeaf(node, b);
      return;
    }
    const rows = this.#selectRun.all(first, first + n - 1);
    if (rows.length !== n) throw this.#missingFrom(first, n);
    const again = this.#cache.missedAgain(first);
    for (let i = 0; i < n; i++) {
      const block = rows[i]!["data"] as Uint8Array;
      const leaf = again
        ? this.#remember(first + i, block)
        : room.decode(first + i, block, node.bucketStart(b + i), node.bucketStart(b + i + 1));
      refuseNode(first + i, leafProblem(node, b + i, leaf));
      yield leaf;
    }
  }

  /**
   * The blocks of leaves as they are stored, without being decoded.
   *
   * @param leaves Buckets of leaves. Those that were written one after the other are read by one query.
   * @throws {BTrDBError} `CORRUPT` if one is missing or damaged, no leaf, or has not as many points as its
   *   parent says.
   */
  readStored(leaves: readonly Place[]): Uint8Array[] {
    const blocks: Uint8Array[] = [];
    while (blocks.length < leaves.length) {
      const at = blocks.length, first = addressOf(leaves[at]!);
      let n = 1;
      while (at + n < leaves.length && addressOf(leaves[at + n]!) === first + n) n++;
      const rows = this.#selectRun.all(first, first + n - 1);
      if (rows.length !== n) throw this.#missingFrom(first, n);
      for (const [i, row] of rows.entries()) {
        const { parent, bucket } = leaves[at + i]!;
        const count = parent.counts[bucket]!;
        blocks.push(storedLeaf(first + i, row["data"] as Uint8Array, count));
      }
    }
    return blocks;
  }

  /** A leaf that is not remembered, valid until the next one is read in this way by anybody. */
  #readOnce(parent: InnerNode, b: number): RawColumns {
    const address = parent.addresses[b]!;
    if (this.#cache.has(address)) return this.readLeaf(parent, b);
    const block = this.readBlock(address);
    if (block === undefined) throw new MissingBlock(address);
    const leaf = this.#room.decode(address, block);
    refuseNode(address, leafProblem(parent, b, leaf));
    return leaf;
  }

  /** The error for the first of `n` blocks that is not there. */
  #missingFrom(first: number, n: number): MissingBlock {
    let address = first;
    while (address < first + n - 1 && this.readBlock(address) !== undefined) address++;
    return new MissingBlock(address);
  }

  #remember(address: number, block: Uint8Array): Leaf {
    const leaf = decodeNode(address, block);
    if (leaf instanceof InnerNode) throw damaged(`block ${address} is not a leaf`);
    this.#cache.put(address, leaf);
    return leaf;
  }

  #readNew(address: number): Node {
    const node = this.#readIfThere(address);
    if (node === undefined) throw new MissingBlock(address);
    return node;
  }

  #readIfThere(address: number): Node | undefined {
    const block = this.readBlock(address);
    if (block === undefined) return undefined;
    const node = decodeNode(address, block);
    this.#cache.put(address, node);
    return node;
  }

  /**
   * Writes a block.
   *
   * @param encode The block for an address.
   * @returns Its address.
   */
  append(encode: (address: number) => Uint8Array): number {
    const address = this.#next++;
    // In half the time of `run`, which counts what it did.
    this.#insert.get(address, encode(address));
    return address;
  }

  /** Writes an inner node; it must not change any more. */
  writeInner(node: InnerNode): ChildRef {
    const address = this.append((address) => encodeInner(address, node));
    this.#cache.put(address, node);
    return { address, kind: INNER, ...node.stats };
  }

  /**
   * Writes a leaf with the points `[from, to)`.
   *
   * @param ready Leaves that may have been made ahead.
   */
  writeLeaf(points: RawColumns, from: number, to: number, ready?: ReadyLeaves): ChildRef {
    const leaf = ready?.leaf(points, from, to);
    if (leaf !== undefined) {
      const address = this.append((address) => sealLeaf(address, leaf.content));
      return { address, kind: LEAF, ...leaf.stats };
    }
    const address = this.append((address) => encodeLeaf(address, points, from, to));
    return { address, kind: LEAF, ...reduceValues(points.values, from, to) };
  }

  /** Removes a block. */
  remove(address: number): void {
    this.#remove.run(address);
    this.#cache.delete(address);
  }
}
