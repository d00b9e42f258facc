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
 * `promise`, unless the call's signal or deadline comes first; what it stands for goes on. Whichever
 * comes first, neither timer nor listener is left.
 *
 * @throws The signal's reason; `BTrDBError` `DEADLINE_EXCEEDED`.
 */
export function within<T>(promise: Promise<T>, spec: Waiting): Promise<T> {
  const { signal, deadlineMs } = spec.options;
  if (signal === undefined && deadlineMs === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    const abort = () => {
      end();
      reject(signal!.reason);
    };
    const late = () => {
      end();
      reject(callError(`${spec.rpc} did not end before its deadline`, "DEADLINE_EXCEEDED", spec));
    };
    promise.then(resolve, reject).finally(end);
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort);
    const ms = (deadlineMs ?? Infinity) - Date.now();
    if (ms <= MAX_TIMER_MS) timer = setTimeout(late, Math.max(0, ms));
  });
}
