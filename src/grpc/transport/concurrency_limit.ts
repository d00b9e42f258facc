/**
 * Limits the calls that a server works on at once, first come, first served.
 *
 * @module
 */

import { abortable } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import { type CallContext, lateError, markUnsent } from "../errors.ts";

/**
 * Gives turns in the order they are asked for. A thousand calls at once get through a connection
 * sooner when most of them wait here, and a real server, which takes 200 operations and lets 100
 * wait, refuses none of them (docs/protocol.md, "Statuses and texts").
 */
export class ConcurrencyLimit {
  readonly #most: number;
  readonly #waiting: Set<() => void> = new Set();
  #taken = 0;
  #idle: (() => void) | undefined;

  /** @param most Calls at once. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes a turn; it must be given back with {@linkcode ConcurrencyLimit.release}.
   *
   * @returns `undefined` if it was there at once, else what to wait for.
   * @throws The signal's reason; `BTrDBError` `DEADLINE_EXCEEDED`, marked as never sent.
   */
  take(call: CallContext): Promise<void> | undefined {
    if (this.#taken < this.#most) {
      this.#taken++;
      return undefined;
    }
    let grant!: () => void;
    const turn = new Promise<void>((resolve) => grant = resolve);
    this.#waiting.add(grant);
    return abortable(turn, call.options, () => lateError(call)).catch((error) => {
      if (!this.#waiting.delete(grant)) this.release();
      if (error instanceof BTrDBError) markUnsent(error);
      throw error;
    });
  }

  /** Gives a turn back: to whoever has waited longest. */
  release(): void {
    for (const grant of this.#waiting) {
      this.#waiting.delete(grant);
      return grant();
    }
    this.#taken--;
    if (this.#taken === 0) this.#idle?.();
  }

  /** Resolves when all turns are back. */
  async idle(): Promise<void> {
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#idle = resolve);
  }
}
