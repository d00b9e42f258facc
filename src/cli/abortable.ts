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
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const iterator = source[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (signal.aborted) iterator.return?.()?.catch(() => {});
    else await iterator.return?.();
  }
}
