/**
 * Servers of HTTP/1.1 whose connections are accepted by another port.
 *
 * @module
 */

import type { Server } from "node:http";

/**
 * Has a server keep connections for the next request that were accepted elsewhere: Deno 2.9 ends a
 * connection after one answer unless the server itself listens.
 *
 * @param isOpen Tells whether the port that accepts them is open.
 */
export function keepForeignConnections(server: Server, isOpen: () => boolean): void {
  Object.defineProperty(server, "listening", { get: isOpen });
}
