/**
 * Points as compressed blocks (docs/engine.md, "Blocks").
 *
 * @module
 */

/** Points in order of time that are still compressed. */
export interface PointBlocks {
  /** Number of points in all blocks together. */
  readonly points: number;
  /** The blocks, in order of time. */
  readonly blocks: readonly Uint8Array[];
}

/**
 * Most points that travel together as blocks. A few bytes can claim any number: this bounds the memory
 * that is reserved for them.
 */
export const MAX_POINTS_IN_BLOCKS = 65_536;
