/**
 * Streams whose `return()` takes effect at once, even while a `next()` is pending: the `return()` of
 * an async generator would wait for it.
 *
 * @module
 */

import { type CallOptions, onAbort } from "./call.ts";

/**
 * An iterator over what `make` generates. One may be made of others: each gives up a pending `next()` with
 * a reason of its own, so that no answer cut short passes for one at its end.
 *
 * @param options The call's.
 * @param make Called at the first `next()`; generates the values. Its signal is aborted when the
 * iterator is returned meanwhile.
 */
export function cancellable<T, O extends Pick<CallOptions, "signal">>(
  options: O,
  make: (options: O) => AsyncIterator<T, unknown, undefined>,
): AsyncIterableIterator<T> {
  return new Cancellable(options.signal, (signal) => make({ ...options, signal }));
}

class Cancellable<T> implements AsyncIterableIterator<T> {
  readonly #stop: AbortController = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #make: (signal: AbortSignal) => AsyncIterator<T, unknown, undefined>;
  #source: AsyncIterator<T, unknown, undefined> | undefined;
  #unlisten: (() => void) | undefined;
  #pending = 0;
  #done = false;

  constructor(
    signal: AbortSignal | undefined,
    make: (signal: AbortSignal) => AsyncIterator<T, unknown, undefined>,
  ) {
    this.#signal = signal;
    this.#make = make;
  }

  async next(): Promise<IteratorResult<T>> {
    this.#pending++;
    try {
      if (this.#done) return { done: true, value: undefined };
      if (this.#source === undefined) this.#listen();
      this.#stop.signal.throwIfAborted();
      this.#source ??= this.#make(this.#stop.signal);
      const result = await this.#source.next();
      if (result.done === true) this.#finish();
      return result as IteratorResult<T>;
    } catch (error) {
      this.#finish();
      if (error === this) return { done: true, value: undefined };
      await this.#source?.return?.();
      throw error;
    } finally {
      this.#pending--;
    }
  }

  async return(): Promise<IteratorResult<T>> {
    if (!this.#done) {
      if (this.#pending > 0) this.#stop.abort(this);
      this.#finish();
      await this.#source?.return?.();
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
