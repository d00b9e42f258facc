/**
 * The connections of a port and their bounds: how many there may be, in all and from one address,
 * and how long one may be silent before its first call.
 *
 * @module
 */

import type { Socket } from "node:net";

/** Longest wait for the first call of a connection, its TLS handshake included, ms. */
const FIRST_CALL_MS = 10_000;

/** Bounds on connections. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Connections one address may have open. */
  readonly maxConnectionsPerAddress: number;
}

/** A connection's name in {@linkcode Connections}: address and port of the client. */
export function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

/** Open connections. */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #sockets = new Set<Socket>();
  /** Connections without a call so far, oldest first, by the address and port of the client. */
  readonly #silent = new Map<string, { socket: Socket; timer: ReturnType<typeof setTimeout> }>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Connections open now. */
  get size(): number {
    return this.#sockets.size;
  }

  /**
   * Takes a new connection, or destroys it where there is no room.
   *
   * @returns True if it is taken.
   */
  take(socket: Socket): boolean {
    socket.on("error", () => socket.destroy());
    if (!this.#makeRoom(socket.remoteAddress)) {
      socket.destroy();
      return false;
    }
    const peer = peerOf(socket);
    const timer = setTimeout(() => socket.destroy(), FIRST_CALL_MS);
    this.#sockets.add(socket);
    this.#silent.set(peer, { socket, timer });
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#silent.get(peer)?.socket === socket) this.heard(peer);
    });
    socket.setNoDelay(true);
    return true;
  }

  /** Takes note of the first call of a connection, or of its end. */
  heard(peer: string): void {
    const silent = this.#silent.get(peer);
    if (silent === undefined) return;
    clearTimeout(silent.timer);
    this.#silent.delete(peer);
  }

  /** Ends all connections at once. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Makes room for a connection: the oldest one without a call has to go where there is none. */
  #makeRoom(address: string | undefined): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const near = [...this.#sockets].filter((socket) => socket.remoteAddress === address).length;
    const isCrowded = near >= maxConnectionsPerAddress;
    if (!isCrowded && this.#sockets.size < maxConnections) return true;
    for (const [peer, { socket }] of this.#silent) {
      if (isCrowded && socket.remoteAddress !== address) continue;
      this.heard(peer);
      this.#sockets.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }
}
