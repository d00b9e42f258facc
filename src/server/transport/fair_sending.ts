/**
 * Pauses server streams, so that small calls are answered in between. Clients that read flat out
 * would otherwise keep the event loop busy without end, and a small request would lie unseen in its
 * socket for hundreds of milliseconds (docs/server.md, "Transport").
 *
 * @module
 */

import { socketsSeen } from "../../core/event_loop.ts";
import { type Turn, Turns } from "./turns.ts";

/** Streamed bytes between two looks at the sockets: sending so much takes a millisecond or two. */
const SLICE_BYTES = 512 << 10;

/** A message that waits. */
interface Waiter {
  readonly bytes: number;
  /** Lets it go. */
  readonly resolve: () => void;
}

/** Paces the streamed answers of one server; callers take turns. */
export class FairSending {
  #left = SLICE_BYTES;
  readonly #waiting = new Turns<Waiter>();

  /**
   * Asks to send a message.
   *
   * @param bytes Its size.
   * @param turn Names the caller whose turn it takes, if it has to wait.
   * @returns Undefined when it may go at once, else a promise that resolves when it may.
   */
  take(bytes: number, turn: () => Turn): Promise<void> | undefined {
    if (this.#left > 0 && this.#waiting.size === 0) {
      this.#left -= bytes;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.add(turn(), { bytes, resolve });
      if (this.#waiting.size === 1) this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      await socketsSeen();
      this.#left = SLICE_BYTES;
      while (this.#left > 0 && this.#waiting.size > 0) {
        const { bytes, resolve } = this.#waiting.next()!;
        this.#left -= bytes;
        resolve();
      }
    }
  }
}
