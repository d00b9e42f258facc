/** Waiting for events, whatever the speed of the machine. */

import { delay } from "../../src/core/call.ts";

/** Limit of a wait or a process in a test, ms (`$HANG_MS`): only what hangs takes as long. */
export const HANG_MS: number = Number(Deno.env.get("HANG_MS") ?? 600_000);

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
