/**
 * Runs up to N calls at once, queues a few more, and rejects the rest because the server sheds
 * load, as a real server does (docs/server.md, "Limits").
 *
 * @module
 */

import { abortable } from "../core/call.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";

/** Error text of a real server that has too much to do. */
const SHEDDING = "The cluster is overwhelmed and is shedding load.";

/** A counter of running calls with a short queue. */
export class CallLimit {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  /**
   * @param maxRunning Calls that run at once.
   * @param maxWaiting Calls that wait for one of them to end.
   */
  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** Calls that run now. */
  get running(): number {
    return this.#running;
  }

  /** Calls that wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a place, waiting for one if need be. Who got in calls {@linkcode leave} once.
   *
   * @param signal Ends the waiting.
   * @throws {BTrDBError} 426, if too many wait already; the signal's reason on an abort.
   */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#maxRunning) {
      this.#running++;
      return;
    }
    if (this.#waiting.size >= this.#maxWaiting) {
      throw new BTrDBError(SHEDDING, { code: ErrorCode.ResourceDepleted });
    }
    let grant!: () => void;
    const place = new Promise<void>((resolve) => grant = resolve);
    this.#waiting.add(grant);
    await abortable(place, { signal }, "wait").catch((error) => {
      if (!this.#waiting.delete(grant)) this.leave();
      throw error;
    });
  }

  /** Gives the place to the first who waits. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
