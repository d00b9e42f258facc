/**
 * Hands new points to subscribers.
 *
 * @module
 */

import { deadlineExceeded, MAX_TIMER_MS, onAbort } from "../core/call.ts";
import type { RawColumns } from "../core/columns.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import type { CallOptions, SubscriptionUpdate } from "../endpoint/endpoint.ts";
import { closedError } from "./write/group_commit.ts";
import { keyOf } from "./stream/registry.ts";

/** Points a subscriber may be behind before it is dropped. */
export const MAX_PENDING_POINTS = 4_194_304;

/**
 * Points that wait for all subscribers together, 256 MiB; then the one furthest behind is dropped.
 */
export const MAX_TOTAL_POINTS = 16_777_216;

/** One subscriber: updates wait here until they are asked for. */
class Subscription {
  readonly keys: ReadonlySet<string>;
  readonly #updates: SubscriptionUpdate[] = [];
  #points = 0;
  #ended: { error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(keys: ReadonlySet<string>) {
    this.keys = keys;
  }

  /** Points that wait. */
  get points(): number {
    return this.#points;
  }

  push(update: SubscriptionUpdate): void {
    if (this.#ended !== undefined) return;
    const points = this.#points + update.columns.times.length;
    if (points > MAX_PENDING_POINTS) {
      const text =
        `The subscription is ${points} points behind, at most ${MAX_PENDING_POINTS} wait`;
      this.end(new BTrDBError(text, { code: ErrorCode.ResourceDepleted }));
      return;
    }
    this.#points = points;
    this.#updates.push(update);
    this.#wake?.();
  }

  /** Ends the subscription and lets go of what waits, because all together are too far behind. */
  drop(): void {
    const text =
      `The subscription is ${this.#points} points behind, and all subscriptions together ` +
      `more than ${MAX_TOTAL_POINTS}`;
    this.#updates.length = 0;
    this.#points = 0;
    this.end(new BTrDBError(text, { code: ErrorCode.ResourceDepleted }));
  }

  end(error: unknown): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  /** The next update. Rejects with what ended the subscription, once all updates are taken. */
  async next(): Promise<SubscriptionUpdate> {
    for (;;) {
      const update = this.#updates.shift();
      if (update !== undefined) {
        this.#points -= update.columns.times.length;
        return update;
      }
      if (this.#ended !== undefined) throw this.#ended.error;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }
}

/** All subscribers of a database. */
export class SubscriptionHub {
  readonly #subscriptions = new Set<Subscription>();

  /** Tells whoever wants to know; the columns are copied if anyone does. */
  publish(uuid: Uint8Array, columns: RawColumns): void {
    if (this.#subscriptions.size === 0 || columns.times.length === 0) return;
    const key = keyOf(uuid);
    for (const subscription of this.#subscriptions) {
      if (!subscription.keys.has(key)) continue;
      const copy = { times: columns.times.slice(), values: columns.values.slice() };
      subscription.push({ uuid: uuid.slice(), columns: copy });
    }
    this.#bound();
  }

  /** Drops those furthest behind until what waits is within its bound. */
  #bound(): void {
    let total = 0;
    for (const { points } of this.#subscriptions) total += points;
    while (total > MAX_TOTAL_POINTS) {
      let last: Subscription | undefined;
      for (const one of this.#subscriptions) {
        if (last === undefined || one.points > last.points) last = one;
      }
      total -= last!.points;
      last!.drop();
    }
  }

  /** Points inserted from this call on, until `return()` or an abort. */
  subscribe(
    uuids: readonly Uint8Array[],
    options: CallOptions | undefined,
  ): AsyncIterableIterator<SubscriptionUpdate> {
    const subscription = new Subscription(new Set(uuids.map(keyOf)));
    const signal = options?.signal;
    const late = () => subscription.end(deadlineExceeded("continue the subscription"));
    const leftMs = (options?.deadlineMs ?? Infinity) - Date.now();
    const timer = leftMs > MAX_TIMER_MS ? undefined : setTimeout(late, Math.max(0, leftMs));
    const unlisten = onAbort(signal, () => subscription.end(signal!.reason));
    const stop = () => {
      this.#subscriptions.delete(subscription);
      unlisten();
      clearTimeout(timer);
    };
    this.#subscriptions.add(subscription);
    if (signal?.aborted) subscription.end(signal.reason);
    return updatesOf(subscription, stop);
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.end(closedError());
  }
}

function updatesOf(
  subscription: Subscription,
  stop: () => void,
): AsyncIterableIterator<SubscriptionUpdate> {
  let done = false;
  const finish = (): IteratorReturnResult<undefined> => {
    if (!done) stop();
    done = true;
    subscription.end(undefined);
    return { done: true, value: undefined };
  };
  return {
    async next() {
      if (done) return finish();
      try {
        return { done: false, value: await subscription.next() };
      } catch (error) {
        if (done) return finish();
        finish();
        throw error;
      }
    },
    return() {
      return Promise.resolve(finish());
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
