/**
 * Timers for bytes that do not arrive in time.
 *
 * @module
 */

import { LOOKS, socketsSeen } from "./event_loop.ts";

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
