/**
 * Ends calls whose answers wait for clients that read nothing, once others wait for their places
 * (docs/server.md, "Limits"). Nothing is timed while nobody waits.
 *
 * @module
 */

import { onSilence } from "../core/silence_timer.ts";

/** A call that has places. */
export interface PlaceHolder {
  /** Aborts when the call is over, or about to be. */
  readonly signal: AbortSignal;
  /**
   * When the client last took a part of the answer that waits for it, on the clock of
   * `performance.now()`; `undefined` while nothing but the server is waited for.
   */
  unreadSince(): number | undefined;
  /** Ends the call, and drops what waits for its client. */
  endUnread(message: string): void;
}

/** Longest wait of answers for their clients while others wait for a place. */
export class SendTimeout {
  /** That time, ms. */
  readonly ms: number;
  /** Calls that were ended. */
  ended = 0;

  constructor(ms: number) {
    this.ms = ms;
  }

  /** Ends a call that is late. */
  end(call: PlaceHolder): void {
    this.ended++;
    call.endUnread(
      `the answer was ended: its client read nothing for ${this.ms} ms (limits.sendTimeoutMs), ` +
        `and others waited for its place`,
    );
  }
}

/** An answer that has waited for its client for too long. */
interface Late {
  readonly call: PlaceHolder;
  readonly places: number;
  readonly since: number;
}

/** The calls that have the places of one gate. */
export class PlaceHolders {
  readonly #timeout: SendTimeout;
  readonly #places = new Map<PlaceHolder, number>();
  #stopTimer: (() => void) | undefined;
  #dueMs = Infinity;

  constructor(timeout: SendTimeout) {
    this.#timeout = timeout;
  }

  /** Takes note of a call that has got places. */
  add(call: PlaceHolder, places: number): void {
    this.#places.set(call, places);
  }

  /** Forgets a call. */
  delete(call: PlaceHolder): void {
    this.#places.delete(call);
  }

  /**
   * Ends late calls, those first that have waited longest, until there is room for those who wait for
   * places; at once, and again whenever a call becomes late, until {@linkcode unwatch}.
   *
   * @param missing Number of places that are missing at that moment.
   */
  watch(missing: () => number): void {
    let dueMs = performance.now() + this.#timeout.ms;
    for (const call of this.#places.keys()) {
      const since = call.signal.aborted ? undefined : call.unreadSince();
      if (since !== undefined) dueMs = Math.min(dueMs, since + this.#timeout.ms);
    }
    this.#start(dueMs, missing);
  }

  /** Nobody waits any more. */
  unwatch(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#dueMs = Infinity;
  }

  #start(dueMs: number, missing: () => number): void {
    if (dueMs >= this.#dueMs) return;
    this.unwatch();
    this.#dueMs = dueMs;
    this.#stopTimer = onSilence(Math.max(0, dueMs - performance.now()), () => {
      this.unwatch();
      this.#start(this.#endLate(missing()), missing);
    });
  }

  /** When the next call may become late. */
  #endLate(missing: number): number {
    const now = performance.now();
    const late: Late[] = [];
    let dueMs = now + this.#timeout.ms;
    for (const [call, places] of this.#places) {
      if (call.signal.aborted) {
        missing -= places;
        continue;
      }
      const since = call.unreadSince();
      if (since === undefined) continue;
      if (now - since >= this.#timeout.ms) late.push({ call, places, since });
      else dueMs = Math.min(dueMs, since + this.#timeout.ms);
    }
    for (const { call, places } of late.sort((a, b) => a.since - b.since)) {
      if (missing <= 0) break;
      missing -= places;
      this.#timeout.end(call);
    }
    return dueMs;
  }
}
