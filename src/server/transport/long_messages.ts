/**
 * Long request messages on the gRPC port. The library joins all pieces of a message when the last one
 * has come, and all of one that was compressed once more: tens of ms for tens of MB, in which nothing
 * else is answered.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { pipeline, Readable } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { GrowingBytes } from "../../core/growing_bytes.ts";
import { giveWay, inSlices } from "../../core/pacer.ts";
import type { CallStream } from "./call_stream.ts";
import { GrpcStatus } from "./status.ts";

/** Flag and length in front of a message. */
const HEAD_BYTES = 5;

/** The flag of a message that is not compressed. */
const PLAIN = 0;

/** The flag of a compressed message. */
const COMPRESSED = 1;

/** Bytes that are unpacked at once, and that come of it at once. */
const PIECE_BYTES = 65_536;

/** Unpacked bytes that are copied in one step. */
const STEP_BYTES = 1 << 20;

/** The part of the library's calls that is replaced. */
interface LibraryCall {
  decoder: { write(data: Uint8Array): Buffer[] };
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

/**
 * Has the messages of a call put together, and unpacked, piece by piece.
 *
 * @param stream The library's side of it, before a message has come.
 * @param maxMessageBytes Largest message.
 */
export function gatherLongMessages(stream: CallStream, maxMessageBytes: number): void {
  const { call } = stream as unknown as { call?: Partial<LibraryCall> };
  if (typeof call?.decoder?.write !== "function" || typeof call.decompressMessage !== "function") {
    throw new Error("Cannot serve: this version of @grpc/grpc-js reads its messages elsewhere");
  }
  call.decoder = new MessageReader(maxMessageBytes);
  // Not assigned where it is made: see closed_streams.ts.
  const decompress = (message: Buffer, encoding: string): Buffer | Promise<Buffer> => {
    const content = message.subarray(HEAD_BYTES);
    return message[0] === PLAIN
      ? content
      : unpacked({ flag: message[0]!, content, encoding }, maxMessageBytes);
  };
  call.decompressMessage = decompress;
}

/** Puts messages together, each with its head, as the library's decoder does. */
export class MessageReader {
  readonly #maxMessageBytes: number;
  /** A head that came in parts. */
  #head: GrowingBytes | undefined;
  #message: GrowingBytes | undefined;

  /** @param maxMessageBytes Largest message. */
  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /**
   * Takes bytes.
   *
   * @returns The messages that end in them.
   * @throws {Error} If one is too long.
   */
  write(data: Uint8Array): Buffer[] {
    const messages: Buffer[] = [];
    for (let at = 0; at < data.length;) {
      if (this.#message === undefined) {
        const end = this.#head === undefined ? wholeEnd(data, at) : undefined;
        if (end !== undefined) {
          this.#check(end - at - HEAD_BYTES);
          messages.push(Buffer.from(new Uint8Array(data.subarray(at, end)).buffer));
          at = end;
          continue;
        }
        const head = this.#head ??= new GrowingBytes(HEAD_BYTES);
        at += head.take(data, at);
        if (!head.isWhole) break;
        this.#begin(head);
      }
      const message = this.#message!;
      at += message.take(data, at);
      if (!message.isWhole) break;
      messages.push(Buffer.from(message.bytes.buffer));
      this.#message = undefined;
    }
    return messages;
  }

  #begin({ bytes }: GrowingBytes): void {
    this.#head = undefined;
    const length = lengthAt(bytes, 0);
    this.#check(length);
    this.#message = new GrowingBytes(HEAD_BYTES + length);
    this.#message.take(bytes, 0);
  }

  #check(length: number): void {
    const most = this.#maxMessageBytes;
    if (length <= most) return;
    throw new Error(`Received message larger than max (${length} vs ${most})`);
  }
}

/** The end of a message that begins at an index, if all of it is there. */
function wholeEnd(data: Uint8Array, at: number): number | undefined {
  if (data.length - at < HEAD_BYTES) return undefined;
  const end = at + HEAD_BYTES + lengthAt(data, at);
  return end <= data.length ? end : undefined;
}

/** Length of the message behind a head. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const high = bytes[at + 1]! << 24 | bytes[at + 2]! << 16;
  return (high | bytes[at + 3]! << 8 | bytes[at + 4]!) >>> 0;
}

/** A message that is compressed, or pretends to be. */
interface Compressed {
  readonly flag: number;
  readonly content: Buffer;
  /** Compression that the call names; `identity` if it names none. */
  readonly encoding: string;
}

/**
 * Unpacks a message. The failures are the library's, except that it takes messages with other flags, and
 * those of calls that name no compression, for plain ones.
 */
async function unpacked(
  { flag, content, encoding }: Compressed,
  maxBytes: number,
): Promise<Buffer> {
  if (flag !== COMPRESSED || encoding === "identity") {
    const details = flag === COMPRESSED
      ? "Received compressed message, but grpc-encoding names no compression"
      : `Received message with unknown flag ${flag}, expected 0 or 1`;
    throw { code: GrpcStatus.INTERNAL, details };
  }
  if (encoding !== "gzip" && encoding !== "deflate") {
    throw {
      code: GrpcStatus.UNIMPLEMENTED,
      details: `Received message compressed with unsupported encoding "${encoding}"`,
    };
  }
  const options = { chunkSize: PIECE_BYTES };
  const unzip = encoding === "gzip" ? createGunzip(options) : createInflate(options);
  const pieces: Buffer[] = [];
  let total = 0;
  try {
    pipeline(Readable.from(cut(content)), unzip, () => {});
    for await (const piece of unzip as AsyncIterable<Buffer>) {
      pieces.push(piece);
      total += piece.length;
      if (total > maxBytes) break;
      await giveWay();
    }
  } catch {
    throw { code: GrpcStatus.INTERNAL, details: "Failed to decompress message" };
  } finally {
    unzip.destroy();
  }
  if (total > maxBytes) {
    throw {
      code: GrpcStatus.RESOURCE_EXHAUSTED,
      details: `Received message that decompresses to a size larger than ${maxBytes}`,
    };
  }
  return await inSlices(joined(pieces));
}

function* cut(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    yield content.subarray(at, at + PIECE_BYTES);
  }
}

function* joined(pieces: readonly Buffer[]): Generator<undefined, Buffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0, left = STEP_BYTES;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
    left -= piece.length;
    if (left > 0) continue;
    left = STEP_BYTES;
    yield;
  }
  return Buffer.from(all.buffer);
}
