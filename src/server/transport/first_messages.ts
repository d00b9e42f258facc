/**
 * Waiting for the first messages of calls.
 *
 * @module
 */

import { LOOKS, socketsSeen } from "../../core/event_loop.ts";

/** Longest wait for the first message of a call, ms. */
export const FIRST_MESSAGE_MS = 10_000;

/** A call that waits for its first message. */
export interface SilentCall {
  /** Called when it has not come in time. */
  endSilent(): void;
}

/**
 * Ends calls whose first message does not come within {@linkcode FIRST_MESSAGE_MS}. One timer serves
 * all of them, and goes on when none waits: to set and clear one for each took 2 % of the server's time
 * for a small insert. Bytes that have come in that time count, though this process was too busy to
 * look at them.
 */
export class FirstMessages {
  /** When each of them is due, on the clock of `performance.now()`; the oldest first. */
  readonly #waiting = new Map<SilentCall, number>();
  readonly #ms: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosing = false;

  /** @param ms Longest wait. */
  constructor(ms: number = FIRST_MESSAGE_MS) {
    this.#ms = ms;
  }

  /** Begins to wait. */
  expect(call: SilentCall): void {
    this.#waiting.set(call, performance.now() + this.#ms);
    this.#timer ??= setTimeout(() => this.#look(), this.#ms);
  }

  /** Stops waiting; idempotent. */
  heard(call: SilentCall): void {
    this.#waiting.delete(call);
    if (this.#isClosing) this.close();
  }

  /** Stops the timer, once nothing waits. */
  close(): void {
    this.#isClosing = true;
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const nowMs = performance.now();
    for (let i = 0; i < LOOKS && this.#isDue(nowMs); i++) await socketsSeen();
    for (const [call, dueMs] of this.#waiting) {
      if (dueMs > nowMs) break;
      this.#waiting.delete(call);
      call.endSilent();
    }
    this.#timer = undefined;
    const [next] = this.#waiting.values();
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, next - performance.now()));
  }

  #isDue(nowMs: number): boolean {
    const [first = Infinity] = this.#waiting.values();
    return first <= nowMs;
  }
}
