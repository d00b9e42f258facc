/**
 * The connections of a port and their bounds: how many there may be, in all and from one network,
 * and how long one may be silent before its first call.
 *
 * @module
 */

import type { Socket } from "node:net";
import { onSilence } from "../../core/silence_timer.ts";
import { networkOf } from "./client_network.ts";

/** Longest wait for the first call of a connection, its TLS handshake included, ms. */
const FIRST_CALL_MS = 10_000;

/** Bounds on connections. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Connections one address, or one network of IPv6, may have open. */
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

/** An open connection. */
interface Connection {
  readonly socket: Socket;
  readonly network: string;
  /** Stops the timer of its first call. */
  readonly stop: () => void;
}

/** Some of the connections, oldest first, also by their network. */
class Group {
  readonly #byPeer = new Map<string, Connection>();
  readonly #byNetwork = new Map<string, Set<string>>();

  get size(): number {
    return this.#byPeer.size;
  }

  get(peer: string): Connection | undefined {
    return this.#byPeer.get(peer);
  }

  add(peer: string, connection: Connection): void {
    this.#byPeer.set(peer, connection);
    const peers = this.#byNetwork.get(connection.network) ?? new Set();
    this.#byNetwork.set(connection.network, peers.add(peer));
  }

  delete(peer: string): Connection | undefined {
    const connection = this.#byPeer.get(peer);
    if (connection === undefined) return undefined;
    const { network } = connection;
    this.#byPeer.delete(peer);
    const peers = this.#byNetwork.get(network);
    peers?.delete(peer);
    if (peers?.size === 0) this.#byNetwork.delete(network);
    return connection;
  }

  /** Peer of the oldest connection of a network, or of the one that has most of them. */
  oldest(network: string | undefined): string | undefined {
    let peers = network === undefined ? undefined : this.#byNetwork.get(network);
    if (network === undefined) {
      for (const others of this.#byNetwork.values()) {
        if (peers === undefined || others.size > peers.size) peers = others;
      }
    }
    return peers?.values().next().value;
  }
}

/** Open connections. */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #sockets = new Set<Socket>();
  /** Number of open connections by network. */
  readonly #open = new Map<string, number>();
  /** Connections without a call so far, and idle ones. */
  readonly #silent = new Group();
  /** Connections with calls of callers without a known key only. */
  readonly #unknown = new Group();

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
    const network = networkOf(socket.remoteAddress);
    if (!this.#makeRoom(network)) {
      socket.destroy();
      return false;
    }
    const peer = peerOf(socket);
    const stop = onSilence(FIRST_CALL_MS, () => socket.destroy());
    this.#sockets.add(socket);
    this.#open.set(network, (this.#open.get(network) ?? 0) + 1);
    this.#silent.add(peer, { socket, network, stop });
    socket.on("close", () => {
      this.#release(socket, network);
      if (this.#silent.get(peer)?.socket === socket) this.heard(peer, true);
      if (this.#unknown.get(peer)?.socket === socket) this.#unknown.delete(peer);
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
    const connection = this.#silent.delete(peer);
    if (connection === undefined) return;
    connection.stop();
    if (!isKnown) this.#unknown.add(peer, connection);
  }

  /**
   * Takes note that a connection of a caller without a known key has nothing under way: where there is
   * no room, it goes before those that have.
   */
  idle(peer: string): void {
    const connection = this.#unknown.delete(peer);
    if (connection !== undefined) this.#silent.add(peer, connection);
  }

  /** Ends all connections at once. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Makes room for a connection where there is none: the oldest one without a call has to go, or
   * else the oldest one of callers without a known key, if those have more than their share. Of several
   * networks the one with most such connections loses one, so that others have time for their first call.
   */
  #makeRoom(network: string): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const isCrowded = (this.#open.get(network) ?? 0) >= maxConnectionsPerAddress;
    if (!isCrowded && this.#sockets.size < maxConnections) return true;
    const among = isCrowded ? network : undefined;
    const silent = this.#silent.oldest(among);
    if (silent !== undefined) {
      const connection = this.#silent.delete(silent)!;
      connection.stop();
      return this.#end(connection);
    }
    if (this.#unknown.size <= UNKNOWN_SHARE * maxConnections) return false;
    const unknown = this.#unknown.oldest(among);
    return unknown !== undefined && this.#end(this.#unknown.delete(unknown)!);
  }

  #end({ socket, network }: Connection): true {
    this.#release(socket, network);
    socket.destroy();
    return true;
  }

  /** Frees the place of a connection, once. */
  #release(socket: Socket, network: string): void {
    if (!this.#sockets.delete(socket)) return;
    const left = this.#open.get(network)! - 1;
    if (left === 0) this.#open.delete(network);
    else this.#open.set(network, left);
  }
}
