/**
 * Calls that clients begin and give up before they are answered. One costs its client two short frames,
 * and the server a whole call, which no limit on calls at once ever sees (CVE-2023-44487). A few delay
 * nobody; beyond that, connections of the same key that give up calls wait before more of them is looked at.
 *
 * @module
 */

import { turnOf, type TurnTaker } from "./turns.ts";

/** Such calls of a key that delay nobody, at once and in each second. */
const [AT_ONCE, PER_SECOND] = [2_000, 200];

/** Longest delay, ms: other users of the key may also have given up a call. */
const MAX_WAIT_MS = 1_000;

/** Stands for all callers without a known key. */
const NOBODY = {};

/** Calls that were given up, by key. */
export class ResetCalls {
  /** When the calls that were given up will be paid off, on the clock of `performance.now()`. */
  readonly #paidMs = new WeakMap<object, number>();

  /** Counts a call. */
  add(key: object | undefined, nowMs: number): void {
    const paidMs = this.#paidMs.get(key ?? NOBODY) ?? 0;
    this.#paidMs.set(key ?? NOBODY, Math.max(paidMs, nowMs) + 1_000 / PER_SECOND);
  }

  /** Time for which those who give up calls have to wait, ms; 0: they need not. */
  waitMs(key: object | undefined, nowMs: number): number {
    const paidMs = this.#paidMs.get(key ?? NOBODY) ?? 0;
    return Math.min(MAX_WAIT_MS, Math.max(0, paidMs - nowMs - AT_ONCE * 1_000 / PER_SECOND));
  }
}

const calls = new ResetCalls();

/** True on connections on which a call was given up since they last waited. */
const HAS_RESET: unique symbol = Symbol("has reset");

/** A connection on which calls may be given up. */
export interface Resetting {
  [HAS_RESET]?: boolean;
}

/** Takes note of a call that was given up. */
export function noteReset(socket: TurnTaker & Resetting): void {
  socket[HAS_RESET] = true;
  calls.add(turnOf(socket)[0], performance.now());
}

/** Tells whether a connection may have to wait because of calls that were given up. */
export function hasReset(socket: Resetting): boolean {
  return socket[HAS_RESET] === true;
}

/** Time for which a connection has to wait because of calls that were given up, ms; mostly 0. */
export function resetDelayMs(socket: Resetting, key: object | undefined): number {
  if (!hasReset(socket)) return 0;
  const waitMs = calls.waitMs(key, performance.now());
  if (waitMs > 0) socket[HAS_RESET] = false;
  return waitMs;
}
