/**
 * Lets changes of one stream follow each other, and those of different streams go on beside each other.
 *
 * @module
 */

import { uuidText } from "../../core/uuid.ts";

/** Changes under way, by stream. */
export class ChangeQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Tells whether a change of a stream has not ended. */
  isUnderWay(uuid: Uint8Array): boolean {
    return this.#last.size > 0 && this.#last.has(uuidText(uuid));
  }

  /**
   * Makes a change when all changes of the same stream that came before it have ended.
   *
   * @param uuid The stream.
   * @param change Makes it.
   * @returns Its result.
   */
  async run<T>(uuid: Uint8Array, change: () => Promise<T>): Promise<T> {
    const stream = uuidText(uuid);
    const before = this.#last.get(stream);
    const result = before === undefined ? change() : before.then(change, change);
    this.#last.set(stream, result);
    try {
      return await result;
    } finally {
      if (this.#last.get(stream) === result) this.#last.delete(stream);
    }
  }
}
