/**
 * One subscriber of new points, and its queue.
 *
 * @module
 */

import type { SubscriptionUpdate } from "../endpoint/endpoint.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";

/** Points a subscriber may be behind before it is dropped. */
export const MAX_PENDING_POINTS = 4_194_304;

/** One subscriber: updates wait here until they are asked for. */
export class Subscription {
  readonly keys: ReadonlySet<string>;
  /** Those on whose account its points wait. */
  readonly owners: readonly unknown[];
  readonly #account: (points: number) => void;
  readonly #updates: SubscriptionUpdate[] = [];
  #points = 0;
  #ended: { error: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** @param account Told of points that wait, or, below 0, no longer. */
  constructor(
    keys: ReadonlySet<string>,
    owners: readonly unknown[],
    account: (points: number) => void,
  ) {
    this.keys = keys;
    this.owners = owners;
    this.#account = account;
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
    this.#account(update.columns.times.length);
  }

  /** Lets its reader look again. */
  wake(): void {
    this.#wake?.();
  }

  /**
   * Ends the subscription and lets go of what waits, because several together are too far behind.
   *
   * @param whose Name of the group of subscribers.
   * @param most Points that may wait for them.
   */
  drop(whose: string, most: number): void {
    const text =
      `The subscription is ${this.#points} points behind, and ${whose} together more than ${most}`;
    this.clear();
    this.end(new BTrDBError(text, { code: ErrorCode.ResourceDepleted }));
  }

  /** Lets go of what waits. */
  clear(): void {
    this.#account(-this.#points);
    this.#updates.length = 0;
    this.#points = 0;
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
        this.#account(-update.columns.times.length);
        return update;
      }
      if (this.#ended !== undefined) throw this.#ended.error;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }
}

/**
 * The updates of a subscription, until it ends.
 *
 * @param stop Called once, when it ends or nothing more is asked for.
 */
export function updatesOf(
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
