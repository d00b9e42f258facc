/**
 * Yields to the event loop during long work, so that other calls run and sockets are read.
 *
 * @module
 */

/**
 * Turns after which the sockets have been looked at. While anything is ready to run, Deno looks at
 * them every 61st turn only (`event_interval` of its Tokio runtime), so that work that merely gives
 * way once a slice keeps a request unseen for 61 slices. Node does so in every turn.
 */
const TURNS = 61;

/** Looks at the sockets before silence is believed: one to read them, one for what handles it. */
export const LOOKS = 2;

type Immediately = (run: () => void) => unknown;

/** Runs something in the next turn; `undefined` where there are no such turns, as in browsers. */
const immediately = (globalThis as { setImmediate?: Immediately }).setImmediate;

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  if (immediately === undefined) return message();
  return new Promise((resolve) => void immediately(resolve));
}

/**
 * Waits until the event loop has looked at its sockets and run what was ready. Takes some 50 µs when
 * nothing else is to be done.
 *
 * @returns Resolves after that.
 */
export function socketsSeen(): Promise<void> {
  if (immediately === undefined) return message();
  return new Promise((resolve) => {
    let turns = 0;
    const turn = () => void (++turns < TURNS ? immediately(turn) : resolve());
    immediately(turn);
  });
}

/** One message to ourselves: browsers look at everything else in between, without a timer's 4 ms. */
function message(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
