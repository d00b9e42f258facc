/**
 * Waiting within a call: signals, deadlines, delays, and the one error of a passed deadline.
 *
 * @module
 */

import { BTrDBError } from "./errors.ts";

/** Signal, deadline and caller of a call. */
export interface CallOptions {
  /** Aborting it stops the call; the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Deadline of the call, ms since the Unix epoch (`Date.now()` plus the timeout). */
  deadlineMs?: number | undefined;
  /** The one whose turns it takes, such as a key or a connection: all get their turns one after another. */
  owner?: unknown;
}

/** Longest delay a timer takes, ms; a longer one would fire at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** Names a call in the error of its passed deadline, or makes that error. */
export type Late = string | (() => Error);

/** The error of a call whose deadline has passed, e.g. `Cannot insert: the deadline passed`. */
export function deadlineExceeded(action: string): BTrDBError {
  return new BTrDBError(`Cannot ${action}: the deadline passed`, { status: "DEADLINE_EXCEEDED" });
}

function errorOf(late: Late): Error {
  return typeof late === "string" ? deadlineExceeded(late) : late();
}

/**
 * Throws if a call is aborted or its deadline has passed.
 *
 * @param call Its signal and deadline, if it has options.
 * @param late Name of the call, or what makes the error of a passed deadline.
 * @throws The reason of the signal, unchanged; {@linkcode deadlineExceeded}, or what `late` makes.
 */
export function throwIfOver(call: CallOptions | undefined, late: Late): void {
  if (call === undefined) return;
  call.signal?.throwIfAborted();
  const { deadlineMs } = call;
  if (deadlineMs !== undefined && Date.now() >= deadlineMs) throw errorOf(late);
}

/**
 * Runs `listener` once when a signal is aborted.
 *
 * @param signal Absent: nothing happens.
 * @param listener Runs in the abort itself, not at once when the signal is already aborted.
 * @returns Removes the listener.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  signal?.addEventListener("abort", listener, { once: true });
  return () => signal?.removeEventListener("abort", listener);
}

/**
 * Waits for a promise, but no longer than a call may last. No timer and no listener stays behind.
 *
 * @param promise Goes on by itself when the wait ends early; its later rejection is handled.
 * @param call Signal and deadline.
 * @param late Name of the call, or what makes the error of a passed deadline.
 * @returns The result of the promise.
 * @throws The reason of the signal, unchanged; {@linkcode deadlineExceeded}, or what `late` makes.
 */
export function abortable<T>(
  promise: Promise<T>,
  { signal, deadlineMs }: CallOptions,
  late: Late,
): Promise<T> {
  if (signal === undefined && deadlineMs === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      removeListener();
    };
    const stop = (reason: unknown): void => {
      settle();
      reject(reason);
    };
    const removeListener = onAbort(signal, () => stop(signal!.reason));
    promise.then(resolve, reject).finally(settle);
    if (signal?.aborted) return stop(signal.reason);
    const ms = (deadlineMs ?? Infinity) - Date.now();
    if (ms <= MAX_TIMER_MS) timer = setTimeout(() => stop(errorOf(late)), Math.max(0, ms));
  });
}

/**
 * Waits for a time, but no longer than a call may last.
 *
 * @param ms Duration, up to {@linkcode MAX_TIMER_MS}.
 * @param call Signal and deadline.
 * @param late Name of the call, or what makes the error of a passed deadline.
 * @throws The reason of the signal, unchanged; {@linkcode deadlineExceeded}, or what `late` makes.
 */
export async function delay(
  ms: number,
  call: CallOptions = {},
  late: Late = "wait",
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  try {
    await abortable(passed, call, late);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Iterates over a source until a signal is aborted, also while the source has nothing to give.
 *
 * @param source Closed at the end, unless it still waits for something.
 * @param signal Its reason ends the iteration.
 * @throws The reason of the signal, unchanged.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, void> {
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await abortable(Promise.resolve(iterator.next()), { signal }, "iterate");
      if (next.done) return;
      yield next.value;
    }
  } finally {
    if (signal.aborted) iterator.return?.()?.catch(() => {});
    else await iterator.return?.();
  }
}
