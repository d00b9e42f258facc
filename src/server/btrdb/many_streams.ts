/**
 * Calls on several streams: the streams of all such calls together are limited, and each is read in
 * chunks that shrink with their number (docs/server.md, "Limits").
 *
 * @module
 */

import { freeMemoryLater } from "../free_memory.ts";
import { withPlaces } from "../call_limit.ts";
import type { Exchange } from "../method.ts";

/** Streams of a call that leaves much free memory behind, by itself or with others of its kind. */
const MANY = 64;

/**
 * Runs `work` once so many streams may be read.
 *
 * @param exchange The call.
 * @param count Number of streams it reads.
 */
export async function withStreams(
  { call, openStreams }: Exchange,
  count: number,
  work: () => Promise<void>,
): Promise<void> {
  if (count <= 1) return await work();
  await withPlaces(openStreams, call.signal, async () => {
    try {
      await work();
    } finally {
      if (count >= MANY) freeMemoryLater();
    }
  }, count);
}
