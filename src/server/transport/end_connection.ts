/**
 * Ends connections of HTTP/2 at once. A session that is destroyed lets its socket send first what waits
 * there: where the client does not read, the connection stays open, with its memory and its place, for
 * as long as the client likes.
 *
 * @module
 */

import type { Socket } from "node:net";

/** Destroys the socket; sessions let nobody else do so, but hand on fields that they do not know. */
const DESTROY = Symbol("destroy");

/** A socket that {@linkcode endConnection} can destroy. */
interface Destroyable {
  [DESTROY]?: () => void;
}

/** The part of a session that is needed; it has no socket any more once it is over. */
interface Session {
  readonly socket?: object | undefined;
  destroy(): unknown;
}

/** Has {@linkcode endConnection} end a connection, before its session is made. */
export function canBeEnded(socket: Socket): void {
  (socket as Socket & Destroyable)[DESTROY] = () => void socket.destroy();
}

/** Ends a session and its connection, whatever its client has still to read. */
export function endConnection(session: Session): void {
  const destroy = (session.socket as Destroyable | undefined)?.[DESTROY];
  session.destroy();
  destroy?.();
}
