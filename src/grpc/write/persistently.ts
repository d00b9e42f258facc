/**
 * Reads that a write depends on, repeated while the server recovers.
 *
 * @module
 */

import { delay } from "../../core/call.ts";
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
 * @throws The last error, once the time is over; any other error at once.
 */
export async function persistently<T>(rules: Persistence, read: () => Promise<T>): Promise<T> {
  const endMs = Date.now() + rules.maxElapsedMs;
  while (true) {
    try {
      return await read();
    } catch (error) {
      if (verdict(error) === "fail" || Date.now() + rules.settleMs >= endMs) throw error;
    }
    await delay(rules.settleMs);
  }
}
