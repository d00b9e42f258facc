/**
 * Calls on several streams: the streams of all such calls together are limited, and each is read in
 * chunks that shrink with their number (docs/server.md, "Limits").
 *
 * @module
 */

import { freeMemoryLater } from "../free_memory.ts";
import type { Exchange } from "../method.ts";
import type { StreamsRequest } from "../open_streams.ts";

/** Streams of a call that leaves much free memory behind, by itself or with others of its kind. */
const MANY = 64;

/**
 * Runs `work` once so many streams may be read.
 *
 * @param exchange The call.
 * @param request The streams it reads.
 * @param work Gets the largest chunk of each stream; `undefined`: as large as an endpoint likes.
 */
export async function withStreams(
  { call, openStreams }: Exchange,
  request: StreamsRequest,
  work: (chunk: number | undefined) => Promise<void>,
): Promise<void> {
  await openStreams.run(request, call, async (chunk) => {
    const isMany = request.streams >= MANY;
    // Also while calls wait for their readers: what made their chunks is free.
    if (isMany) freeMemoryLater();
    try {
      await work(chunk);
    } finally {
      if (isMany) freeMemoryLater();
    }
  });
}
