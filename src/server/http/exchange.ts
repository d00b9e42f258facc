/**
 * One HTTP request and the reply to it, the same for HTTP/1.1 and HTTP/2.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { PIECE_BYTES } from "../transport/call_stream.ts";
import { peerOf } from "../transport/connections.ts";
import { type UnsentBytes, unsentOf } from "../transport/unsent_bytes.ts";
import { bearerOf } from "./credentials.ts";
import { requestTarget } from "./request_target.ts";

/** Header fields of every reply: nothing guesses types, and no other site's page embeds it. */
const ALWAYS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** A request. */
export class Request {
  readonly #incoming: IncomingMessage | Http2ServerRequest;
  /** Host in the target of a request of HTTP/1.1, if it is there. */
  readonly #authority: string | undefined;
  /** `GET`, `POST`, … */
  readonly method: string;
  /** Path and query, from the first slash on. */
  readonly url: string;
  /** Address and port of the client. */
  readonly peer: string;
  /** Bytes of the body that have come. */
  bytes = 0;

  constructor(incoming: IncomingMessage | Http2ServerRequest) {
    this.#incoming = incoming;
    this.method = incoming.method ?? "GET";
    const target = incoming.url ?? "/";
    const isHttp1 = incoming.headers[":authority"] === undefined;
    const { authority, url } = isHttp1
      ? requestTarget(target)
      : { authority: undefined, url: target };
    this.#authority = authority;
    this.url = url;
    this.peer = peerOf(incoming.socket);
  }

  /** The name by which the client reached this server. */
  get host(): string | undefined {
    return this.#authority ?? this.header(":authority") ?? this.header("host");
  }

  /**
   * True if it names more than one host, or shows more than one key: a proxy may have gone by the other
   * one.
   */
  get isAmbiguous(): boolean {
    const { headers } = this.#incoming;
    const authority = headers[":authority"];
    if (this.#countOf("authorization") > 1) return true;
    if (authority !== undefined) return (headers.host ?? authority) !== authority;
    return this.#countOf("host") > 1;
  }

  /** Number of fields of a name, in small letters. */
  #countOf(name: string): number {
    const { rawHeaders } = this.#incoming;
    let count = 0;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      if (rawHeaders[i]!.toLowerCase() === name) count++;
    }
    return count;
  }

  /** True if its body is in a transfer coding that nothing here decodes, `gzip, chunked` for example. */
  get isCoded(): boolean {
    const coding = this.header("transfer-encoding");
    return coding !== undefined && !/^\s*chunked\s*$/i.test(coding);
  }

  /** Key of the caller, as a key ring takes it; absent if none was shown. */
  get authorization(): string | undefined {
    return bearerOf(this.header("authorization"));
  }

  /** A header field; those that came more than once are joined by commas. */
  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** Lets the body come. */
  resume(): void {
    this.#incoming.resume();
  }

  /** Stops the body. */
  pause(): void {
    this.#incoming.pause();
  }

  /** Hears the body piece by piece; it comes only after {@linkcode resume}. */
  onData(listener: (piece: Uint8Array) => void): void {
    this.#incoming.on("data", (piece: Uint8Array) => {
      this.bytes += piece.length;
      listener(piece);
    });
    this.#incoming.pause();
  }

  /** Hears that the body has come to its end. */
  onEnd(listener: () => void): void {
    this.#incoming.on("end", listener);
  }
}

/** The reply to a request. */
export class Reply {
  readonly #outgoing: ServerResponse;
  readonly #headers: Readonly<Record<string, string>>;
  /** True in HTTP/1.1, where what was written has gone to the socket when that is told. */
  readonly #isOwnSocket: boolean;
  /** Bytes that wait for the socket of HTTP/2, which takes what the client's window permits. */
  readonly #unsent: UnsentBytes | undefined;
  /** True once head and status are on their way. */
  hasBegun = false;
  /** Bytes of the body that were sent. */
  bytes = 0;
  /** True once it is complete as far as this server is concerned. */
  hasEnded = false;
  /** When the client last took a piece, on the clock of `performance.now()`; 0: never. */
  takenMs = 0;
  #isClosed = false;
  /** When the body began to wait for the client. */
  #fullMs: number | undefined;
  /** True while the socket has much to send: what HTTP/2 says of room does not count then. */
  #isHeld = false;
  readonly #drainListeners: (() => void)[] = [];

