/**
 * Filters the HTTP/2 frames of a server before the platform's HTTP/2 library reads them.
 *
 * A GOAWAY on an idle connection can end a whole process under Deno 2.9.6: the native library
 * aborts (`find_stream_on_goaway_func`) or faults, without an exception. So GOAWAY is taken out of
 * the bytes and dealt with here: streams above its last one are reset as refused, which says that
 * they were not processed (RFC 9113, section 6.8). Frames that a gRPC client has no use for are
 * taken out too: priorities, types of frames that extend HTTP/2, and data of calls that were
 * cancelled. Of those a server sends as much as the window lets it before it hears of the end; the
 * library ends the connection after some thousand of them, and with it all other calls
 * (ENHANCE_YOUR_CALM).
 *
 * @module
 */

import { protocolText } from "../connection_text.ts";

/** Bytes of a frame's header (RFC 9113, section 4.1). */
const HEADER_BYTES = 9;
/** Last-stream-id and error code of a GOAWAY. */
const GOAWAY_BYTES = 8;

const DATA = 0;
const HEADERS = 1;
const PRIORITY = 2;
const RST_STREAM = 3;
const PUSH_PROMISE = 5;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
/** The last type that RFC 9113 defines. */
const CONTINUATION = 9;

/** Flag of HEADERS and DATA. */
const END_STREAM = 1;
/** Error code of a stream that was not processed. */
const REFUSED_STREAM = 7;

/** Streams that were reset, of which data may still come. A server hears of it long before so many. */
const MAX_RESET = 1_000;
/** Bytes of data left out for which a server gets room at once; less than the smallest window. */
const CREDIT_BYTES = 32_768;

/** Announcement that a server will end the connection. */
export interface Goaway {
  /** Streams above this one are not processed. */
  readonly lastStreamId: number;
  /** Error code; 0 if nothing is wrong. */
  readonly code: number;
}

/** Header of a frame. */
interface FrameHeader {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
}

/** Finds the frames in the bytes of one direction, however they are cut. */
class FrameScanner {
  readonly #held: Uint8Array = new Uint8Array(HEADER_BYTES);
  #heldBytes = 0;
  #payloadLeft: number;

  /** @param skip Bytes before the first frame. */
  constructor(skip: number) {
    this.#payloadLeft = skip;
  }

