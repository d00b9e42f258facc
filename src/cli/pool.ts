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
 * @param work What to do; the first failure ends it all.
 * @returns The results, in the order of the items.
 */
export async function mapPool<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
