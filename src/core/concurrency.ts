/**
 * Maps an async function over items with limited concurrency.
 *
 * @module
 */

/**
 * Applies an asynchronous function to every item, at most `limit` at a time. After a failure
 * nothing more is begun; what is under way settles before the failure is thrown. Of several that fail
 * the first item counts, whichever fails first.
 *
 * @param items Arguments of `work`.
 * @param limit Most calls of `work` at a time, at least 1.
 * @param work Function to apply.
 * @returns The results in the order of the items.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failed = Infinity;
  let failure: unknown;
  const worker = async (): Promise<void> => {
    while (failed === Infinity && next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index]!, index);
      } catch (error) {
        if (index < failed) [failed, failure] = [index, error];
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failed < Infinity) throw failure;
  return results;
}
