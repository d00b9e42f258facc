/**
 * A streamed answer that can be read once.
 *
 * @module
 */

/** Opens a streamed answer; nothing is sent before. */
export type Open<T> = () => AsyncIterableIterator<T>;

/** Holds a streamed answer until somebody reads it, and lets nobody read it twice. */
export class SingleUse<T> {
  #open: Open<T> | undefined;
  readonly #action: string;

  /**
   * @param action What the query does, for the error: `"read raw values"`.
   * @param open Opens the answer.
   */
  constructor(action: string, open: Open<T>) {
    this.#action = action;
    this.#open = open;
  }

  /**
   * The answer.
   *
   * @throws {TypeError} If it was taken before.
   */
  take(): AsyncIterableIterator<T> {
    const open = this.#open;
    if (open === undefined) {
      throw new TypeError(
        `Cannot ${this.#action} twice: the query was already read, make a new one`,
      );
    }
    this.#open = undefined;
    return open();
  }
}

/** Converts what an iterator yields; stopping it stops the iterator underneath. */
export async function* mapEach<T, U>(
  source: AsyncIterableIterator<T>,
  convert: (item: T) => U,
): AsyncIterableIterator<U> {
  for await (const item of source) yield convert(item);
}

/** The parts of what an iterator yields; stopping it stops the iterator underneath. */
export async function* flatten<T>(
  source: AsyncIterableIterator<Iterable<T>>,
): AsyncIterableIterator<T> {
  for await (const items of source) yield* items;
}

/** Everything an iterator yields. */
export async function gather<T>(source: AsyncIterableIterator<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
