/**
 * Bounds on connections of HTTP/1.1: how many requests may be sent ahead of the answers, how long the
 * rest of a request may take that is answered already, and how long the next one.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { onSilence } from "../../core/silence_timer.ts";

/** Requests of a connection under way at once. Few clients send a second one before an answer. */
const MAX_AHEAD = 16;

/** A listener of requests. */
type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** Durations after an answer. */
interface Waits {
  /** Longest duration of the rest of its request, ms. */
  readonly restMs: number;
  /** Longest duration until the head of the next request is here, ms. */
  readonly nextMs: number;
}

/** A connection. */
interface Connection {
  /** Requests that are not answered. */
  open: number;
  stopTimer: () => void;
}

/**
 * Has a listener hear of requests within the bounds; connections beyond them are ended.
 *
 * @param listener Answers the requests.
 */
export function withinBounds(listener: Listener, waits: Waits): Listener {
  const connections = new WeakMap<Socket, Connection>();
  const connectionOf = (socket: Socket): Connection => {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const connection = { open: 0, stopTimer: () => {} };
    connections.set(socket, connection);
    socket.once("close", () => connection.stopTimer());
    return connection;
  };
  return (incoming, outgoing) => {
    const { socket } = incoming;
    // What came in one piece with a request that was one too many.
    if (socket.destroyed) return;
    const connection = connectionOf(socket);
    connection.stopTimer();
    if (++connection.open > MAX_AHEAD) return void socket.destroy();
    let isAnswered = false;
    const answered = () => {
      if (isAnswered) return;
      isAnswered = true;
      if (--connection.open === 0) wait(socket, incoming, connection, waits);
    };
    outgoing.on("finish", answered);
    outgoing.on("close", answered);
    listener(incoming, outgoing);
  };
}

function wait(
  socket: Socket,
  incoming: IncomingMessage,
  connection: Connection,
  { restMs, nextMs }: Waits,
): void {
  if (socket.destroyed) return;
  const next = () => connection.stopTimer = onSilence(nextMs, () => socket.destroy());
  if (incoming.complete) return void next();
  connection.stopTimer = onSilence(restMs, () => {
    if (incoming.complete) next();
    else socket.destroy();
  });
}
