/**
 * Hands new points to subscribers.
 *
 * @module
 */

import { deadlineExceeded, MAX_TIMER_MS, onAbort } from "../core/call.ts";
import { concatRaw, type RawColumns } from "../core/columns.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import type { SubscribeOptions, SubscriptionUpdate } from "../endpoint/endpoint.ts";
import { yieldToEventLoop } from "../core/pacer.ts";
import { closedError } from "./write/group_commit.ts";
import { keyOf } from "./stream/registry.ts";

/** Points a subscriber may be behind before it is dropped. */
export const MAX_PENDING_POINTS = 4_194_304;

/**
 * Points that wait for all subscribers together, 256 MiB; then the one furthest behind is dropped.
 */
export const MAX_TOTAL_POINTS = 16_777_216;

/** Points that wait for all subscriptions of one owner, such as a key or a connection. */
export const MAX_OWNER_POINTS = 8_388_608;

/** Points that wait, in all, until the subscribers have been told of those before. */
const MAX_HELD_POINTS = 262_144;

/** Subscribers that are woken up before the event loop turns. */
const WAKE_AT_ONCE = 8;

/** One subscriber: updates wait here until they are asked for. */
class Subscription {
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

/** All subscribers of a database. */
export class SubscriptionHub {
  readonly #subscriptions = new Set<Subscription>();
  readonly #byKey = new Map<string, Set<Subscription>>();
  /** Subscriptions with something new. */
  readonly #news = new Set<Subscription>();
  /** Points by stream that wait until everybody has been told of those before. */
  readonly #held = new Map<string, { uuid: Uint8Array; parts: RawColumns[] }>();
  #heldPoints = 0;
  /** Points that wait, in all and by their owners. */
  #total = 0;
  readonly #owned = new Map<unknown, number>();

  /**
   * Tells whoever wants to know. All get the same copy of the columns; they are woken up a few at a
   * time, so that whoever inserts does not wait for all of them. Later inserts, while they are
   * woken up, are one update for each stream afterwards: many small inserts beside many subscribers
   * then cost as many messages as there is time for.
   */
  publish(uuid: Uint8Array, columns: RawColumns): void {
    const key = keyOf(uuid);
    if (!this.#byKey.has(key) || columns.times.length === 0) return;
    const copy = { times: columns.times.slice(), values: columns.values.slice() };
    if (this.#news.size > 0 && this.#hold(key, uuid, copy)) return;
    this.#release(key);
    const isIdle = this.#news.size === 0;
    this.#push(key, { uuid: uuid.slice(), columns: copy });
    if (isIdle) this.#wakeAll();
  }

  /** Keeps points for the next round, if they are not too many. */
  #hold(key: string, uuid: Uint8Array, columns: RawColumns): boolean {
    const points = columns.times.length;
    if (this.#heldPoints + points > MAX_HELD_POINTS) return false;
    const held = this.#held.get(key) ?? { uuid: uuid.slice(), parts: [] };
    held.parts.push(columns);
    this.#held.set(key, held);
    this.#heldPoints += points;
    return true;
  }

  /** Hands on what is held of a stream. */
  #release(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    const { uuid, parts } = held;
    const columns = parts.length === 1 ? parts[0]! : concatRaw(parts);
    this.#heldPoints -= columns.times.length;
    this.#push(key, { uuid, columns });
  }

  #releaseAll(): void {
    for (const key of [...this.#held.keys()]) this.#release(key);
  }

  #push(key: string, update: SubscriptionUpdate): void {
    for (const subscription of this.#byKey.get(key) ?? []) {
      subscription.push(update);
      this.#news.add(subscription);
      for (const owner of subscription.owners) {
        if (this.#owned.get(owner)! > MAX_OWNER_POINTS) this.#boundOwner(owner);
      }
    }
    if (this.#total > MAX_TOTAL_POINTS) this.#boundAll();
  }

  async #wakeAll(): Promise<void> {
    while (this.#news.size > 0) {
      // Whoever inserts goes first.
      await yieldToEventLoop();
      let n = 0;
      for (const subscription of this.#news) {
        this.#news.delete(subscription);
        subscription.wake();
        if (++n === WAKE_AT_ONCE) break;
      }
      if (this.#news.size === 0) this.#releaseAll();
    }
  }

  /** Takes note of points that wait for a subscription of some owners. */
  #account(owners: readonly unknown[], points: number): void {
    this.#total += points;
    for (const owner of owners) {
      const sum = (this.#owned.get(owner) ?? 0) + points;
      if (sum === 0) this.#owned.delete(owner);
      else this.#owned.set(owner, sum);
    }
  }

  /** Drops subscriptions of an owner, those furthest behind, until they are within their bound. */
  #boundOwner(owner: unknown): void {
    const isOwn = ({ owners }: Subscription) => owners.includes(owner);
    this.#dropDownTo(MAX_OWNER_POINTS, this.#owned.get(owner)!, isOwn, "those of the caller");
  }

  /** The same for all subscriptions. */
  #boundAll(): void {
    this.#dropDownTo(MAX_TOTAL_POINTS, this.#total, () => true, "all subscriptions");
  }

  /** Drops some until those together have `most` points. */
  #dropDownTo(
    most: number,
    points: number,
    isOne: (subscription: Subscription) => boolean,
    whose: string,
  ): void {
    let dropped = 0;
    while (points - dropped > most) {
      let last: Subscription | undefined;
      for (const one of this.#subscriptions) {
        if (isOne(one) && (last === undefined || one.points > last.points)) last = one;
      }
      if (last === undefined || last.points === 0) break;
      dropped += last.points;
      last.drop(whose, most);
    }
  }

  /** Points inserted from this call on, until `return()` or an abort. */
  subscribe(
    uuids: readonly Uint8Array[],
    options: SubscribeOptions | undefined,
  ): AsyncIterableIterator<SubscriptionUpdate> {
    const { owners = [] } = options ?? {};
    const subscription = new Subscription(
      new Set(uuids.map(keyOf)),
      owners,
      (points) => this.#account(owners, points),
    );
    const signal = options?.signal;
    const late = () => {
      this.#releaseAll();
      subscription.end(deadlineExceeded("continue the subscription"));
    };
    const leftMs = (options?.deadlineMs ?? Infinity) - Date.now();
    const timer = leftMs > MAX_TIMER_MS ? undefined : setTimeout(late, Math.max(0, leftMs));
    const unlisten = onAbort(signal, () => subscription.end(signal!.reason));
    const stop = () => {
      this.#remove(subscription);
      unlisten();
      clearTimeout(timer);
    };
    this.#add(subscription);
    if (signal?.aborted) subscription.end(signal.reason);
    return updatesOf(subscription, stop);
  }

  #add(subscription: Subscription): void {
    // What was inserted before is not for it.
    this.#releaseAll();
    this.#subscriptions.add(subscription);
    for (const key of subscription.keys) {
      const same = this.#byKey.get(key) ?? new Set();
      this.#byKey.set(key, same.add(subscription));
    }
  }

  #remove(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    this.#news.delete(subscription);
    subscription.clear();
    for (const key of subscription.keys) {
      const same = this.#byKey.get(key);
      same?.delete(subscription);
      if (same?.size === 0) this.#byKey.delete(key);
    }
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#releaseAll();
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
