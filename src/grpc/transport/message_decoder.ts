/**
 * Puts the messages of an answer together from the data that the gRPC library gets.
 *
 * The library's own decoder keeps each piece of a message until the message is whole. A server can
 * send a byte a frame, and each of them then takes some hundred bytes.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { GrowingBytes } from "../../core/growing_bytes.ts";
import { GrpcStatus } from "../../core/grpc_status.ts";
import { FrameError, HEAD_BYTES } from "../../core/grpc_web.ts";

/** Messages up to this length come from a pool, as the runtime does it. */
const POOLED_BYTES = 4096;

/** Messages up to this length get their memory when they begin. */
const SOME_BYTES = 1 << 20;

/** Pieces that a message may have, and one more for each so many of its bytes. */
const MAX_PIECES = 1024;
const PIECE_BYTES = 64;

/** Puts messages together, of one answer. */
export class MessageDecoder {
  readonly #maxBytes: number;
  /** Bytes of the head that have come, its flag, and its length as far as it is known. */
  #headBytes = 0;
  #flag = 0;
  #length = 0;
  /** Pieces that the message may still have. */
  #pieces = 0;
  /** The message with its head, once that is whole. */
  #message: GrowingBytes | undefined;

  /** @param maxBytes Longest message that is taken. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True if no message has begun that is not whole. */
  get isBetween(): boolean {
    return this.#headBytes === 0;
  }

  /**
   * Takes a piece of an answer.
   *
   * @returns The messages that are whole now, flag and length in front.
   * @throws {FrameError} If the flag of a message is neither 0 nor 1, if it is too long, or comes
   * in too many pieces.
   */
  write(piece: Uint8Array): Buffer[] {
    const messages: Buffer[] = [];
    this.#pieces += piece.length / PIECE_BYTES - 1;
    if (!this.isBetween && this.#pieces < 0) {
      const details = `a message comes in pieces of less than ${PIECE_BYTES} bytes`;
      throw new FrameError(GrpcStatus.RESOURCE_EXHAUSTED, details);
    }
    for (let at = 0; at < piece.length;) {
      if (this.#message === undefined) {
        this.#takeHead(piece[at++]!);
        if (this.#headBytes < HEAD_BYTES) continue;
        this.#message = this.#begin();
      }
      at += this.#message.take(piece, at);
      if (!this.#message.isWhole) continue;
      const { buffer, byteOffset, length } = this.#message.bytes;
      messages.push(Buffer.from(buffer, byteOffset, length));
      this.#message = undefined;
      this.#headBytes = 0;
    }
    return messages;
  }

  #takeHead(byte: number): void {
    if (this.isBetween) {
      this.#pieces = MAX_PIECES;
      this.#flag = byte;
      this.#length = 0;
    } else this.#length = 256 * this.#length + byte;
    this.#headBytes++;
  }

  #begin(): GrowingBytes {
    const flag = this.#flag, length = this.#length;
    if (flag > 1) {
      const details = `a message has the flag ${flag}, expected 0 or 1`;
      throw new FrameError(GrpcStatus.INTERNAL, details);
    }
    if (length > this.#maxBytes) {
      const details =
        `a message of ${length} bytes is longer than the ${this.#maxBytes} that are taken`;
      throw new FrameError(GrpcStatus.RESOURCE_EXHAUSTED, details);
    }
    const whole = HEAD_BYTES + length;
    const message = new GrowingBytes(whole, memoryOf(whole));
    head.setUint8(0, flag);
    head.setUint32(1, length);
    message.take(headBytes, 0);
    return message;
  }
}

/** The head of the message that begins: made once, as to make a buffer takes a microsecond. */
const head = new DataView(new ArrayBuffer(HEAD_BYTES)), headBytes = new Uint8Array(head.buffer);

/** Memory for a message; none for one that gets it as its bytes come. */
function memoryOf(bytes: number): Uint8Array<ArrayBuffer> | undefined {
  if (bytes <= POOLED_BYTES) return Buffer.allocUnsafe(bytes) as Uint8Array<ArrayBuffer>;
  return bytes <= SOME_BYTES ? new Uint8Array(bytes) : undefined;
}
