/**
 * A call as a protocol of the wire hands it over.
 *
 * @module
 */

/** Bytes that may wait for a client without a place being kept for the call. */
export const FEW_WAITING_BYTES: number = 64 << 10;

/**
 * Bytes of a long message that are written at once. A client that takes so many within
 * `sendTimeoutMs` is seen to read.
 */
export const PIECE_BYTES: number = 256 << 10;

/**
 * One call, both directions as bytes: the part of grpc-js's `ServerDuplexStream` that
 * {@linkcode import("./call.ts").Call} uses.
 */
export interface CallStream {
  /** The request headers. */
  readonly metadata: { get(name: string): readonly unknown[] };
  /** The address the client used to reach this server. */
  getHost(): string;
  /** Address and port of the client. */
  getPeer(): string;
  /** Deadline of the client, ms since the Unix epoch; `Infinity`: none. */
  getDeadline(): Date | number;
  /** Lets the client's messages come. */
  resume(): unknown;
  /** Stops the client's messages. */
  pause(): unknown;
  /** Sends a message; false once enough is under way, until `drain`. */
  write(message: Uint8Array): boolean;
  /**
   * Sends messages that are framed already; false as of `write`.
   *
   * @param onSent Told when the memory of the frames is not used any more. Not told if it may be.
   */
  writeFrames(frames: Uint8Array, onSent: () => void): boolean;
  /** Bytes that wait for the client; `drain` tells when they have become few. */
  waitingBytes(): number;
  /** When the client last took a part of the answer, on the clock of `performance.now()`; 0: never. */
  takenMs(): number;
  /**
   * Ends the call at once, without what waits for the client.
   *
   * @param code gRPC status; clients see one that goes with it, or that the connection broke.
   */
  reset(code: number): void;
  /** Ends the call well. */
  end(): unknown;
  /** Ends the call with another status. */
  emit(event: "error", status: { code: number; details: string }): unknown;
  /** The client's messages; its last one was there; more may be sent; the call is over. */
  on(event: "data", listener: (message: Uint8Array) => void): unknown;
  on(event: "end" | "drain" | "cancelled" | "close", listener: () => void): unknown;
}
