/**
 * Reading ahead of whoever takes what was read.
 *
 * @module
 */

/**
 * The items of a source, which is read to its end however slowly they are taken: for an answer that has
 * a deadline, or that its server keeps open meanwhile. Those that were not taken yet stay in memory.
 */
export async function* readAhead<T>(
  source: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const items: T[] = [];
  let end: { error?: unknown } | undefined;
  let isLeft = false;
  let wake = (): void => {};
  const read = async () => {
    try {
      for await (const item of source) {
        if (isLeft) return;
        items.push(item);
        wake();
      }
      end = {};
    } catch (error) {
      end = { error };
    }
    wake();
  };
  read();
  try {
    for (;;) {
      yield* items.splice(0);
      if (items.length > 0) continue;
      if (end !== undefined) break;
      await new Promise<void>((resolve) => wake = resolve);
    }
  } finally {
    isLeft = true;
  }
  if ("error" in end) throw end.error;
}
