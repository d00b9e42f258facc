/**
 * Turns of callers that want the same thing: to have what they sent looked at, answers sent, or
 * connections begun. Turns go round the keys, so that nobody has more of them by more
 * connections; all callers without a known key are one. Within a key they go round the networks, and
 * within a network round the connections.
 *
 * @module
 */

import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { networkOf } from "./client_network.ts";
import { peerAddress } from "./connections.ts";

/**
 * The key that an `authorization` shows; undefined if it shows none that is known. All callers have the
 * same one if nobody needs any.
 */
export type KeyOf = (authorization: string | undefined) => object | undefined;

/** The caller whose turn it is: a key, the network of the client, and perhaps one of its connections. */
export type Turn = readonly [key: object | undefined, network: string, peer?: string];

/** Values that wait for a turn. */
export class Turns<T> {
  /** Those of members of this level, the one that was served last at the end. */
  readonly #members = new Map<unknown, Turns<T>>();
  /** Those of this one itself. */
  readonly #values: T[] = [];
  #size = 0;

  /** Values that wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Lets a value wait.
   *
   * @param turn The caller: its member of each level.
   */
  add(turn: readonly unknown[], value: T): void {
    this.#add(turn, 0, value);
  }

  /** Members of the first level of which values wait. */
  get members(): number {
    return this.#members.size;
  }

  /** Takes the next value. */
  next(): T | undefined {
    if (this.#size === 0) return undefined;
    this.#size--;
    const [first] = this.#members;
    if (first === undefined) return this.#values.shift();
    const [name, member] = first;
    const value = member.next();
    this.#members.delete(name);
    if (member.size > 0) this.#members.set(name, member);
    return value;
  }

  #add(turn: readonly unknown[], level: number, value: T): void {
    this.#size++;
    if (level === turn.length) return void this.#values.push(value);
    let member = this.#members.get(turn[level]);
    if (member === undefined) this.#members.set(turn[level], member = new Turns());
    member.#add(turn, level + 1, value);
  }
}

/** Key of the turns of a connection. */
const TURN: unique symbol = Symbol("turn");

/** A connection that takes turns. */
export interface TurnTaker {
  readonly remoteAddress?: string | undefined;
  [TURN]?: Turn;
}

/**
 * Begins the turns of a connection.
 *
 * @param key Key of those who show none, where nobody needs one.
 */
export function beginTurns(socket: TurnTaker, key: object | undefined): void {
  socket[TURN] = [key, networkOf(socket.remoteAddress)];
}

/** The turns of a connection as they are now; its key may not be known before its first request. */
export function turnOf(socket: TurnTaker): Turn {
  return socket[TURN] ??= [undefined, networkOf(socket.remoteAddress)];
}

/**
 * The turns of a call.
 *
 * @param peer Its connection, by address and port of the client.
 */
export function turnOfCall(key: object | undefined, peer: string): Turn {
  return [key, networkOf(peerAddress(peer)), peer];
}

/** Has a connection take the turns of a key from now on. */
export function noteKey(socket: TurnTaker, key: object): void {
  const turn = turnOf(socket);
  if (turn[0] !== key) socket[TURN] = [key, turn[1]];
}

/** Takes note of the first known key that is shown on each connection of a server. */
export function noteKeys(http2: Http2Server, keyOf: KeyOf): void {
  /** Sessions whose key is known: their sockets are proxies, and slow to ask. */
  const known = new WeakSet<object>();
  http2.prependListener("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const { session } = stream;
    if (session === undefined || known.has(session)) return;
    const key = keyOf(headers.authorization);
    const socket = session.socket as TurnTaker | undefined;
    if (key === undefined || socket === undefined) return;
    known.add(session);
    noteKey(socket, key);
  });
}
