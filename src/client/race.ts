/**
 * Waiting for something that cannot be cancelled itself.
 *
 * @module
 */

import { BTrDBError } from "../core/errors.ts";
import type { CallOptions } from "../endpoint/endpoint.ts";

/** Longest delay a timer takes, ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Waits for a promise, but no longer than the call may last.
 *
 * @param action What the caller wants, for the error.
 * @param promise What is waited for; it goes on by itself when the wait ends early.
 * @param options Signal and deadline of the call.
 * @returns What the promise gives.
 * @throws The signal's reason when it is aborted.
 * @throws {BTrDBError} `DEADLINE_EXCEEDED` when the deadline passes.
 */
export async function within<T>(
  action: string,
  promise: Promise<T>,
  { signal, deadlineMs }: CallOptions,
): Promise<T> {
  if (signal === undefined && deadlineMs === undefined) return await promise;
  promise.catch(() => {});
  signal?.throwIfAborted();
  const stop = Promise.withResolvers<never>();
  const onAbort = () => stop.reject(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = deadlineMs === undefined ? undefined : setTimeout(
    () => stop.reject(deadlineExceeded(action)),
    Math.min(Math.max(deadlineMs - Date.now(), 0), MAX_DELAY_MS),
  );
  try {
    return await Promise.race([promise, stop.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** What a call rejects with when its time is up. */
export function deadlineExceeded(action: string): BTrDBError {
  return new BTrDBError(`Cannot ${action}: the timeout passed`, { status: "DEADLINE_EXCEEDED" });
}

/** Throws when a call is aborted or its time is up. */
export function throwIfOver(action: string, { signal, deadlineMs }: CallOptions): void {
  signal?.throwIfAborted();
  if (deadlineMs !== undefined && Date.now() >= deadlineMs) throw deadlineExceeded(action);
}
