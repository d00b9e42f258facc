/**
 * Heartbeat of a thread that is waited for.
 *
 * @module
 */

import { onSilence } from "../../core/silence_timer.ts";

/** Silence of a thread, ms. */
export interface SilenceLimits {
  /** Silence after which it is asked for a sign of life: between one and two times this. */
  readonly pingMs: number;
  /** Longest time in which it must give one. */
  readonly pongMs: number;
  /** Longest time for it to begin and open its file. */
  readonly openMs: number;
}

/** Thread as its heartbeat sees it. */
export interface PingedThread {
  /** Asks it for a sign of life. */
  ping(): void;
  /** Told once it has been silent for `ms` while a sign of life was due. */
  giveUp(ms: number): void;
}

/**
 * Asks a thread that has been silent for a sign of life, and gives it up when there is none. Once asked, it
 * has to answer, though nobody waits for its reads any more: otherwise a stuck thread would never be found
 * where all calls have short deadlines.
 */
export class Heartbeat {
  readonly #limits: SilenceLimits;
  readonly #thread: PingedThread;
  #isNeeded = false;
  #isHeard = false;
  #isOverdue = false;
  #stopTimer: (() => void) | undefined;

  /** @param limits Silence after which something is done. */
  constructor(limits: SilenceLimits, thread: PingedThread) {
    this.#limits = limits;
    this.#thread = thread;
  }

  /** True while it has been asked for a sign of life and has not given one. */
  get isOverdue(): boolean {
    return this.#isOverdue;
  }

  /** Waits for the first report of a thread that opens its file. */
  awaitOpened(): void {
    this.#expect(this.#limits.openMs);
  }

  /** Begins to listen, because something is asked of the thread. */
  start(): void {
    this.#isNeeded = true;
    if (this.#stopTimer === undefined) this.#listen();
  }

  /** Listens until the next report: nothing more is asked of the thread. */
  rest(): void {
    this.#isNeeded = false;
  }

  /** Ends listening. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#isOverdue = false;
  }

  /** Takes note of a report. A timer for each one would cost a thirtieth of what a fast read does. */
  heard(): void {
    this.#isHeard = true;
    if (!this.#isOverdue) return;
    this.stop();
    if (this.#isNeeded) this.#listen();
  }

  #listen(): void {
    this.#isHeard = false;
    this.#stopTimer = onSilence(this.#limits.pingMs, () => {
      if (!this.#isHeard) return this.#ask();
      if (this.#isNeeded) this.#listen();
      else this.stop();
    });
  }

  #ask(): void {
    this.#isOverdue = true;
    this.#expect(this.#limits.pongMs);
    this.#thread.ping();
  }

  #expect(ms: number): void {
    this.#stopTimer = onSilence(ms, () => {
      this.stop();
      this.#thread.giveUp(ms);
    });
  }
}
