/**
 * Timers for bytes that do not arrive in time.
 *
 * @module
 */

import { socketsSeen } from "./event_loop.ts";

/** Looks at the sockets before silence is believed: one to read them, one for what handles it. */
const LOOKS = 2;

/**
 * Ends something that has been silent for too long. Bytes that have come in that time count, though this
 * process was too busy to look at it.
 *
 * @param ms Longest silence.
 * @param end Called after it.
 * @returns Stops the timer; to be called when something arrives.
 */
export function onSilence(ms: number, end: () => void): () => void {
  let isHeard = false;
  const timer = setTimeout(async () => {
    for (let i = 0; i < LOOKS && !isHeard; i++) await socketsSeen();
    if (!isHeard) end();
  }, ms);
  return () => {
    isHeard = true;
    clearTimeout(timer);
  };
}
