/**
 * Hands the frames of a request to the operating system together.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";

/** Offsets in a frame of its type and its flags (RFC 9113, section 4.1). */
const TYPE_AT = 3, FLAGS_AT = 4;

const DATA = 0;
/** Flag of the last frame of a request. */
const END_STREAM = 1;

/**
 * Lets a connection gather the frames that are written to it. HTTP/2 writes the headers and the message
 * of a request one after the other, and the two calls into the system took a quarter of the client's CPU
 * time for a short call. A lone request goes as soon as it is whole, the rest at the end of the turn of
 * the event loop.
 */
export function gatherRequests(connection: Duplex): void {
  const write = connection.write;
  let isGathering = false;
  let requestsOfTurn = 0;
  let isTurnEnding = false;
  const letGo = (): void => {
    if (isGathering) connection.uncork();
    isGathering = false;
  };
  const endTurn = (): void => {
    isTurnEnding = false;
    requestsOfTurn = 0;
    letGo();
  };
  connection.write = ((...args: Parameters<typeof write>) => {
    if (!isTurnEnding) setImmediate(endTurn);
    isTurnEnding = true;
    if (!isGathering) connection.cork();
    isGathering = true;
    const takesMore = write.apply(connection, args);
    if (endsRequest(args[0]) && ++requestsOfTurn === 1) letGo();
    return takesMore;
  }) as typeof write;
}

/** Tells whether a frame is the last one of a request with a message. */
function endsRequest(frame: unknown): boolean {
  return frame instanceof Uint8Array && frame[TYPE_AT] === DATA &&
    (frame[FLAGS_AT]! & END_STREAM) !== 0;
}
