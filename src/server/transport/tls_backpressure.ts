/**
 * Backpressure over TLS. Under Deno, a TLS socket that is not read goes on reading and decrypting its
 * connection, and keeps all that a client sends in memory.
 *
 * @module
 */

import type { TLSSocket } from "node:tls";

/** The part of a native handle that starts and stops reading. */
interface Handle {
  readStart(): number;
  readStop(): number;
}

/** Internals of a TLS socket under Deno: its handle, and the connection that it is made of. */
interface Layered {
  readonly _handle?: Handle | null;
  readonly _parent?: { readonly _handle?: Handle | null } | null;
}

/** Stops reading the connection of a TLS socket whenever the socket itself is not read. */
export function propagateReadStop(socket: TLSSocket): void {
  const { _handle: handle, _parent: connection } = socket as TLSSocket & Layered;
  if (!handle || !connection) return;
  const start = handle.readStart.bind(handle);
  const stop = handle.readStop.bind(handle);
  handle.readStart = () => {
    connection._handle?.readStart();
    return start();
  };
  handle.readStop = () => {
    connection._handle?.readStop();
    return stop();
  };
}
