/**
 * Many small things at the same time, but not all of them.
 *
 * @module
 */

/**
 * Does `work` for every item, a few at a time.
 *
 * @param items What to work on.
 * @param width Most at the same time.
 * @param work What to do; after a failure nothing more is begun.
 * @returns The results, in the order of the items. Rejects with the first failure when what was under
 * way has ended, so that nothing happens behind the back of who reports it.
 */
export async function mapPool<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failure: { error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (next < items.length && failure === undefined) {
      const index = next++;
      try {
        results[index] = await work(items[index]!, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  if (failure !== undefined) throw (failure as { error: unknown }).error;
  return results;
}
