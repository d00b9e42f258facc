/**
 * Bounds on the bytes of requests that have not arrived as a whole, or wait to be answered: of one
 * message, of one connection and of all connections. Callers without a known key share a small part
 * (docs/security.md).
 *
 * @module
 */

import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { GrpcStatus } from "./status.ts";

/** Bytes before each message on the wire. */
const PREFIX_BYTES = 5;

/** Largest messages that a connection, and all of them, may have under way, by whether the key is known. */
const SHARES = { known: { connection: 8, all: 32 }, unknown: { connection: 1, all: 4 } } as const;

/** Rules of a server. */
export interface IncomingRules {
  /** Largest message of any method. */
  readonly maxMessageBytes: number;
  /** Largest message of a method, by its path. */
  readonly messageBytes: (path: string) => number;
  /** True if callers with such an `authorization` are known, or everybody is. */
  readonly isKnown: (authorization: string | undefined) => boolean;
}

/** Bytes under way of some callers. */
class Share {
  readonly #perConnection: number;
  readonly #most: number;
  readonly #connections = new Map<string, number>();
  #all = 0;

  constructor(perConnection: number, most: number) {
    this.#perConnection = perConnection;
    this.#most = most;
  }

  /** Adds bytes, or takes them away; why they are too many, if they are. */
  add(peer: string, bytes: number): string | undefined {
    const ofPeer = (this.#connections.get(peer) ?? 0) + bytes;
    this.#all += bytes;
    if (ofPeer === 0) this.#connections.delete(peer);
    else this.#connections.set(peer, ofPeer);
    if (ofPeer > this.#perConnection) {
      return `requests under way on this connection have more than ${this.#perConnection} bytes`;
    }
    if (this.#all > this.#most) return `requests under way have more than ${this.#most} bytes`;
    return undefined;
  }
}

/** Counts what one call has under way: its first message, and one that is not complete. */
export class IncomingMeter {
  readonly #share: Share;
  readonly #peer: string;
  readonly #most: number;
  /** Bytes of the prefix that are here, and the length in them. */
  #prefixed = 0;
  #missing = 0;
  #current = 0;
  #held = 0;
  #isFirst = true;

  /** @ignore Made by {@linkcode IncomingBytes.meter}. */
  constructor(share: Share, peer: string, most: number) {
    this.#share = share;
    this.#peer = peer;
    this.#most = most;
  }

  /**
   * Takes note of bytes.
   *
   * @returns Why the call must be refused, if so.
   */
  received(piece: Uint8Array): string | undefined {
    let added = 0;
    for (let at = 0; at < piece.length;) {
      if (this.#prefixed < PREFIX_BYTES) {
        // The flag in front of the length counts for nothing.
        this.#missing = this.#prefixed++ === 0 ? 0 : this.#missing * 256 + piece[at]!;
        at++;
        if (this.#prefixed < PREFIX_BYTES) continue;
        if (this.#missing > this.#most) {
          return `Received message larger than max (${this.#missing} vs ${this.#most})`;
        }
      } else {
        const n = Math.min(this.#missing, piece.length - at);
        at += n;
        this.#missing -= n;
        this.#current += n;
        added += n;
      }
      if (this.#missing === 0) added -= this.#complete();
    }
    this.#held += added;
    return this.#share.add(this.#peer, added);
  }

  /**
   * Takes note of bytes that are no messages; they count until the end.
   *
   * @returns Why the request must be refused, if so.
   */
  add(bytes: number): string | undefined {
    this.#held += bytes;
    return this.#share.add(this.#peer, bytes);
  }

  /** The call has ended. */
  close(): void {
    this.#share.add(this.#peer, -this.#held);
    this.#held = 0;
  }

  /** A message is complete; bytes of it that no longer count. */
  #complete(): number {
    const freed = this.#isFirst ? 0 : this.#current;
    this.#isFirst = false;
    this.#prefixed = 0;
    this.#current = 0;
    return freed;
  }
}

/** The requests under way of a server. */
export class IncomingBytes {
  readonly #rules: IncomingRules;
  readonly #known: Share;
  readonly #unknown: Share;

  constructor(rules: IncomingRules) {
    this.#rules = rules;
    const share = ({ connection, all }: { connection: number; all: number }) =>
      new Share(connection * rules.maxMessageBytes, all * rules.maxMessageBytes);
    this.#known = share(SHARES.known);
    this.#unknown = share(SHARES.unknown);
  }

  /** True if callers with such an `authorization` are known. */
  isKnown(authorization: string | undefined): boolean {
    return this.#rules.isKnown(authorization);
  }

  /**
   * Begins to count a call.
   *
   * @param peer Its connection.
   * @param path Its method.
   * @param authorization Its header.
   */
  meter(peer: string, path: string, authorization: string | undefined): IncomingMeter {
    const share = this.isKnown(authorization) ? this.#known : this.#unknown;
    const most = this.#rules.messageBytes(path);
    // What is too long for every method is refused by who reads the message, in its own words.
    return new IncomingMeter(share, peer, most < this.#rules.maxMessageBytes ? most : Infinity);
  }

  /** Counts all calls of an HTTP/2 server, and refuses those that are too much. */
  watch(http2: Http2Server): void {
    /** The socket of a session is a proxy, and slow to ask. */
    const peers = new WeakMap<Http2Session, string>();
    const peerOf = (session: Http2Session | undefined): string => {
      const known = session === undefined ? undefined : peers.get(session);
      if (known !== undefined) return known;
      const socket = session?.socket;
      const peer = `${socket?.remoteAddress}:${socket?.remotePort}`;
      if (session !== undefined && socket !== undefined) peers.set(session, peer);
      return peer;
    };
    http2.prependListener("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const peer = peerOf(stream.session);
      const meter = this.meter(peer, String(headers[":path"]), headers.authorization);
      const count = (piece: Uint8Array) => {
        const refusal = meter.received(piece);
        if (refusal === undefined) return;
        stream.off("data", count);
        meter.close();
        refuse(stream, refusal);
      };
      stream.on("data", count);
      stream.once("close", () => meter.close());
    });
  }
}

/** Ends a call before the library has a message of it. */
function refuse(stream: ServerHttp2Stream, text: string): void {
  if (stream.destroyed || stream.closed) return;
  if (!stream.headersSent) {
    stream.respond({
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-status": String(GrpcStatus.RESOURCE_EXHAUSTED),
      "grpc-message": encodeURIComponent(text).replaceAll("%20", " "),
    }, { endStream: true });
  }
  stream.close();
}
