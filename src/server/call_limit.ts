/**
 * Runs up to N calls at once, queues a few more, and rejects the rest because the server sheds
 * load, as a real server does (docs/server.md, "Limits").
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { Semaphore } from "../core/semaphore.ts";
import { type PlaceHolder, PlaceHolders, type SendTimeout } from "./unread_answers.ts";

/**
 * Runs `work` with places behind each of the gates.
 *
 * @param call The call that takes them; its signal ends the waiting.
 * @param count Number of places; all there are behind the smallest gate, if it is more.
 */
export async function withPlaces<T>(
  [gate, ...others]: readonly CallLimit[],
  call: PlaceHolder,
  work: () => Promise<T>,
  count = 1,
): Promise<T> {
  if (gate === undefined) return await work();
  const places = Math.min(count, gate.most);
  await gate.enter(call, places);
  try {
    return await withPlaces(others, call, work, places);
  } finally {
    gate.leave(call, places);
  }
}

/** Error text of a real server that has too much to do. */
const SHEDDING = "The cluster is overwhelmed and is shedding load.";

/** A counter of running calls with a short queue. */
export class CallLimit {
  readonly #places: Semaphore;
  /** Calls that run at once. */
  readonly most: number;
  readonly #maxWaiting: number;
  readonly #holders: PlaceHolders;
  readonly #onLeave: ((running: number) => void) | undefined;
  /** Places that are waited for. */
  #wanted = 0;

  /**
   * @param maxRunning Calls that run at once.
   * @param maxWaiting Calls that wait for one of them to end.
   * @param timeout Longest wait of answers for their clients while calls wait.
   * @param onLeave Told of the calls that ran, when one of them has ended.
   */
  constructor(
    maxRunning: number,
    maxWaiting: number,
    timeout: SendTimeout,
    onLeave?: (running: number) => void,
  ) {
    this.#onLeave = onLeave;
    this.#places = new Semaphore(maxRunning);
    this.most = maxRunning;
    this.#maxWaiting = maxWaiting;
    this.#holders = new PlaceHolders(timeout);
  }

  /** Calls that run now. */
  get running(): number {
    return this.#places.taken;
  }

  /** Calls that wait now. */
  get waiting(): number {
    return this.#places.waiting;
  }

  /**
   * Takes places, waiting for them if need be; {@linkcode leave} gives them back. While a call waits,
   * those that have places and whose clients do not read are ended.
   *
   * @param call Its signal ends the waiting. Has no places behind this gate yet.
   * @param count Number of places; all there are, if it is more.
   * @throws {BTrDBError} 426, if too many wait already; the signal's reason on an abort.
   */
  async enter(call: PlaceHolder, count = 1): Promise<void> {
    const { signal } = call;
    signal.throwIfAborted();
    const places = Math.min(count, this.most);
    if (!this.#places.hasRoom(places) && this.waiting >= this.#maxWaiting) {
      throw new BTrDBError(SHEDDING, { code: ErrorCode.ResourceDepleted });
    }
    const granted = this.#places.take({ signal }, "wait", places);
    if (granted !== undefined) await this.#wait(granted, places);
    this.#holders.add(call, places);
  }

  /** Gives places to the first calls that wait. */
  leave(call: PlaceHolder, count = 1): void {
    this.#holders.delete(call);
    this.#onLeave?.(this.running);
    this.#places.release(Math.min(count, this.most));
  }

  async #wait(granted: Promise<void>, places: number): Promise<void> {
    this.#wanted += places;
    this.#holders.watch(() => this.#wanted - (this.most - this.running));
    try {
      await granted;
    } finally {
      this.#wanted -= places;
      if (this.#wanted === 0) this.#holders.unwatch();
    }
  }
}

/** Share of the places that one key, or all callers without a known key together, may take. */
const SHARE = 0.75;

/** The places for calls, or for the streams that they read, so shared that no caller can take all of them. */
export class SharedPlaces {
  /** All places. */
  readonly all: CallLimit;
  readonly #newShare: () => CallLimit;
  readonly #shares = new Map<unknown, CallLimit>();

  /**
   * @param maxRunning Calls that run at once.
   * @param maxWaiting Calls that wait for one of them to end.
   * @param timeout Longest wait of answers for their clients while calls wait.
   * @param onLeave Told of the calls that ran, when one of them has ended.
   */
  constructor(
    maxRunning: number,
    maxWaiting: number,
    timeout: SendTimeout,
    onLeave?: (running: number) => void,
  ) {
    this.all = new CallLimit(maxRunning, maxWaiting, timeout, onLeave);
    const share = Math.max(1, Math.floor(SHARE * maxRunning));
    this.#newShare = () => new CallLimit(share, maxWaiting >> 1, timeout);
  }

  /**
   * The limits through which a call has to go.
   *
   * @param owner Its caller: a key, or nobody known; absent where callers are not told apart.
   */
  of(owner: unknown): readonly CallLimit[] {
    if (owner === undefined) return [this.all];
    let share = this.#shares.get(owner);
    if (share === undefined) this.#shares.set(owner, share = this.#newShare());
    return [share, this.all];
  }
}
