/**
 * Points of chunks that may be compressed blocks.
 *
 * @module
 */

import { concatRaw, type RawColumns, sliceRaw } from "../../src/core/columns.ts";
import type { RawChunk } from "../../src/endpoint/endpoint.ts";
import { decodeSortedBlock } from "../../src/kernel/decode_block.ts";

/** All points of an answer, each block decoded by itself, and how many came in blocks. */
export async function storedColumns(
  chunks: AsyncIterable<RawChunk>,
): Promise<{ columns: RawColumns; inBlocks: number }> {
  const parts: RawColumns[] = [];
  let inBlocks = 0;
  for await (const { columns, blocks } of chunks) {
    // A copy: the columns may only have been lent.
    parts.push(concatRaw([sliceRaw(columns, 0, columns.times.length), sliceRaw(columns, 0, 0)]));
    inBlocks += blocks?.points ?? 0;
    for (const block of blocks?.blocks ?? []) parts.push(decodeSortedBlock(block));
  }
  return { columns: concatRaw(parts), inBlocks };
}
