/**
 * Iterators over streamed answers: single use, mapped, flattened.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";

/** Opens a streamed answer; nothing is sent before. */
export type Open<T> = () => AsyncIterableIterator<T>;

/** Holds a streamed answer until it is read, and refuses to be read twice. */
export class SingleUse<T> {
  #open: Open<T> | undefined;
  readonly #action: string;

  /**
   * @param action Name of the query, for the error: `"read raw values"`.
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
      throw invalidType(
        `Cannot ${this.#action} twice: the query was already read, make a new one`,
      );
    }
    this.#open = undefined;
    return open();
  }
}

/**
 * The iterable that `open` returns, opened by the first read; stopping it stops the iterator
 * underneath.
 */
export function lazily<T>(open: Open<T>): AsyncIterableIterator<T> {
  return new Mapped(open, (item) => item);
}

/** Converts what an iterator yields; stopping it stops the iterator underneath. */
export function mapEach<T, U>(
  source: AsyncIterableIterator<T>,
  convert: (item: T) => U,
): AsyncIterableIterator<U> {
  return new Mapped(() => source, convert);
}

/**
 * Not an async generator, because its `return()` would wait for a pending `next()`, possibly
 * without end.
 */
class Mapped<T, U> implements AsyncIterableIterator<U> {
  readonly #open: Open<T>;
  readonly #convert: (item: T) => U;
  #source: AsyncIterableIterator<T> | undefined;
  #done = false;

  constructor(open: Open<T>, convert: (item: T) => U) {
    this.#open = open;
    this.#convert = convert;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<U>> {
    if (this.#done) return { value: undefined, done: true };
    try {
      this.#source ??= this.#open();
      const item = await this.#source.next();
      if (item.done !== true) return { value: this.#convert(item.value), done: false };
      this.#done = true;
      return { value: undefined, done: true };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<U>> {
    this.#done = true;
    await this.#source?.return?.();
    return { value: undefined, done: true };
  }
}

/** The parts of what an iterator yields; stopping it stops the iterator underneath. */
export function flatten<T>(
  source: AsyncIterableIterator<Iterable<T>>,
): AsyncIterableIterator<T> {
  return new Flattened(source);
}

/**
 * An async generator would cost several turns of the event loop an item; here an item that is at
 * hand is one resolved promise.
 */
class Flattened<T> implements AsyncIterableIterator<T> {
  readonly #source: AsyncIterableIterator<Iterable<T>>;
  #items: Iterator<T> | undefined;
  #refilling: Promise<IteratorResult<T>> | undefined;

  constructor(source: AsyncIterableIterator<Iterable<T>>) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#refilling !== undefined) {
      return this.#refilling.then(() => this.next());
    }
    const item = this.#items?.next();
    if (item !== undefined && item.done !== true) return Promise.resolve(item);
    this.#refilling = this.#refill().finally(() => this.#refilling = undefined);
    return this.#refilling;
  }

  async return(): Promise<IteratorResult<T>> {
    this.#items = undefined;
    await this.#source.return?.();
    return { value: undefined, done: true };
  }

  async #refill(): Promise<IteratorResult<T>> {
    for (;;) {
      const batch = await this.#source.next();
      if (batch.done === true) return { value: undefined, done: true };
      this.#items = batch.value[Symbol.iterator]();
      const item = this.#items.next();
      if (item.done !== true) return item;
    }
  }
}

/** Everything an iterator yields. */
export async function gather<T>(source: AsyncIterableIterator<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
