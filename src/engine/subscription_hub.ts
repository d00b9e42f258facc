/**
 * Hands new points to subscribers.
 *
 * @module
 */

import { deadlineExceeded, delay, MAX_TIMER_MS, onAbort } from "../core/call.ts";
import { concatRaw, type RawColumns } from "../core/columns.ts";
import type { SubscribeOptions, SubscriptionUpdate } from "../endpoint/endpoint.ts";
import { nextTurn } from "../core/event_loop.ts";
import { yieldToEventLoop } from "../core/pacer.ts";
import { uuidKey } from "../core/uuid.ts";
import { closedError } from "./write/group_commit.ts";
import { SubscribersByStream } from "./subscribers_by_stream.ts";
import { SubscribedStreams } from "./subscribed_streams.ts";
import { Subscription, updatesOf } from "./subscription.ts";

/**
 * Points that wait for all subscribers together, 256 MiB; then the one furthest behind is dropped.
 */
export const MAX_TOTAL_POINTS = 16_777_216;

/** Points that wait for all subscriptions of one owner, such as a key or a connection. */
export const MAX_OWNER_POINTS = 8_388_608;

/** Points that are held, in all, until the subscribers have been told of those before. */
const MAX_HELD_POINTS = 262_144;

/** Subscribers that are told before the event loop turns. */
const TOLD_AT_ONCE = 32;

/**
 * Inserts of more streams than are told at once are a burst, which ends when nothing was inserted for
 * so long, ms. Telling waits for its end, but no longer than `MAX_BURST_MS`.
 */
const CALM_MS = 15;
const MAX_BURST_MS = 100;

/** Inserts that follow each other within so long, ms, are a flow, which telling must not hold up. */
const FLOW_MS = 200;

/** Time that telling leaves to a flow of inserts for each ms that it takes, and at most, ms. */
const RESTS = 12;
const MAX_REST_MS = 100;

/** An update on its way to its subscribers. */
interface Delivery {
  readonly update: SubscriptionUpdate;
  readonly to: readonly Subscription[];
  /** Those that have it. */
  done: number;
}

/** Subscribers of one connection after another, so that their messages are written together. */
function byConnection(subscriptions: Iterable<Subscription>): readonly Subscription[] {
  const groups = new Map<unknown, Subscription[]>();
  for (const one of subscriptions) {
    const group = groups.get(one.owners[0]);
    if (group === undefined) groups.set(one.owners[0], [one]);
    else group.push(one);
  }
  return [...groups.values()].flat();
}

/** All subscribers of a database. */
export class SubscriptionHub {
  readonly #subscriptions = new Set<Subscription>();
  readonly #byStream = new SubscribersByStream();
  /** Points by stream that nobody has been told of. */
  readonly #held = new Map<string, { uuid: Uint8Array; parts: RawColumns[] }>();
  #heldPoints = 0;
  /** Time of the first insert that is held. */
  #heldMs = 0;
  /** Updates that some subscribers have and others do not have yet, in the order of inserts. */
  readonly #deliveries: Delivery[] = [];
  /** Subscriptions that have something new and were not woken up. */
  readonly #news = new Set<Subscription>();
  #isTelling = false;
  /** Time of the latest insert of a stream that has subscribers. */
  #publishedMs = -Infinity;
  #flowUntilMs = -Infinity;
  readonly #closed = new AbortController();
  /** Points that wait, in all and by their owners. */
  #total = 0;
  readonly #owned = new Map<unknown, number>();
  readonly #streams = new SubscribedStreams();

