/**
 * Runs up to N calls at once, queues a few more, and rejects the rest because the server sheds
 * load, as a real server does (docs/server.md, "Limits").
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { Semaphore } from "../core/semaphore.ts";

/**
 * Runs `work` with places behind each of the gates.
 *
 * @param signal Ends the waiting.
 * @param count Number of places; all there are behind the smallest gate, if it is more.
 */
export async function withPlaces<T>(
  [gate, ...others]: readonly CallLimit[],
  signal: AbortSignal,
  work: () => Promise<T>,
  count = 1,
): Promise<T> {
  if (gate === undefined) return await work();
  const places = Math.min(count, gate.most);
  await gate.enter(signal, places);
  try {
    return await withPlaces(others, signal, work, places);
  } finally {
    gate.leave(places);
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

  /**
   * @param maxRunning Calls that run at once.
   * @param maxWaiting Calls that wait for one of them to end.
   */
  constructor(maxRunning: number, maxWaiting: number) {
    this.#places = new Semaphore(maxRunning);
    this.most = maxRunning;
    this.#maxWaiting = maxWaiting;
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
   * Takes places, waiting for them if need be; {@linkcode leave} gives them back.
   *
   * @param signal Ends the waiting.
   * @param count Number of places; all there are, if it is more.
   * @throws {BTrDBError} 426, if too many wait already; the signal's reason on an abort.
   */
  async enter(signal: AbortSignal, count = 1): Promise<void> {
    signal.throwIfAborted();
    const places = Math.min(count, this.most);
    if (!this.#places.hasRoom(places) && this.waiting >= this.#maxWaiting) {
      throw new BTrDBError(SHEDDING, { code: ErrorCode.ResourceDepleted });
    }
    await this.#places.take({ signal }, "wait", places);
  }

  /** Gives places to the first calls that wait. */
  leave(count = 1): void {
    this.#places.release(Math.min(count, this.most));
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
   */
  constructor(maxRunning: number, maxWaiting: number) {
    this.all = new CallLimit(maxRunning, maxWaiting);
    const share = Math.max(1, Math.floor(SHARE * maxRunning));
    this.#newShare = () => new CallLimit(share, maxWaiting >> 1);
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
