/**
 * A limit on messages, so that a device cannot fill the disk with them.
 *
 * @module
 */

/** Messages that are passed on in a period, and its length, ms. */
const MOST = 500;
const PERIOD_MS = 60_000;

/** Passes at most 500 messages a minute on; the others are counted, and their number is said later. */
export class MessageLimit {
  readonly #say: (text: string) => void;
  #count = 0;
  #sinceMs = -Infinity;

  /** @param say Receives the messages. */
  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /**
   * Passes a message on, or counts it.
   *
   * @param source Named in the message that tells how many were left out.
   * @param text The message.
   * @param nowMs Time of the message, ms.
   */
  say(source: string, text: string, nowMs: number = Date.now()): void {
    if (nowMs - this.#sinceMs >= PERIOD_MS) {
      const omitted = this.#count - MOST;
      if (omitted > 0) this.#say(`${source}: ${omitted} more messages were left out`);
      this.#sinceMs = nowMs;
      this.#count = 0;
    }
    if (++this.#count <= MOST) this.#say(`${source}: ${text}`);
  }
}
