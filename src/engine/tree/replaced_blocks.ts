/**
 * The blocks that a version has and a later one has not. A node never changes its place in the tree,
 * so two trees are compared place by place; below an address that both have, everything is shared.
 *
 * @module
 */

import { FANOUT } from "../constants.ts";
import { childProblem, refuseNode, rootProblem } from "./check_node.ts";
import { ABSENT, INNER, type InnerNode } from "./node.ts";

/** Reads inner nodes; `undefined` for one that is gone. */
export type ReadInner = (address: number) => InnerNode | undefined;

/**
 * Addresses of the nodes of one version that a later one has not, children before their parent: as
 * long as they are removed in this order, what is left of them hangs together below the root.
 * Yields `undefined` where it may pause.
 *
 * @param readOld Reads nodes of the older version, of which some may be removed already.
 * @param readNew Reads nodes of the later version.
 * @param root Address of the older root, 0 for an empty tree.
 * @param later Address of the later root, 0 for an empty tree or none.
 * @throws {BTrDBError} `CORRUPT` if a node is not where it hangs.
 */
export function* replacedBlocks(
  readOld: ReadInner,
  readNew: ReadInner,
  root: number,
  later: number,
): Generator<number | undefined> {
  if (root === 0 || root === later) return;
  const node = readOld(root);
  if (node === undefined) return;
  refuseNode(root, rootProblem(node));
  const other = later === 0 ? undefined : readNew(later);
  if (other !== undefined) refuseNode(later, rootProblem(other));
  yield* replacedChildren(readOld, readNew, node, other);
  yield root;
}

function* replacedChildren(
  readOld: ReadInner,
  readNew: ReadInner,
  node: InnerNode,
  other: InnerNode | undefined,
): Generator<number | undefined> {
  yield undefined;
  for (let b = 0; b < FANOUT; b++) {
    const kind = node.kinds[b]!;
    const address = node.addresses[b]!;
    if (kind === ABSENT || address === other?.addresses[b]) continue;
    if (kind === INNER) {
      const child = readOld(address);
      if (child === undefined) continue;
      refuseNode(address, childProblem(node, b, child));
      yield* replacedChildren(readOld, readNew, child, childOf(readNew, other, b));
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