  /**
   * Tells whoever wants to know, once whoever inserts has been answered, some at a time, those of
   * one connection together. All get the same copy of the columns. Later inserts, while they are
   * told, are one update for each stream afterwards: many small inserts beside many subscribers then
   * cost as many messages as there is time for.
   */
  publish(uuid: Uint8Array, columns: RawColumns): void {
    const points = columns.times.length;
    if (this.#subscriptions.size === 0 || points === 0) return;
    const key = uuidKey(uuid);
    if (!this.#byStream.has(key)) return;
    if (this.#heldPoints > 0 && this.#heldPoints + points > MAX_HELD_POINTS) this.#deliverAll();
    const held = this.#held.get(key) ?? { uuid: uuid.slice(), parts: [] };
    held.parts.push({ times: columns.times.slice(), values: columns.values.slice() });
    const nowMs = performance.now();
    if (this.#held.size === 0) this.#heldMs = nowMs;
    this.#held.set(key, held);
    this.#heldPoints += points;
    this.#note(nowMs);
    if (!this.#isTelling) this.#tellAll();
  }

  /** Makes one update of what is held of each stream. */
  #release(): void {
    for (const [key, { uuid, parts }] of this.#held) {
      const columns = parts.length === 1 ? parts[0]! : concatRaw(parts);
      const to = byConnection(this.#byStream.of(key));
      this.#deliveries.push({ update: { uuid, columns }, to, done: 0 });
    }
    this.#held.clear();
    this.#heldPoints = 0;
  }

  /** Hands on everything that was inserted so far; subscribers are woken up later. */
  #deliverAll(): void {
    this.#deliver(Infinity);
    this.#release();
    this.#deliver(Infinity);
  }

  /** Hands updates to so many subscribers more. */
  #deliver(most: number): void {
    for (let left = most; left > 0 && this.#deliveries.length > 0;) {
      const delivery = this.#deliveries[0]!;
      const end = Math.min(delivery.to.length, delivery.done + left);
      left -= end - delivery.done;
      while (delivery.done < end) this.#push(delivery.to[delivery.done++]!, delivery.update);
      if (end === delivery.to.length) this.#deliveries.shift();
    }
    if (this.#total > MAX_TOTAL_POINTS) this.#boundAll();
  }

  #push(subscription: Subscription, update: SubscriptionUpdate): void {
    if (!this.#subscriptions.has(subscription)) return;
    subscription.push(update);
    this.#news.add(subscription);
    for (const owner of subscription.owners) {
      if (this.#owned.get(owner)! > MAX_OWNER_POINTS) this.#boundOwner(owner);
    }
  }

  async #tellAll(): Promise<void> {
    this.#isTelling = true;
    while (!this.#isTold) {
      // Whoever inserts goes first.
      await yieldToEventLoop();
      await this.#endOfBurst();
      const begunMs = performance.now();
      if (this.#deliveries.length === 0) this.#release();
      if (this.#news.size === 0) this.#deliver(TOLD_AT_ONCE);
      this.#wake(TOLD_AT_ONCE);
      // They send their messages.
      await nextTurn();
      if (!this.#isTold) await this.#rest(performance.now() - begunMs);
    }
    this.#isTelling = false;
  }

  /** True if nothing is left to tell. */
  get #isTold(): boolean {
    return this.#held.size + this.#deliveries.length + this.#news.size === 0;
  }

  /**
   * Waits for the end of a burst of inserts. The first of them would otherwise be told while the others
   * arrive, which would be acknowledged later for it.
   */
  async #endOfBurst(): Promise<void> {
    while (this.#held.size > TOLD_AT_ONCE && !this.#closed.signal.aborted) {
      const endMs = Math.min(this.#publishedMs + CALM_MS, this.#heldMs + MAX_BURST_MS);
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return;
      await this.#delay(leftMs);
    }
  }

  /** Waits, or until the end of everything. */
  #delay(ms: number): Promise<void> {
    return delay(ms, { signal: this.#closed.signal }, "tell").catch(() => {});
  }

  /** Takes note of the time of an insert. */
  #note(nowMs: number): void {
    if (nowMs - this.#publishedMs < FLOW_MS) this.#flowUntilMs = nowMs + FLOW_MS;
    this.#publishedMs = nowMs;
  }

  /** Leaves most of the time to a flow of inserts, when very many are to be told of one. */
  async #rest(workedMs: number): Promise<void> {
    if ((this.#deliveries[0]?.to.length ?? 0) <= TOLD_AT_ONCE) return;
    if (performance.now() > this.#flowUntilMs) return;
    const restMs = Math.min(RESTS * workedMs, MAX_REST_MS);
    await this.#delay(restMs);
  }

  #wake(most: number): void {
    let n = 0;
    for (const subscription of this.#news) {
      if (n++ === most) break;
      this.#news.delete(subscription);
      subscription.wake();
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
    const keys = new Set(uuids.map(uuidKey));
    this.#streams.add(owners, keys.size);
    const subscription = new Subscription(
      keys,
      owners,
      (points) => this.#account(owners, points),
    );
    const signal = options?.signal;
    const late = () => {
      this.#deliverAll();
      subscription.end(deadlineExceeded("continue the subscription"));
    };
    const leftMs = (options?.deadlineMs ?? Infinity) - Date.now();
    const timer = leftMs > MAX_TIMER_MS ? undefined : setTimeout(late, Math.max(0, leftMs));
    const unlisten = onAbort(signal, () => subscription.end(signal!.reason));
    const stop = () => {
      this.#remove(subscription);
      this.#streams.remove(owners, keys.size);
      unlisten();
      clearTimeout(timer);
    };
    this.#add(subscription);
    if (signal?.aborted) subscription.end(signal.reason);
    return updatesOf(subscription, stop);
  }

  #add(subscription: Subscription): void {
    // What was inserted before is not for it.
    this.#deliverAll();
    this.#subscriptions.add(subscription);
    this.#byStream.add(subscription);
  }

  #remove(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    this.#news.delete(subscription);
    subscription.clear();
    this.#byStream.remove(subscription);
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#deliverAll();
    this.#closed.abort();
    for (const subscription of this.#subscriptions) subscription.end(closedError());
  }
}