  /** @param headers Fields beside those of every reply. */
  constructor(
    outgoing: ServerResponse | Http2ServerResponse,
    headers: Readonly<Record<string, string>>,
  ) {
    // The part used here is the same in both.
    this.#outgoing = outgoing as ServerResponse;
    this.#isOwnSocket = !("stream" in outgoing);
    const session = "stream" in outgoing ? outgoing.stream.session : undefined;
    this.#unsent = session && unsentOf(session);
    this.#headers = headers;
    outgoing.on("error", () => {});
    outgoing.on("close", () => this.#isClosed = true);
    outgoing.on("drain", () => this.#tellOfRoom());
  }

  /** Sends status and head. */
  begin(status: number, headers: Readonly<Record<string, string>>): void {
    if (!this.#isClosed) {
      this.#outgoing.writeHead(status, { ...ALWAYS, ...this.#headers, ...headers });
    }
    // Not before: a head that cannot be sent leaves room for one that tells of an error.
    this.hasBegun = true;
  }

  /**
   * Sends a piece of the body.
   *
   * @param onSent Told when the memory of `piece` is not used any more. HTTP/2 may not tell.
   * @returns False once enough is under way, until it has drained.
   */
  write(piece: Uint8Array, onSent?: () => void): boolean {
    if (this.#isClosed) return true;
    this.bytes += piece.length;
    const isTaken = this.#outgoing.write(piece, (error) => {
      if (error) return;
      this.takenMs = performance.now();
      if (this.#isOwnSocket) onSent?.();
    });
    const hasRoom = !this.#waitsForSocket() && isTaken;
    if (!hasRoom) this.#fullMs ??= performance.now();
    return hasRoom;
  }

  /** Tells whether the socket has much to send; if so, it is told when there is room. */
  #waitsForSocket(): boolean {
    if (this.#isHeld || !this.#unsent?.isFull) return this.#isHeld;
    this.#isHeld = true;
    this.#unsent.hold(() => {
      this.#isHeld = false;
      this.#tellOfRoom();
      return PIECE_BYTES;
    });
    return true;
  }

  #tellOfRoom(): void {
    if (this.#isHeld) return;
    this.#fullMs = undefined;
    for (const listener of this.#drainListeners) listener();
  }

  /** When the client last took a piece, while the body waits for it; `undefined` if it does not. */
  unreadSince(): number | undefined {
    if (this.#isClosed || this.#fullMs === undefined) return undefined;
    return Math.max(this.#fullMs, this.takenMs);
  }

  /**
   * Sends a piece behind a short one, both together.
   *
   * @returns False once enough is under way, until it has drained.
   */
  writeBehind(head: Uint8Array, piece: Uint8Array): boolean {
    if (this.#isClosed) return true;
    this.#outgoing.cork();
    this.write(head);
    const hasRoom = this.write(piece);
    this.#outgoing.uncork();
    return hasRoom;
  }

  /** Bytes that wait for the client. */
  get waitingBytes(): number {
    return this.#isClosed ? 0 : this.#outgoing.writableLength;
  }

  /** Sends the last piece. */
  end(piece?: Uint8Array | string): void {
    this.hasEnded = true;
    if (this.#isClosed) return;
    if (piece === undefined) return void this.#outgoing.end();
    this.bytes += piece.length;
    this.#outgoing.end(piece);
  }

  /** Breaks off: the client sees that what it has is not all. */
  destroy(): void {
    this.hasEnded = true;
    if (!this.#isClosed) this.#outgoing.destroy();
  }

  /** Hears that more may be sent. */
  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  /** Hears, once, that the client has everything or is gone. */
  onClose(listener: () => void): void {
    let isHeard = false;
    const hear = () => {
      if (isHeard) return;
      isHeard = true;
      listener();
    };
    this.#outgoing.on("close", hear);
    this.#outgoing.on("finish", hear);
  }
}
