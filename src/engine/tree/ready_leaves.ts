/**
 * Leaves that were made before they are written.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import type { Stats } from "./node.ts";

/** A leaf, without the frame of its block. */
export interface ReadyLeaf {
  /** Its points, encoded; valid until the next leaf is asked for. */
  readonly content: Uint8Array;
  readonly stats: Stats;
}

/** The leaves of one insert. */
export interface ReadyLeaves {
  /** The leaf with the points `[from, to)` of the insert, or of a part of it, if it is there. */
  leaf(points: RawColumns, from: number, to: number): ReadyLeaf | undefined;
  /** Says that no more leaves are needed. Idempotent. */
  end(): void;
}
