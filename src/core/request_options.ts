/**
 * Options of every call: signal and timeout.
 *
 * @module
 */

import { type CallOptions, MAX_TIMER_MS, throwIfOver } from "./call.ts";
import { invalidType, outOfRange } from "./argument_error.ts";
import { checkObject } from "./check_object.ts";
import { describe } from "./describe.ts";

/** Options of every call: signal and timeout. */
export interface RequestOptions {
  /** Aborting it stops the call, on the server too; the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * Give up after so many ms, counted from the call (a query: from its first read). The call then
   * rejects with a `BTrDBError` of code 0 and status `DEADLINE_EXCEEDED`.
   *
   * @default {undefined} no limit of its own
   */
  timeoutMs?: number | undefined;
}

/**
 * Checks the options of a call.
 *
 * @param action Name of the call, for the error: `"read raw values"`.
 * @param options Options of the caller.
 * @throws {TypeError} If they are no object, or `signal` is no `AbortSignal`.
 * @throws {RangeError} If `timeoutMs` is not a number above 0.
 */
export function checkOptions(action: string, options: RequestOptions): void {
  checkObject(action, "options", options);
  const { signal, timeoutMs } = options;
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw invalidType(`Cannot ${action}: signal is not an AbortSignal`);
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs > 0)) {
    throw outOfRange(
      `Cannot ${action}: timeoutMs is ${describe(timeoutMs)}, expected a number above 0`,
    );
  }
}

/**
 * The options of one call, checked, in the endpoint's terms: the timeout begins now.
 *
 * @param action Name of the call, for the error.
 * @param options Options of the caller.
 */
export function startCall(action: string, options: RequestOptions): CallOptions {
  checkOptions(action, options);
  const { signal, timeoutMs } = options;
  const call: CallOptions = {};
  if (signal !== undefined) call.signal = signal;
  // A timeout of more than 24 days is as good as none.
  if (timeoutMs !== undefined && timeoutMs <= MAX_TIMER_MS) {
    call.deadlineMs = Date.now() + timeoutMs;
  }
  return call;
}

/**
 * The time that is left, for a call that is made of several: each gets what the ones before left
 * of the timeout.
 *
 * @param action Name of the call, for the error.
 * @param options Options of the caller; the timeout begins now.
 * @returns The options of the next part.
 * @throws {BTrDBError} `DEADLINE_EXCEEDED`, from the function returned, when nothing is left.
 */
export function remainingOf<O extends RequestOptions>(action: string, options: O): () => O {
  const call = startCall(action, options);
  return () => {
    throwIfOver(call, action);
    const { deadlineMs } = call;
    if (deadlineMs === undefined) return options;
    return { ...options, timeoutMs: Math.max(1, deadlineMs - Date.now()) };
  };
}
