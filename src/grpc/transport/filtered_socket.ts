/**
 * A socket whose incoming HTTP/2 frames are filtered.
 *
 * @module
 */

import { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { FrameFilter, type Goaway } from "./frame_filter.ts";

/** Bytes that wait on either side: a message of 5,000 points has 110 KB. */
const BUFFER_BYTES = 1 << 20;

type Done = (error?: Error | null) => void;

/** Stands between a socket, TLS or not, and the HTTP/2 session that reads it. */
export class FilteredSocket extends Duplex {
  readonly #socket: Socket;
  readonly #filter: FrameFilter;

  /**
   * @param socket Connected; it belongs to this one from now on.
   * @param onGoaway Told that the server will end the connection.
   */
  constructor(socket: Socket, onGoaway: (goaway: Goaway) => void) {
    super({ readableHighWaterMark: BUFFER_BYTES, writableHighWaterMark: BUFFER_BYTES });
    this.#socket = socket;
    this.#filter = new FrameFilter(onGoaway);
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  #receive(chunk: Uint8Array): void {
    try {
      if (!this.#pushAll(this.#filter.receive(chunk))) this.#socket.pause();
      this.#sendCredit();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #sendCredit(): void {
    const credit = this.#filter.takeCredit();
    if (credit !== undefined && this.#socket.writable) this.#socket.write(credit);
  }

  #pushAll(parts: readonly Uint8Array[]): boolean {
    let wantsMore = true;
    for (const part of parts) wantsMore = this.push(part);
    return wantsMore;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.#pushAll(this.#filter.send(chunk));
    this.#socket.write(chunk, done);
    this.#sendCredit();
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: Done): void {
    this.#socket.cork();
    chunks.forEach(({ chunk }, i) => {
      this.#pushAll(this.#filter.send(chunk));
      if (i < chunks.length - 1) this.#socket.write(chunk);
      else this.#socket.write(chunk, done);
    });
    this.#sendCredit();
    this.#socket.uncork();
  }

  override _final(done: Done): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#socket.destroy();
    done(error);
  }

  /** Keeps the process alive, as the socket's own method does. */
  ref(): this {
    this.#socket.ref();
    return this;
  }

  /** Lets the process end, as the socket's own method does. */
  unref(): this {
    this.#socket.unref();
    return this;
  }

  /** See `net.Socket`. */
  setNoDelay(on?: boolean): this {
    this.#socket.setNoDelay(on);
    return this;
  }

  /** See `net.Socket`. */
  setKeepAlive(on?: boolean, delayMs?: number): this {
    this.#socket.setKeepAlive(on, delayMs);
    return this;
  }

  /** See `net.Socket`. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** See `net.Socket`. */
  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  /** See `net.Socket`. */
  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  /** See `net.Socket`. */
  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  /** True if the bytes below are encrypted. */
  get encrypted(): boolean {
    return (this.#socket as { encrypted?: boolean }).encrypted === true;
  }

  /** Protocol that TLS agreed on. */
  get alpnProtocol(): string | false | null {
    return (this.#socket as { alpnProtocol?: string | false | null }).alpnProtocol ?? null;
  }
}
