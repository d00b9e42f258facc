/**
 * Subscriptions by the streams they are for.
 *
 * @module
 */

import { yieldToEventLoop } from "../core/pacer.ts";
import type { Subscription } from "./subscription.ts";

/** Streams of one subscription that are entered in one turn of the event loop, about a millisecond. */
export const ENTERED_AT_ONCE = 1_024;

/** A subscription as far as it matters here. */
type Keyed = Pick<Subscription, "keys">;

/**
 * Subscriptions by the keys of their streams. One of thousands of streams is found from the beginning,
 * and entered for each of them in steps: a map with as many new entries takes 10 ms and more.
 */
export class SubscribersByStream<S extends Keyed = Subscription> {
  readonly #byKey = new Map<string, Set<S>>();
  /** Subscriptions that are not entered for all of their streams. */
  readonly #entering = new Set<S>();

  /** Tells whether a stream has subscribers. */
  has(key: string): boolean {
    if (this.#byKey.has(key)) return true;
    for (const one of this.#entering) if (one.keys.has(key)) return true;
    return false;
  }

  /** Subscribers of a stream, each once. */
  *of(key: string): Generator<S> {
    const entered = this.#byKey.get(key);
    if (entered !== undefined) yield* entered;
    for (const one of this.#entering) {
      if (one.keys.has(key) && entered?.has(one) !== true) yield one;
    }
  }

  /** Adds a subscription: from now on it is found. */
  add(subscription: S): void {
    this.#entering.add(subscription);
    this.#enter(subscription);
  }

  /** Removes a subscription, also one that is still being entered. */
  remove(subscription: S): void {
    this.#entering.delete(subscription);
    for (const key of subscription.keys) {
      const same = this.#byKey.get(key);
      same?.delete(subscription);
      if (same?.size === 0) this.#byKey.delete(key);
    }
  }

  async #enter(subscription: S): Promise<void> {
    let entered = 0;
    for (const key of subscription.keys) {
      const same = this.#byKey.get(key);
      if (same === undefined) this.#byKey.set(key, new Set([subscription]));
      else same.add(subscription);
      if (++entered % ENTERED_AT_ONCE > 0) continue;
      await yieldToEventLoop();
      // It may have been removed meanwhile.
      if (!this.#entering.has(subscription)) return;
    }
    this.#entering.delete(subscription);
  }
}
