/**
 * Begins TLS handshakes few at a time. Each takes most of a millisecond of the event loop, for the
 * signature of the certificate's key, and hundreds that clients send at once would keep everything else
 * waiting.
 *
 * @module
 */

import { socketsSeen } from "../../core/event_loop.ts";
import { Turns } from "./turns.ts";

/** Handshakes that are begun between two polls of the sockets. */
const AT_ONCE = 4;

/** Handshakes that wait for their turn. */
export class HandshakeTurns {
  readonly #poll: () => Promise<void>;
  /** Those that wait, by the network of the client. */
  readonly #waiting = new Turns<() => void>();
  /** Handshakes that may still begin before the next poll. */
  #left = AT_ONCE;
  #isPolling = false;

  /** @param poll Resolves once the sockets have been polled. */
  constructor(poll: () => Promise<void> = socketsSeen) {
    this.#poll = poll;
  }

  /**
   * Begins a handshake, now or in one of the next turns. Networks take turns.
   *
   * @param network Network of the client.
   * @param begin Begins it.
   */
  add(network: string, begin: () => void): void {
    this.#waiting.add([network], begin);
    this.#serve();
  }

  #serve(): void {
    while (this.#left > 0 && this.#waiting.size > 0) {
      this.#left--;
      this.#waiting.next()!();
    }
    if (this.#isPolling || this.#left === AT_ONCE) return;
    this.#isPolling = true;
    void this.#poll().then(() => {
      this.#isPolling = false;
      this.#left = AT_ONCE;
      this.#serve();
    });
  }
}
