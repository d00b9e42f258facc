/**
 * Long work gives way to everything else: to what is ready to run, and to what waits in a socket.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/**
 * Turns after which the sockets have been looked at. While anything is ready to run, Deno looks at
 * them every 61st turn only (`event_interval` of its Tokio runtime), so that work that merely gives
 * way once a slice keeps a request unseen for 61 slices. Node does so in every turn.
 */
const TURNS = 61;

/**
 * Waits until the event loop has looked at its sockets and run what was ready. Takes some 50 µs when
 * nothing else is to be done.
 *
 * @returns Resolves after that.
 */
export function socketsSeen(): Promise<void> {
  return new Promise((resolve) => {
    let turns = 0;
    const turn = () => ++turns < TURNS ? setImmediate(turn) : resolve();
    setImmediate(turn);
  });
}
