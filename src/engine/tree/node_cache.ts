/**
 * Recently used nodes, bounded in bytes.
 *
 * @module
 */

import { OldestFirst } from "../../core/oldest_first.ts";
import { LEAF_POINTS } from "../constants.ts";
import { InnerNode, type Node } from "./node.ts";

/**
 * Most leaves read at once, as a run. A run ends before a multiple of it, so that it is found
 * again.
 */
export const RUN_LEAVES = 16;

/** Bytes of a full leaf, about. */
const LEAF_BYTES = 16 * LEAF_POINTS;

/** Bytes a node is reckoned to take: its columns and what the runtime adds to them. */
function sizeOf(node: Node): number {
  return node instanceof InnerNode ? 4800 : 16 * node.times.length + 400;
}

/** A place to look for nodes and to remember them. */
export type NodeMemory = Omit<NodeCache, "reading">;

/**
 * Nodes by block address; the least recently used leave first. While the cache is less than half full,
 * uses are not noted: what was used then and not since is among the first to leave.
 */
export class NodeCache {
  readonly #limit: number;
  readonly #nodes = new Map<number, Node>();
  readonly #oldest: OldestFirst<number, Node> = new OldestFirst(this.#nodes);
  #bytes = 0;
  /** First addresses of the runs that were missed lately, and of those before them. */
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

  /** The nodes in this cache, for those who add nothing to it. */
  get reading(): NodeMemory {
    return {
      bytes: 0,
      get: (address) => this.get(address),
      has: (address) => this.has(address),
      missedAgain: () => false,
      put: () => {},
      delete: (address) => this.delete(address),
      clear: () => this.clear(),
    };
  }

  /** The node at an address, if it is here. */
  get(address: number): Node | undefined {
    const node = this.#nodes.get(address);
    // To note each use of a path from the root down takes as long as to find a point at its end.
    if (node === undefined || 2 * this.#bytes < this.#limit) return node;
    this.#nodes.delete(address);
    this.#nodes.set(address, node);
    this.#oldest.added();
    return node;
  }

  /** Tells whether the node at an address is here. */
  has(address: number): boolean {
    return this.#nodes.has(address);
  }

  /**
   * Tells whether the leaves of a run were missed before, of late: it is worth its room. So what is
   * read once, however much it is, pushes nothing out. As many runs are kept as leaves fit in.
   *
   * @param first Address of the run's first leaf.
   */
  missedAgain(first: number): boolean {
    if (this.#missed.delete(first) || this.#missedBefore.delete(first)) return true;
    if (this.#missed.size * RUN_LEAVES * LEAF_BYTES >= this.#limit) {
      this.#missedBefore = this.#missed;
      this.#missed = new Set();
    }
    this.#missed.add(first);
    return false;
  }

  /** Remembers a node. */
  put(address: number, node: Node): void {
    const size = sizeOf(node);
    if (size > this.#limit || this.#nodes.has(address)) return;
    this.#nodes.set(address, node);
    this.#oldest.added();
    this.#bytes += size;
    while (this.#bytes > this.#limit) this.delete(this.#oldest.next()![0]);
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
