/**
 * Reads that a write depends on, repeated while the server recovers.
 *
 * @module
 */

import { type CallOptions, delay } from "../../core/call.ts";
import { verdict } from "../call/retry.ts";

/** Limits of such repeated reads. */
export interface Persistence {
  /** Requests on their way to the server arrive within this time, ms; also between two reads. */
  readonly settleMs: number;
  /** Time for which a read is repeated, ms. */
  readonly maxElapsedMs: number;
}

/**
 * Reads, again and again while the error is one that passes: a server that was killed tells what
 * became of a write only once it has read its journal back.
 *
 * @param call Signal and deadline of those who wait.
 * @throws The last error, once the time is over; any other error at once; the signal's reason.
 */
export async function persistently<T>(
  rules: Persistence,
  { deadlineMs = Infinity, signal }: CallOptions,
  read: () => Promise<T>,
): Promise<T> {
  const endMs = Math.min(Date.now() + rules.maxElapsedMs, deadlineMs);
  while (true) {
    try {
      return await read();
    } catch (error) {
      if (verdict(error) === "fail" || Date.now() + rules.settleMs >= endMs) throw error;
    }
    await delay(rules.settleMs, { signal });
  }
}
