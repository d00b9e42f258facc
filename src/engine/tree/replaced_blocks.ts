/**
 * The blocks that a version has and a later one has not. A node never changes its place in the tree,
 * so two trees are compared place by place; below an address that both have, everything is shared.
 *
 * @module
 */

import { FANOUT } from "../constants.ts";
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
  const other = later === 0 ? undefined : readNew(later);
  yield undefined;
  for (let b = 0; b < FANOUT; b++) {
    const kind = node.kinds[b]!;
    const address = node.addresses[b]!;
    if (kind === ABSENT || address === other?.addresses[b]) continue;
    if (kind === INNER) {
      const next = other?.kinds[b] === INNER ? other.addresses[b]! : 0;
      yield* replacedBlocks(readOld, readNew, address, next);
    } else yield address;
  }
  yield root;
}
