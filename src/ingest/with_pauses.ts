/**
 * Pauses between chunks that come late.
 *
 * @module
 */

import { delay } from "../core/call.ts";

/**
 * Gives chunks on as they come, and `undefined` once whenever none has come for some time.
 *
 * @param chunks Read one at a time.
 * @param pauseMs Time without a chunk that is a pause.
 */
export async function* withPauses<T>(
  chunks: AsyncIterable<T>,
  pauseMs: number,
): AsyncGenerator<T | undefined, void, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  let isDone = false;
  try {
    while (true) {
      const next = iterator.next();
      next.catch(() => {});
      const timer = new AbortController();
      const pause = delay(pauseMs, { signal: timer.signal }).then(() => undefined, () => undefined);
      const early = await Promise.race([next, pause]).finally(() => timer.abort());
      if (early === undefined) yield undefined;
      const { done, value } = await next;
      isDone = done === true;
      if (isDone) return;
      yield value as T;
    }
  } finally {
    // What waits for a chunk that never comes is not waited for.
    if (!isDone) iterator.return?.()?.catch(() => {});
  }
}
