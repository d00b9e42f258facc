/**
 * Bounds on connections of HTTP/1.1: how many requests may be sent ahead of the answers, in how small
 * pieces, how long the rest of a request may take that is answered already, and how long the next one.
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { onSilence } from "../../core/silence_timer.ts";

/** Requests of a connection under way at once. Few clients send a second one before an answer. */
const MAX_AHEAD = 16;

/** Small chunks of a connection that are taken at once, and the number that is added each second. */
const SMALL_CHUNKS = 1_024;

/** A listener of requests. */
type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** Bounds of a port. */
interface Bounds {
  /** Longest duration of the rest of its request, ms. */
  readonly restMs: number;
  /** Longest duration until the head of the next request is here, ms. */
  readonly nextMs: number;
  /**
   * Length below which a chunk of a body is small, bytes: dozens of thousands of them come in one
   * look at a socket, and each costs what a long one does.
   */
  readonly smallBytes: (incoming: IncomingMessage) => number;
}

/** A connection. */
interface Connection {
  /** Requests that are not answered. */
  open: number;
  /** Small chunks that have come. */
  small: number;
  readonly startMs: number;
  stopTimer: () => void;
}

/**
 * Makes a server that answers requests within the bounds; connections beyond them are ended.
 *
 * @param listener Answers the requests.
 */
export function boundedServer(listener: Listener, bounds: Bounds): Server {
  const bounded = withinBounds(listener, bounds);
  const server = createServer(bounded);
  // Requests that expect something else than `100-continue` would be answered by the runtime, however
  // many come at once. A server may leave such a field alone (RFC 9110, section 10.1.1).
  server.on("checkExpectation", bounded);
  return server;
}

function withinBounds(listener: Listener, bounds: Bounds): Listener {
  const connections = new WeakMap<Socket, Connection>();
  const connectionOf = (socket: Socket): Connection => {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const connection = { open: 0, small: 0, startMs: performance.now(), stopTimer: () => {} };
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
    countChunks(incoming, connection, bounds.smallBytes(incoming));
    let isAnswered = false;
    const answered = () => {
      if (isAnswered) return;
      isAnswered = true;
      if (--connection.open > 0) return;
      readOn(socket);
      wait(socket, incoming, connection, bounds);
    };
    outgoing.on("finish", answered);
    outgoing.on("close", answered);
    listener(incoming, outgoing);
  };
}

/**
 * Reads a connection on that waited for its answers: under Deno, one whose client had asked for 64 KiB
 * and more at once was never read again.
 */
function readOn(socket: Socket & { _paused?: boolean }): void {
  if (socket._paused !== true) return;
  socket._paused = false;
  socket.resume();
}

function wait(
  socket: Socket,
  incoming: IncomingMessage,
  connection: Connection,
  { restMs, nextMs }: Bounds,
): void {
  if (socket.destroyed) return;
  const next = () => connection.stopTimer = onSilence(nextMs, () => socket.destroy());
  if (incoming.complete) return void next();
  connection.stopTimer = onSilence(restMs, () => {
    if (incoming.complete) next();
    else socket.destroy();
  });
}

/** Ends the connection when too many chunks are small, before they are kept or heard. */
function countChunks(incoming: IncomingMessage, connection: Connection, smallBytes: number): void {
  const push = incoming.push;
  // Not assigned where it is made: see ../transport/closed_streams.ts.
  const counted = (chunk: Uint8Array | null, ...more: []): boolean => {
    if (chunk !== null && chunk.length < smallBytes && ++connection.small > SMALL_CHUNKS) {
      const seconds = (performance.now() - connection.startMs) / 1_000;
      if (connection.small > SMALL_CHUNKS * (1 + seconds)) {
        incoming.socket.destroy();
        return false;
      }
    }
    return push.call(incoming, chunk, ...more);
  };
  incoming.push = counted;
}
