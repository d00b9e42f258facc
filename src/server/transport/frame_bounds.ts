/**
 * A bound on frames of HTTP/2 that cost more to read than to send: window updates, settings, pings,
 * priorities, data of a few bytes, and whatever else is no request and no real data. The native code
 * under Deno bounds some of them, and only those that it has no time to answer.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Socket } from "node:net";
import { PORTION_FRAMES, type Push, pushInTurns, readInTurns } from "./frame_turns.ts";
import { turnOf } from "./turns.ts";

/** Such frames of a connection that are taken at once, and the number that is added each second. */
const FRAMES = 1_024;

/** Frames that are added for each request: pings and window updates of its client. */
const FRAMES_PER_REQUEST = 32;

/** Bytes sent for each further frame: a client takes them by window updates. */
const BYTES_PER_FRAME = 64;

/** Length below which data is small, bytes, by whether a known key was shown on the connection. */
const SMALL_BYTES = { known: 16, unknown: 256 } as const;

/** Bytes that a connection begins with (RFC 9113, section 3.4). */
const PREFACE_BYTES = 24;
/** Bytes before the payload of a frame, and the place of its type among them. */
const HEAD_BYTES = 9;
const TYPE_AT = 3;
/** Types and flags of frames (RFC 9113, section 6). */
const [DATA, HEADERS, SETTINGS] = [0, 1, 4];
const [END_STREAM, PADDED] = [1, 8];
/**
 * A client that closes says so by this frame, and a server that pushes nothing has no use for it. The
 * native code under Deno ends the process when a request follows, so that it gets a frame of a type
 * that has no meaning instead.
 */
const [GOAWAY, UNKNOWN] = [7, 0xee];
/** Bytes of one setting. */
const SETTING_BYTES = 6;
/** Frames that a setting counts as: one of windows changes all requests of its connection. */
const FRAMES_PER_SETTING = 16;

/** Ends a connection of HTTP/2 with too many cheap frames, before they are looked at. */
export function endOnFrameFloods(socket: Socket): void {
  const frames = new FrameCounter();
  const startMs = performance.now();
  const ofSocket = socket.push.bind(socket) as Push;
  const push: Push = (chunk) => {
    // Who has ended the connection takes no more answers.
    if (chunk === null) setImmediate(() => socket.destroy());
    return ofSocket(chunk);
  };
  const read = socket._read.bind(socket);
  socket._read = (size) => readInTurns(socket, () => read(size));
  socket.push = (chunk: Uint8Array | null) => {
    let cuts: readonly number[] = [];
    const before = frames.all;
    const turn = turnOf(socket);
    if (chunk !== null) {
      cuts = frames.read(chunk, turn[0] !== undefined ? SMALL_BYTES.known : SMALL_BYTES.unknown);
      const most = FRAMES + FRAMES_PER_REQUEST * frames.requests;
      if (frames.cheap > most) {
        const seconds = (performance.now() - startMs) / 1_000;
        if (frames.cheap > most + FRAMES * seconds + socket.bytesWritten / BYTES_PER_FRAME) {
          socket.destroy();
          return false;
        }
      }
    }
    return pushInTurns(socket, push, { chunk, frames: frames.all - before, turn, cuts });
  };
}

/** Counts the frames of a connection as their bytes come. */
export class FrameCounter {
  /** Frames of all kinds that have begun. */
  all = 0;
  /** Frames with headers. */
  requests = 0;
  /** Frames that cost nothing to send; each setting counts as several. */
  cheap = 0;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headBytes = 0;
  /** Bytes until the next frame. */
  #skipped = PREFACE_BYTES;

  /**
   * Takes the next bytes; frames that must not be seen become such as have no meaning, in place.
   *
   * @param smallBytes Length below which data is small.
   * @returns Offsets at which to divide them, so that no part has more than {@linkcode PORTION_FRAMES} frames.
   */
  read(chunk: Uint8Array, smallBytes: number): number[] {
    const cuts: number[] = [];
    let left = PORTION_FRAMES;
    for (let at = 0; at < chunk.length;) {
      if (this.#skipped > 0) {
        const n = Math.min(this.#skipped, chunk.length - at);
        this.#skipped -= n;
        at += n;
        continue;
      }
      if (this.#headBytes === TYPE_AT && chunk[at] === GOAWAY) chunk[at] = UNKNOWN;
      this.#head[this.#headBytes++] = chunk[at++]!;
      if (this.#headBytes < HEAD_BYTES) continue;
      this.#headBytes = 0;
      this.#count(smallBytes);
      if (--left > 0) continue;
      left = PORTION_FRAMES;
      // Within the frame, which is not looked at until it is whole.
      if (at < chunk.length) cuts.push(at);
    }
    return cuts;
  }

  #count(smallBytes: number): void {
    const [a, b, c, type, flags] = this.#head as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    const length = this.#skipped = a << 16 | b << 8 | c;
    this.all++;
    if (type === HEADERS) this.requests++;
    else if (type === SETTINGS) this.cheap += 1 + FRAMES_PER_SETTING * length / SETTING_BYTES;
    else if (type !== DATA || (flags & PADDED) !== 0) this.cheap++;
    else if (length < smallBytes && (flags & END_STREAM) === 0) this.cheap++;
  }
}
