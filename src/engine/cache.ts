/**
 * Recently used nodes, bounded in bytes.
 *
 * @module
 */

import { LEAF_POINTS } from "./constants.ts";
import { Core, type Node } from "./node.ts";

/** Addresses of a run: leaves in it are read at once. Runs begin at its multiples. */
export const RUN_LEAVES = 16;

/** Bytes of a full leaf, about. */
const LEAF_BYTES = 16 * LEAF_POINTS;

/** Bytes a node is reckoned to take: its columns and what the runtime adds to them. */
function sizeOf(node: Node): number {
  return node instanceof Core ? 4800 : 16 * node.times.length + 400;
}

/** Nodes by block address; the least recently used leave first. */
export class NodeCache {
  readonly #limit: number;
  readonly #nodes = new Map<number, Node>();
  #bytes = 0;
  /** Runs that were missed lately, and those that were before them. */
  #missed = new Set<number>();
  #missedBefore = new Set<number>();

  /** @param limitBytes Most bytes of all nodes together. */
  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** Bytes of all nodes in the cache. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The node at an address, if it is here. */
  get(address: number): Node | undefined {
    const node = this.#nodes.get(address);
    if (node === undefined) return undefined;
    this.#nodes.delete(address);
    this.#nodes.set(address, node);
    return node;
  }

  /** Whether the node at an address is here. */
  has(address: number): boolean {
    return this.#nodes.has(address);
  }

  /**
   * Whether the run of an address was missed before, of late: it is worth its room. So what is read
   * once, however much it is, pushes nothing out. As many runs are kept as leaves fit in.
   *
   * @param address Of a leaf that is not here.
   */
  missedAgain(address: number): boolean {
    const run = Math.floor(address / RUN_LEAVES);
    if (this.#missed.delete(run) || this.#missedBefore.delete(run)) return true;
    if (this.#missed.size * RUN_LEAVES * LEAF_BYTES >= this.#limit) {
      this.#missedBefore = this.#missed;
      this.#missed = new Set();
    }
    this.#missed.add(run);
    return false;
  }

  /** Remembers a node. */
  put(address: number, node: Node): void {
    const size = sizeOf(node);
    if (size > this.#limit || this.#nodes.has(address)) return;
    this.#nodes.set(address, node);
    this.#bytes += size;
    for (const [oldest, old] of this.#nodes) {
      if (this.#bytes <= this.#limit) break;
      this.#nodes.delete(oldest);
      this.#bytes -= sizeOf(old);
    }
  }

  /** Forgets one node. */
  delete(address: number): void {
    const node = this.#nodes.get(address);
    if (node === undefined) return;
    this.#nodes.delete(address);
    this.#bytes -= sizeOf(node);
  }

  /** Forgets everything. */
  clear(): void {
    this.#nodes.clear();
    this.#bytes = 0;
  }
}
