/** Waiting for events, whatever the speed of the machine. */

import { delay } from "../../src/core/call.ts";

/** Limit of a wait or a process in a test, ms (`$HANG_MS`): only what hangs takes as long. */
export const HANG_MS: number = Number(Deno.env.get("HANG_MS") ?? 600_000);

/**
 * Waits until a timer that was set before, further away than any timer, would have gone off: it is one
 * of 1 ms, and timers go off in order.
 */
export function overflowingTimers(): Promise<void> {
  return delay(2);
}

/** Looks at which a number is the same until it is taken to have settled, and ms between them. */
const SAME_LOOKS = 10;
const LOOK_MS = 30;

/** Waits until a number stays the same; returns it. */
export async function settled(read: () => number): Promise<number> {
  let last = read();
  for (let same = 0; same < SAME_LOOKS;) {
    await delay(LOOK_MS);
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}

/**
 * Waits until something is true.
 *
 * @param what Names the event in the error, when it comes to that.
 * @param isTrue Looks; it may throw when it can no longer become true.
 * @throws Error after {@linkcode HANG_MS}.
 */
export async function until(
  what: string | (() => string),
  isTrue: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + HANG_MS;
  for (let ms = 1; !await isTrue(); ms = Math.min(50, ms * 2)) {
    if (performance.now() > end) {
      throw new Error(`${typeof what === "string" ? what : what()}: not within ${HANG_MS} ms`);
    }
    await delay(ms);
  }
}
