/**
 * Limits the calls that a server works on at once, first come, first served.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import { Semaphore } from "../../core/semaphore.ts";
import { type CallContext, lateError, markReach } from "../errors.ts";

/**
 * Gives turns in the order they are asked for. A thousand calls at once get through a connection
 * sooner when most of them wait here, and a real server, which takes 200 operations and lets 100
 * wait, refuses none of them (docs/protocol.md, "Statuses and texts").
 */
export class ConcurrencyLimit {
  readonly #turns: Semaphore;

  /** @param most Calls at once. */
  constructor(most: number) {
    this.#turns = new Semaphore(most);
  }

  /**
   * Takes a turn; it must be given back with {@linkcode ConcurrencyLimit.release}.
   *
   * @returns `undefined` if it was there at once, else what to wait for.
   * @throws The signal's reason; `BTrDBError` `DEADLINE_EXCEEDED`, marked as never sent.
   */
  take(call: CallContext): Promise<void> | undefined {
    return this.#turns.take(call.options, () => lateError(call))?.catch((error) => {
      if (error instanceof BTrDBError) markReach(error, "unsent");
      throw error;
    });
  }

  /** Gives a turn back, to the call that has waited longest. */
  release(): void {
    this.#turns.release();
  }

  /** Resolves when all turns are back. */
  idle(): Promise<void> {
    return this.#turns.idle();
  }
}
