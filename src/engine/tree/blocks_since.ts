/**
 * The blocks that a version made. A node is written once, by one commit, and its parent notes the
 * version; so the blocks a version made hang together below its root.
 *
 * @module
 */

import { FANOUT } from "../constants.ts";
import { ABSENT, INNER } from "./node.ts";
import type { BlockStore } from "./block_store.ts";

/**
 * Addresses of the nodes below a root that were written in version `since` or later, parents before
 * children. Yields `undefined` where it may pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 */
export function* blocksSince(
  store: BlockStore,
  root: number,
  since: number,
): Generator<number | undefined> {
  if (root === 0) return;
  const node = store.readInner(root);
  yield root;
  for (let b = 0; b < FANOUT; b++) {
    const kind = node.kinds[b]!;
    if (kind === ABSENT || node.generations[b]! < since) continue;
    if (kind === INNER) yield* blocksSince(store, node.addresses[b]!, since);
    else yield node.addresses[b]!;
  }
  yield undefined;
}
