/**
 * Tells when a server is behind with what callers of several keys send. Turns of the event loop are
 * short then: most of a long one would be that of whoever floods the server, and everybody else waits
 * for its end.
 *
 * @module
 */

/** Time for which something has waited without a pause before a server is behind, ms. */
const BEHIND_MS = 50;

/** Time for which that is remembered, and for which a key is in use after something came from it, ms. */
const RECENT_MS = 1_000;

/** Remembers which keys are in use, and whether something waits. */
export class Crowding {
  readonly #clock: () => number;
  /** Since when something has waited without a pause. */
  #waitingSinceMs = Infinity;
  /** When that last was for long. */
  #behindMs = -Infinity;
  /** The key that something came from last; null before anything came. */
  #latestKey: object | undefined | null = null;
  /** When something last came from another key than that before it. */
  #otherMs = -Infinity;

  /** @param clock Tells the time, ms. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Takes note that something came from a key, or from a caller without one. */
  use(key: object | undefined): void {
    if (key === this.#latestKey) return;
    if (this.#latestKey !== null) this.#otherMs = this.#clock();
    this.#latestKey = key;
  }

  /**
   * Tells whether several keys share a server that is behind.
   *
   * @param isWaiting True if something waits. Nothing has waited since this was asked before, if not.
   */
  isCrowded(isWaiting: boolean): boolean {
    const nowMs = this.#clock();
    this.#waitingSinceMs = isWaiting ? Math.min(this.#waitingSinceMs, nowMs) : Infinity;
    if (nowMs - this.#waitingSinceMs > BEHIND_MS) this.#behindMs = nowMs;
    return nowMs - Math.min(this.#behindMs, this.#otherMs) < RECENT_MS;
  }
}
