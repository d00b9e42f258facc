/**
 * The inner nodes that a leaf will become when the late points that belong to it are moved there.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { LEAF_POINTS } from "../constants.ts";
import { insertIntoBucket, type NodeStore } from "./insert.ts";
import type { LatePoints } from "./late_points.ts";
import { type ChildRef, INNER, type InnerNode, LEAF, type Leaf } from "./node.ts";

/** Nodes that are never written: inner nodes in memory, of leaves only that they are there. */
class Sketch implements NodeStore {
  readonly #below: NodeStore;
  readonly #nodes: InnerNode[] = [];

  /** @param below The store with the leaf that is split. */
  constructor(below: NodeStore) {
    this.#below = below;
  }

  readInner(parent: InnerNode, bucket: number): InnerNode {
    return this.at(parent.addresses[bucket]!);
  }

  readLeaf(parent: InnerNode, bucket: number): Leaf {
    return this.#below.readLeaf(parent, bucket);
  }

  writeInner(node: InnerNode): ChildRef {
    return { address: this.#nodes.push(node), kind: INNER, ...node.stats };
  }

  writeLeaf(_points: RawColumns, from: number, to: number): ChildRef {
    return { address: 0, kind: LEAF, count: to - from, min: 0, mean: 0, max: 0, m2: 0 };
  }

  /** An inner node by its address. */
  at(address: number): InnerNode {
    return this.#nodes[address - 1]!;
  }
}

/**
 * The inner node that the leaf in bucket `b` and its late points are together, with the store of what
 * is below it; `undefined` if they are a leaf.
 *
 * @param late Late points; those of the bucket are `[from, to)`.
 */
export function* splitLeaf(
  store: NodeStore,
  node: InnerNode,
  b: number,
  late: LatePoints,
  from: number,
  to: number,
): Generator<undefined, { store: NodeStore; node: InnerNode } | undefined> {
  const n = node.counts[b]! + to - from;
  if (from === to || node.childPointwidth === 0 || n < LEAF_POINTS) return undefined;
  const sketch = new Sketch(store);
  const commit = { store: sketch, major: 0, replaced: NO_TIMES };
  const { kind, address } = yield* insertIntoBucket(commit, node, b, late, from, to);
  return kind === INNER ? { store: sketch, node: sketch.at(address) } : undefined;
}

const NO_TIMES = new BigInt64Array(0);
