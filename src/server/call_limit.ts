/**
 * Runs up to N calls at once, queues a few more, and rejects the rest because the server sheds
 * load, as a real server does (docs/server.md, "Limits").
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { Semaphore } from "../core/semaphore.ts";

/** Error text of a real server that has too much to do. */
const SHEDDING = "The cluster is overwhelmed and is shedding load.";

/** A counter of running calls with a short queue. */
export class CallLimit {
  readonly #places: Semaphore;
  readonly #maxWaiting: number;

  /**
   * @param maxRunning Calls that run at once.
   * @param maxWaiting Calls that wait for one of them to end.
   */
  constructor(maxRunning: number, maxWaiting: number) {
    this.#places = new Semaphore(maxRunning);
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
   * Takes a place, waiting for one if need be; {@linkcode leave} gives it back.
   *
   * @param signal Ends the waiting.
   * @throws {BTrDBError} 426, if too many wait already; the signal's reason on an abort.
   */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#places.isFull && this.waiting >= this.#maxWaiting) {
      throw new BTrDBError(SHEDDING, { code: ErrorCode.ResourceDepleted });
    }
    await this.#places.take({ signal }, "wait");
  }

  /** Gives the place to the first call that waits. */
  leave(): void {
    this.#places.release();
  }
}
