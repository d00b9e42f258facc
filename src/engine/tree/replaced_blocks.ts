/**
 * The blocks that a version has and a later one has not. A node never changes its place in the tree,
 * so two trees are compared place by place; below an address that both have, everything is shared.
 *
 * @module
 */

import { FANOUT } from "../constants.ts";
import { damaged } from "../file/checksum.ts";
import { childProblem, refuseNode, rootProblem } from "./check_node.ts";
import type { LateList } from "./late_codec.ts";
import { ABSENT, INNER, InnerNode } from "./node.ts";

/** Reads inner nodes; `undefined` for one that is gone. */
export type ReadInner = (address: number) => InnerNode | undefined;

/** Reads what a version's address leads to; `undefined` for one that is gone. */
export type ReadVersion = (address: number) => InnerNode | LateList | undefined;

/**
 * Addresses of the blocks of one version that a later one has not, what they lead to before them: as
 * long as they are removed in this order, what is left of them hangs together below the version.
 * Yields `undefined` where it may pause.
 *
 * @param readOld Reads blocks of the older version, of which some may be removed already.
 * @param readNew Reads blocks of the later version.
 * @param address Of the older version, 0 for one without points.
 * @param later Address of the later version, 0 for one without points or none.
 * @throws {BTrDBError} `CORRUPT` if a node is not where it hangs.
 */
export function* replacedInVersion(
  readOld: ReadVersion,
  readNew: ReadVersion,
  address: number,
  later: number,
): Generator<number | undefined> {
  if (address === 0 || address === later) return;
  const old = readOld(address);
  if (old === undefined) return;
  const next = later === 0 ? undefined : readNew(later);
  const newList = next === undefined || next instanceof InnerNode ? undefined : next;
  const newRoot = newList?.root ?? later;
  const read = (read: ReadVersion): ReadInner => (address) => {
    const node = read(address);
    if (node === undefined || node instanceof InnerNode) return node;
    throw damaged(`block ${address} is not an inner node`);
  };
  const root = old instanceof InnerNode ? address : old.root;
  yield* replacedBlocks(read(readOld), read(readNew), root, newRoot);
  if (old instanceof InnerNode) return;
  const kept = new Set(newList?.runs.map((run) => run.address));
  for (const run of old.runs) if (!kept.has(run.address)) yield run.address;
  yield address;
}

/**
 * Addresses of the nodes of one tree that a later one has not, children before their parent. Yields
 * `undefined` where it may pause.
 *
 * @param readOld Reads nodes of the older tree, of which some may be removed already.
 * @param readNew Reads nodes of the later tree.
 * @param root Address of the older root, 0 for an empty tree.
 * @param later Address of the later root, 0 for an empty tree or none.
 * @param since First address that is looked at: older nodes, and what is below them, are left out.
 * @throws {BTrDBError} `CORRUPT` if a node is not where it hangs.
 */
export function* replacedBlocks(
  readOld: ReadInner,
  readNew: ReadInner,
  root: number,
  later: number,
  since = 0,
): Generator<number | undefined> {
  if (root === 0 || root === later || root < since) return;
  const node = readOld(root);
  if (node === undefined) return;
  refuseNode(root, rootProblem(node));
  const other = later === 0 ? undefined : readNew(later);
  if (other !== undefined) refuseNode(later, rootProblem(other));
  yield* replacedChildren(readOld, readNew, node, other, since);
  yield root;
}

function* replacedChildren(
  readOld: ReadInner,
  readNew: ReadInner,
  node: InnerNode,
  other: InnerNode | undefined,
  since: number,
): Generator<number | undefined> {
  yield undefined;
  for (let b = 0; b < FANOUT; b++) {
    const kind = node.kinds[b]!;
    const address = node.addresses[b]!;
    if (kind === ABSENT || address === other?.addresses[b] || address < since) continue;
    if (kind === INNER) {
      const child = readOld(address);
      if (child === undefined) continue;
      refuseNode(address, childProblem(node, b, child));
      yield* replacedChildren(readOld, readNew, child, childOf(readNew, other, b), since);
    }
    yield address;
  }
}

/** The inner node in bucket `b` of a later version; `undefined` if there is none. */
function childOf(
  readNew: ReadInner,
  parent: InnerNode | undefined,
  b: number,
): InnerNode | undefined {
  if (parent?.kinds[b] !== INNER) return undefined;
  const address = parent.addresses[b]!;
  const child = readNew(address);
  if (child !== undefined) refuseNode(address, childProblem(parent, b, child));
  return child;
}
