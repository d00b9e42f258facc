/**
 * Gathering what is written to a socket.
 *
 * @module
 */

import type { Socket } from "node:net";
import { setImmediate } from "node:timers";

/**
 * Lets a socket gather what is written to it in one turn: HTTP/2 writes each frame of 16 KiB by
 * itself, and the calls into the system would cost the server as much as the bytes.
 */
export function gatherWrites(socket: Socket): void {
  const write = socket.write;
  let isGathering = false;
  const letGo = (): void => {
    isGathering = false;
    socket.uncork();
  };
  socket.write = ((...args: Parameters<typeof write>) => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      setImmediate(letGo);
    }
    return write.apply(socket, args);
  }) as typeof write;
}