  /**
   * Reads from `at` on as far as one thing goes: payload, a whole header, or the beginning of one.
   *
   * @param chunk Bytes that follow those of the last call.
   * @param at Index of the first byte to read.
   * @returns The thing found, and its end in the chunk.
   */
  next(chunk: Uint8Array, at: number): Found {
    if (this.#payloadLeft > 0) {
      const end = Math.min(at + this.#payloadLeft, chunk.length);
      this.#payloadLeft -= end - at;
      return { kind: "payload", end };
    }
    if (this.#heldBytes === 0 && chunk.length - at >= HEADER_BYTES) {
      return this.#header(chunk, at, at + HEADER_BYTES, undefined);
    }
    const end = Math.min(at + HEADER_BYTES - this.#heldBytes, chunk.length);
    this.#held.set(chunk.subarray(at, end), this.#heldBytes);
    this.#heldBytes += end - at;
    if (this.#heldBytes < HEADER_BYTES) return { kind: "held", end };
    this.#heldBytes = 0;
    return this.#header(this.#held, 0, end, this.#held.slice());
  }

  /** True between two frames. */
  get isBetween(): boolean {
    return this.#payloadLeft === 0 && this.#heldBytes === 0;
  }

  #header(bytes: Uint8Array, at: number, end: number, held: Uint8Array | undefined): Found {
    const header = parseHeader(bytes, at);
    this.#payloadLeft = header.length;
    return { kind: "header", end, header, held };
  }
}

/** A piece of a chunk. */
type Found =
  | { kind: "payload"; end: number }
  /** The beginning of a header, whose rest comes with the next chunk. */
  | { kind: "held"; end: number }
  /** `held`: its bytes, where they began in an earlier chunk. */
  | { kind: "header"; end: number; header: FrameHeader; held: Uint8Array | undefined };

function parseHeader(b: Uint8Array, at: number): FrameHeader {
  return {
    length: b[at]! << 16 | b[at + 1]! << 8 | b[at + 2]!,
    type: b[at + 3]!,
    flags: b[at + 4]!,
    streamId: uint31(b, at + 5),
  };
}

function uint31(b: Uint8Array, at: number): number {
  return (b[at]! & 0x7f) << 24 | b[at + 1]! << 16 | b[at + 2]! << 8 | b[at + 3]!;
}

/** Bytes with which every client begins a connection (RFC 9113, section 3.4). */
const PREFACE_BYTES = 24;

/** Filter of one connection; it sees the bytes of both directions. */
export class FrameFilter {
  readonly #onGoaway: (goaway: Goaway) => void;
  readonly #incoming = new FrameScanner(0);
  readonly #outgoing = new FrameScanner(PREFACE_BYTES);
  /** Streams that the server has not ended. */
  readonly #open: Set<number> = new Set();
  /** Streams that the client has reset and the server has not ended. */
  readonly #reset: Set<number> = new Set();
  /** Bytes of data left out, for which the server has no room yet. */
  #leftOut = 0;
  #lastStreamId = Infinity;
  /** True if nothing has come yet. */
  #isFirst = true;
  /** True if the payload that comes next is left out. */
  #isDropped = false;
  /** Payload of a GOAWAY so far. */
  #goaway: Uint8Array | undefined;
  #goawayBytes = 0;

  /** @param onGoaway Told about each GOAWAY. */
  constructor(onGoaway: (goaway: Goaway) => void) {
    this.#onGoaway = onGoaway;
  }

  /**
   * Filters bytes that have come from the server.
   *
   * @returns Bytes for the HTTP/2 library, in order; the chunk itself if nothing is left out.
   * @throws {Error} If the server sends what no server may send to a gRPC client.
   */
  receive(chunk: Uint8Array): Uint8Array[] {
    if (this.#isFirst && chunk.length > 0) this.#checkFirst(chunk);
    const parts: Uint8Array[] = [];
    let from = 0;
    const passUpTo = (end: number): void => {
      if (end > from) parts.push(chunk.subarray(from, end));
    };
    for (let at = 0; at < chunk.length;) {
      const found = this.#incoming.next(chunk, at);
      if (found.kind === "held" || (found.kind === "header" && found.held !== undefined)) {
        passUpTo(at);
        from = found.end;
      }
      if (found.kind === "header") {
        this.#isDropped = this.#receiveHeader(found.header);
        if (!this.#isDropped && found.held !== undefined) parts.push(found.held);
      }
      if (found.kind !== "held" && this.#isDropped) {
        passUpTo(at);
        from = found.end;
        if (found.kind === "payload") this.#dropPayload(chunk.subarray(at, found.end), parts);
      }
      at = found.end;
    }
    passUpTo(chunk.length);
    return parts;
  }

  /**
   * Notes bytes that go to the server.
   *
   * @returns Bytes that the HTTP/2 library must see in answer, if any.
   */
  send(chunk: Uint8Array): Uint8Array[] {
    const answers: Uint8Array[] = [];
    for (let at = 0; at < chunk.length;) {
      const found = this.#outgoing.next(chunk, at);
      at = found.end;
      if (found.kind !== "header") continue;
      const { type, streamId } = found.header;
      if (type === RST_STREAM && this.#open.delete(streamId)) this.#noteReset(streamId);
      if (type !== HEADERS) continue;
      if (streamId > this.#lastStreamId) answers.push(refusal(streamId));
      else this.#open.add(streamId);
    }
    return answers;
  }

  /**
   * Bytes that the server must get between two frames, if any: room on the connection for data that
   * was left out, of which the HTTP/2 library does not know.
   */
  takeCredit(): Uint8Array | undefined {
    if (this.#leftOut < CREDIT_BYTES || !this.#outgoing.isBetween) return undefined;
    const frame = frameOf(WINDOW_UPDATE, 0, this.#leftOut);
    this.#leftOut = 0;
    return frame;
  }

  #noteReset(streamId: number): void {
    this.#reset.add(streamId);
    if (this.#reset.size > MAX_RESET) this.#reset.delete(this.#reset.values().next().value!);
  }

  /** A server begins with SETTINGS, whose three bytes of length begin with 0. */
  #checkFirst(chunk: Uint8Array): void {
    this.#isFirst = false;
    if (chunk[0] !== 0) throw new Error(protocolText(chunk));
  }

  /** Notes what a frame says of its stream. Returns whether the frame is left out. */
  #receiveHeader({ type, flags, streamId, length }: FrameHeader): boolean {
    if (type === PUSH_PROMISE) {
      throw new Error("The server sent PUSH_PROMISE, which gRPC does not use");
    }
    if (type === GOAWAY) {
      if (streamId !== 0 || length < GOAWAY_BYTES) throw new Error("The server sent a bad GOAWAY");
      this.#goawayBytes = 0;
      this.#goaway = new Uint8Array(GOAWAY_BYTES);
    }
    const isCancelled = type === DATA && this.#reset.has(streamId);
    if (isCancelled) this.#leftOut += length;
    const isEnd = type === RST_STREAM ||
      ((type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0);
    if (isEnd && !this.#open.delete(streamId)) this.#reset.delete(streamId);
    return isCancelled || type === GOAWAY || type === PRIORITY || type > CONTINUATION;
  }

  /** Payload that is left out: of a GOAWAY its first bytes are read. */
  #dropPayload(part: Uint8Array, parts: Uint8Array[]): void {
    const goaway = this.#goaway;
    if (goaway === undefined) return;
    const n = Math.min(GOAWAY_BYTES - this.#goawayBytes, part.length);
    goaway.set(part.subarray(0, n), this.#goawayBytes);
    this.#goawayBytes += n;
    if (this.#goawayBytes < GOAWAY_BYTES) return;
    this.#goaway = undefined;
    const view = new DataView(goaway.buffer);
    this.#leave({ lastStreamId: uint31(goaway, 0), code: view.getUint32(4) }, parts);
  }

  /** Refuses what the server will not process. */
  #leave(goaway: Goaway, parts: Uint8Array[]): void {
    this.#lastStreamId = Math.min(this.#lastStreamId, goaway.lastStreamId);
    for (const streamId of this.#open) {
      if (streamId <= this.#lastStreamId) continue;
      this.#open.delete(streamId);
      parts.push(refusal(streamId));
    }
    this.#onGoaway(goaway);
  }
}

/** A RST_STREAM frame that says that the stream was not processed. */
function refusal(streamId: number): Uint8Array {
  return frameOf(RST_STREAM, streamId, REFUSED_STREAM);
}

/** A frame whose payload is one number. */
function frameOf(type: number, streamId: number, payload: number): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + 4);
  const view = new DataView(frame.buffer);
  frame[2] = 4;
  frame[3] = type;
  view.setUint32(5, streamId);
  view.setUint32(HEADER_BYTES, payload);
  return frame;
}
