/**
 * Work that ends when the user interrupts, whatever it waits for.
 *
 * @module
 */

/**
 * The items of a source until a signal is aborted, also while the source has nothing to give.
 *
 * @param source Closed at the end, unless it still waits for something.
 * @param signal Its reason ends the iteration.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, void> {
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await settledOrAborted(iterator.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    if (signal.aborted) iterator.return?.()?.catch(() => {});
    else await iterator.return?.();
  }
}

/**
 * What a promise gives, unless the signal is aborted first. The listener goes with the promise: a
 * race against one that lives as long as the signal would keep every result alive.
 */
export function settledOrAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
