/**
 * Pauses server streams, so that small calls are answered in between. Clients that read flat out
 * would otherwise keep the event loop busy without end, and a small request would lie unseen in its
 * socket for hundreds of milliseconds (docs/server.md, "Transport").
 *
 * @module
 */

import { socketsSeen } from "../../core/event_loop.ts";

/** Streamed bytes between two looks at the sockets: sending so much takes a millisecond or two. */
const SLICE_BYTES = 512 << 10;

/** A message that waits. */
interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/** Paces the streamed answers of one server; who waits longest goes first. */
export class FairSending {
  #left = SLICE_BYTES;
  #waiting: Waiter[] = [];

  /**
   * Asks to send a message.
   *
   * @param bytes Its size.
   * @returns Undefined when it may go at once, else a promise that resolves when it may.
   */
  take(bytes: number): Promise<void> | undefined {
    if (this.#left > 0 && this.#waiting.length === 0) {
      this.#left -= bytes;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, resolve });
      if (this.#waiting.length === 1) this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await socketsSeen();
      this.#left = SLICE_BYTES;
      while (this.#left > 0 && this.#waiting.length > 0) {
        const { bytes, resolve } = this.#waiting.shift()!;
        this.#left -= bytes;
        resolve();
      }
    }
  }
}
