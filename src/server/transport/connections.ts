/**
 * The connections of a port and their bounds: how many there may be, in all and from one address,
 * and how long one may be silent before its first call.
 *
 * @module
 */

import type { Socket } from "node:net";
import { onSilence } from "../../core/silence_timer.ts";

/** Longest wait for the first call of a connection, its TLS handshake included, ms. */
const FIRST_CALL_MS = 10_000;

/** Bounds on connections. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Connections one address may have open. */
  readonly maxConnectionsPerAddress: number;
}

/** Share of the connections that callers without a known key may keep. */
const UNKNOWN_SHARE = 0.75;

/** A connection's name in {@linkcode Connections}: address and port of the client. */
export function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

/** Address in the name of a connection. */
export function peerAddress(peer: string): string {
  return peer.slice(0, peer.lastIndexOf(":"));
}

/** Open connections. */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #sockets = new Set<Socket>();
  /** Connections without a call so far, oldest first, by the address and port of the client. */
  readonly #silent = new Map<string, { socket: Socket; stop: () => void }>();

  /** Connections with calls of callers without a known key only, oldest first. */
  readonly #unknown = new Map<string, Socket>();

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
    const stop = onSilence(FIRST_CALL_MS, () => socket.destroy());
    this.#sockets.add(socket);
    this.#silent.set(peer, { socket, stop });
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#silent.get(peer)?.socket === socket) this.heard(peer, true);
      if (this.#unknown.get(peer) === socket) this.#unknown.delete(peer);
    });
    socket.setNoDelay(true);
    return true;
  }

  /**
   * Takes note of a call of a connection, or of its end.
   *
   * @param isKnown True if the caller has a known key, or needs none.
   */
  heard(peer: string, isKnown: boolean): void {
    if (isKnown) this.#unknown.delete(peer);
    const silent = this.#silent.get(peer);
    if (silent === undefined) return;
    silent.stop();
    this.#silent.delete(peer);
    if (!isKnown) this.#unknown.set(peer, silent.socket);
  }

  /** Ends all connections at once. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Makes room for a connection where there is none: the oldest one without a call has to go, or
   * else the oldest one of callers without a known key, if those have more than their share.
   */
  #makeRoom(address: string | undefined): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const near = [...this.#sockets].filter((socket) => socket.remoteAddress === address).length;
    const isCrowded = near >= maxConnectionsPerAddress;
    if (!isCrowded && this.#sockets.size < maxConnections) return true;
    for (const [peer, { socket }] of this.#silent) {
      if (isCrowded && socket.remoteAddress !== address) continue;
      this.heard(peer, true);
      return this.#end(socket);
    }
    if (this.#unknown.size <= UNKNOWN_SHARE * maxConnections) return false;
    for (const [peer, socket] of this.#unknown) {
      if (isCrowded && socket.remoteAddress !== address) continue;
      this.#unknown.delete(peer);
      return this.#end(socket);
    }
    return false;
  }

  #end(socket: Socket): true {
    this.#sockets.delete(socket);
    socket.destroy();
    return true;
  }
}
