/**
 * A bound on the streams of all subscriptions: each takes almost a KB, whether anything is inserted or
 * not.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";

/** Streams of all subscriptions that have an owner: each subscription counts for itself. */
export const MAX_SUBSCRIBED = 524_288;

/** Streams of the subscriptions of one owner. */
export const MAX_OWNER_SUBSCRIBED = 262_144;

/** The streams of subscriptions, in all and by their owners. */
export class SubscribedStreams {
  #total = 0;
  readonly #owned = new Map<unknown, number>();

  /**
   * Counts streams.
   *
   * @param owners Those on whose account they are; none: nobody is counted, a program may do what it
   * likes with its own database.
   * @throws {BTrDBError} 426 if they are too many.
   */
  add(owners: readonly unknown[], count: number): void {
    if (owners.length === 0) return;
    check("all subscriptions", this.#total + count, MAX_SUBSCRIBED);
    for (const owner of owners) {
      const sum = (this.#owned.get(owner) ?? 0) + count;
      check("the subscriptions of the caller", sum, MAX_OWNER_SUBSCRIBED);
    }
    this.#change(owners, count);
  }

  /** Streams are no longer subscribed to. */
  remove(owners: readonly unknown[], count: number): void {
    if (owners.length > 0) this.#change(owners, -count);
  }

  #change(owners: readonly unknown[], count: number): void {
    this.#total += count;
    for (const owner of owners) {
      const sum = (this.#owned.get(owner) ?? 0) + count;
      if (sum === 0) this.#owned.delete(owner);
      else this.#owned.set(owner, sum);
    }
  }
}

function check(whose: string, count: number, most: number): void {
  if (count <= most) return;
  const text = `${whose} would have ${count} streams, at most ${most} are allowed`;
  throw new BTrDBError(text, { code: ErrorCode.ResourceDepleted });
}
