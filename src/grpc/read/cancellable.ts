/**
 * Streams whose `return()` takes effect at once, even while a `next()` is pending: the `return()` of
 * an async generator would wait for it.
 *
 * @module
 */

import { type CallOptions, onAbort } from "../../core/call.ts";

/** The reason with which a pending `next()` is given up. */
const STOPPED = new Error("The stream was returned");

/**
 * An iterator over what `make` generates.
 *
 * @param options The call's.
 * @param make Called at the first `next()`; generates the values. Its signal is aborted when the
 * iterator is returned meanwhile.
 */
export function cancellable<T>(
  options: CallOptions,
  make: (options: CallOptions) => AsyncGenerator<T, void, undefined>,
): AsyncIterableIterator<T> {
  return new Cancellable(options, make);
}

class Cancellable<T> implements AsyncIterableIterator<T> {
  readonly #stop: AbortController = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #make: () => AsyncGenerator<T, void, undefined>;
  #source: AsyncGenerator<T, void, undefined> | undefined;
  #unlisten: (() => void) | undefined;
  #pending = 0;
  #done = false;

  constructor(
    options: CallOptions,
    make: (options: CallOptions) => AsyncGenerator<T, void, undefined>,
  ) {
    this.#signal = options.signal;
    this.#make = () => make({ ...options, signal: this.#stop.signal });
  }

  async next(): Promise<IteratorResult<T>> {
    this.#pending++;
    try {
      if (this.#done) return { done: true, value: undefined };
      if (this.#source === undefined) this.#listen();
      this.#stop.signal.throwIfAborted();
      this.#source ??= this.#make();
      const result = await this.#source.next();
      if (result.done === true) this.#finish();
      return result as IteratorResult<T>;
    } catch (error) {
      this.#finish();
      if (error === STOPPED) return { done: true, value: undefined };
      await this.#source?.return();
      throw error;
    } finally {
      this.#pending--;
    }
  }

  async return(): Promise<IteratorResult<T>> {
    if (!this.#done) {
      if (this.#pending > 0) this.#stop.abort(STOPPED);
      this.#finish();
      await this.#source?.return();
    }
    return { done: true, value: undefined };
  }

  /** From the first read on: a stream that nobody reads leaves no listener. */
  #listen(): void {
    this.#unlisten = onAbort(this.#signal, () => this.#stop.abort(this.#signal!.reason));
    if (this.#signal?.aborted) this.#stop.abort(this.#signal.reason);
  }

  #finish(): void {
    this.#done = true;
    this.#unlisten?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
