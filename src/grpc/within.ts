/**
 * Waiting with an end.
 *
 * @module
 */

import type { CallOptions } from "../endpoint/endpoint.ts";
import { callError, type ErrorContext } from "./errors.ts";

/** What is waited for, and how long. */
export interface Waiting extends ErrorContext {
  readonly options: CallOptions;
}

/** Longest time a timer can be set to, ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * `promise`, unless the call's signal or deadline comes first; what it stands for goes on.
 *
 * @throws The signal's reason; `BTrDBError` `DEADLINE_EXCEEDED`.
 */
export function within<T>(promise: Promise<T>, spec: Waiting): Promise<T> {
  const { signal, deadlineMs } = spec.options;
  if (signal === undefined && deadlineMs === undefined) return promise;
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(callError(`${spec.rpc} did not end before its deadline`, "DEADLINE_EXCEEDED", spec));
    const abort = () => reject(signal!.reason);
    const ms = Math.min(MAX_TIMER_MS, Math.max(0, (deadlineMs ?? Infinity) - Date.now()));
    const timer = deadlineMs === undefined ? undefined : setTimeout(late, ms);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    });
  });
}
