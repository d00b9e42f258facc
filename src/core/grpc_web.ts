/**
 * The framing of gRPC-Web: messages and, as a frame of its own, the trailers (the protocol's
 * PROTOCOL-WEB.md).
 *
 * @module
 */

import { GrowingBytes } from "./growing_bytes.ts";
import { GrpcStatus } from "./grpc_status.ts";

/** Media type of requests and answers. */
export const GRPC_WEB_TYPE = "application/grpc-web+proto";

/** Final status of a call. */
export interface EndStatus {
  readonly code: number;
  readonly details: string;
}

/** Flag and length in front of a frame, in gRPC as in gRPC-Web. */
export const HEAD_BYTES = 5;

/** Flags of a frame that is compressed, and of one that carries the trailers. */
const COMPRESSED = 0x01;
const TRAILERS = 0x80;

/** Longest trailers that are taken. */
const MAX_TRAILER_BYTES = 64 << 10;

/** Something that is no gRPC, or more of it than is taken; ends the call. */
export class FrameError extends Error {
  /** Status with which the call ends. */
  readonly end: EndStatus;

  /** @param details Description of the problem, as a part of a sentence. */
  constructor(code: number, details: string) {
    super(details);
    this.name = "FrameError";
    this.end = { code, details };
  }
}

/** A message as a frame. */
export function frameOf(message: Uint8Array): Uint8Array<ArrayBuffer> {
  return frame(0, message);
}

/**
 * The head of a message as a frame, to be sent before the message itself: large ones are not copied
 * then.
 *
 * @param length Of the message, bytes.
 */
export function messageHead(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD_BYTES);
  writeHead(bytes, 0, length);
  return bytes;
}

/** Trailers with a status as a frame. */
export function trailersOf({ code, details }: EndStatus): Uint8Array<ArrayBuffer> {
  const lines = `grpc-status: ${code}\r\ngrpc-message: ${encoded(details)}\r\n`;
  return frame(TRAILERS, new TextEncoder().encode(lines));
}

function frame(flags: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD_BYTES + content.length);
  writeHead(bytes, flags, content.length);
  bytes.set(content, HEAD_BYTES);
  return bytes;
}

/**
 * Writes the head of a frame.
 *
 * @param bytes Target; the head goes to its beginning.
 * @param flags 0 for a message.
 * @param length Of the content, bytes.
 */
export function writeHead(bytes: Uint8Array, flags: number, length: number): void {
  bytes[0] = flags;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(1, length);
}

/** A whole frame. */
export interface Frame {
  /** True for the trailers, false for a message. */
  readonly isTrailers: boolean;
  /** Content, in memory of its own. */
  readonly bytes: Uint8Array;
}

/** Puts frames together from bytes that come in pieces. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #memory: (length: number) => Uint8Array<ArrayBuffer> | undefined;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headBytes = 0;
  #body = new GrowingBytes(0);
  #isTrailers = false;
  /** Bytes of the piece that have been taken. */
  position = 0;

  /**
   * @param maxBytes Longest message that is taken.
   * @param memory Memory for the content of a frame, of at least so many bytes; `undefined`: new
   *   memory.
   */
  constructor(
    maxBytes: number,
    memory: (length: number) => Uint8Array<ArrayBuffer> | undefined = () => undefined,
  ) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  /** True between frames. */
  get isBetween(): boolean {
    return this.#headBytes === 0;
  }

  /**
   * Takes bytes of a piece from {@linkcode position} on, to the end of a frame.
   *
   * @returns The frame that ended; `undefined` if the piece ended first.
   * @throws {FrameError} If these are no frames, or too long ones.
   */
  take(piece: Uint8Array): Frame | undefined {
    while (this.#headBytes < HEAD_BYTES) {
      if (this.position === piece.length) return undefined;
      this.#head[this.#headBytes++] = piece[this.position++]!;
      if (this.#headBytes === HEAD_BYTES) this.#begin();
    }
    this.position += this.#body.take(piece, this.position);
    if (!this.#body.isWhole) return undefined;
    this.#headBytes = 0;
    const { bytes } = this.#body;
    this.#body = new GrowingBytes(0);
    return { isTrailers: this.#isTrailers, bytes };
  }

  #begin(): void {
    const flags = this.#head[0]!;
    const length = new DataView(this.#head.buffer).getUint32(1);
    if ((flags & ~(COMPRESSED | TRAILERS)) !== 0) {
      throw new FrameError(GrpcStatus.INTERNAL, "it is no gRPC-Web");
    }
    if ((flags & COMPRESSED) !== 0) {
      throw new FrameError(
        GrpcStatus.INTERNAL,
        "a message is compressed, which was not asked for",
      );
    }
    this.#isTrailers = (flags & TRAILERS) !== 0;
    const most = this.#isTrailers ? MAX_TRAILER_BYTES : this.#maxBytes;
    if (length > most) {
      const what = this.#isTrailers
        ? `trailers of ${length} bytes are longer`
        : `a message of ${length} bytes is longer`;
      throw new FrameError(
        GrpcStatus.RESOURCE_EXHAUSTED,
        `${what} than the ${most} that are taken`,
      );
    }
    this.#body = new GrowingBytes(length, this.#memory(length));
  }
}

/**
 * The status in a block of trailers, `name: value` lines.
 *
 * @throws {FrameError} If there is none.
 */
export function statusOf(trailers: Uint8Array): EndStatus {
  const fields = new Map<string, string>();
  for (const line of new TextDecoder().decode(trailers).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    const before = fields.get(name);
    // As headers that are there twice: no line hides another one.
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const end = endStatus((name) => fields.get(name));
  if (end === undefined) {
    throw new FrameError(GrpcStatus.UNKNOWN, "the answer ends without a status");
  }
  return end;
}

/** A status code of gRPC as text. */
const CODE = /^(?:\d|1[0-6])$/;

/** Tells whether a text is a status of gRPC: 0 to 16 in decimal digits, and nothing else. */
export function isStatusCode(text: string): boolean {
  return CODE.test(text);
}

/**
 * The status in trailers or headers.
 *
 * @param field The value of a field, by its name.
 * @returns `undefined` where none is.
 */
export function endStatus(
  field: (name: string) => string | null | undefined,
): EndStatus | undefined {
  const code = field("grpc-status");
  if (code === null || code === undefined) return undefined;
  const details = decodedMessage(field("grpc-message") ?? "");
  if (!isStatusCode(code)) return unknownStatus(JSON.stringify(code), details);
  return { code: Number(code), details };
}

/**
 * The status of a call whose server gave it one that gRPC does not have: UNKNOWN, never success.
 *
 * @param given The value that the server gave, as errors show it.
 * @param details The message beside it.
 */
export function unknownStatus(given: string, details: string): EndStatus {
  const what = `its status is ${given}, expected 0 to 16`;
  const text = details === "" ? what : `${details} (${what})`;
  return { code: GrpcStatus.UNKNOWN, details: text };
}

/** A `grpc-message`: printable ASCII but `%` stays as it is, the rest is percent-encoded UTF-8. */
function encoded(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}

/** A `grpc-message`: percent-encoded UTF-8; what is not so is taken as it is. */
export function decodedMessage(text: string): string {
  return text.replace(/(%[\da-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}
