/**
 * Hands requests of HTTP/1.1 on in turns, together with frames of HTTP/2. All that hundreds of
 * connections send at once would otherwise be answered before anything else, for seconds.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { PORTION_FRAMES, type Push, pushInTurns, readInTurns } from "../transport/frame_turns.ts";
import { beginTurns, turnOf } from "../transport/turns.ts";

/** Frames that a request counts as: HTTP/2 sends it in two, its headers and its data. */
const REQUEST_FRAMES = 2;

/** Bytes that count as a frame: half of what HTTP/2 sends in one, as they take longer to receive. */
export const FRAME_BYTES = 8_192;

/** End of the head of a request. */
const HEAD_END = "\r\n\r\n";

const [LF, CR, BLANK, CAPITAL_A, CAPITAL_Z] = [0x0a, 0x0d, 0x20, 0x41, 0x5a];

/** Internals of a socket: its handle, of which the parser of HTTP/1.1 tells whether it is taken. */
interface Handled {
  readonly _handle?: { _consumed?: boolean } | null;
}

/**
 * Has a connection take turns.
 *
 * @param socket Before a server has it.
 * @param key Key of those who show none, where nobody needs one.
 */
export function takeTurns(socket: Socket, key: object | undefined): void {
  beginTurns(socket, key);
  const { _handle: handle } = socket as Handled;
  // The parser would read the handle past the socket otherwise.
  if (handle) handle._consumed = true;
  const push = socket.push.bind(socket) as Push;
  const read = socket._read.bind(socket);
  socket._read = (size) => readInTurns(socket, () => read(size));
  socket.push = (chunk: Uint8Array | null) => {
    const { frames, cuts } = chunk === null ? { frames: 0, cuts: [] } : portionsOf(chunk);
    return pushInTurns(socket, push, { chunk, frames, turn: turnOf(socket), cuts });
  };
}

/**
 * Counts what bytes may ask for.
 *
 * @returns Frames that they count as, and offsets at which to divide them, so that no part has many more
 *   than {@linkcode PORTION_FRAMES}.
 */
export function portionsOf(chunk: Uint8Array): { frames: number; cuts: number[] } {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const cuts: number[] = [];
  let requests = 0;
  // The method of the first request may have come before.
  let isHead = true;
  const hasMethod = methodsIn(bytes);
  for (let start = 0, at = 0; (at = bytes.indexOf(HEAD_END, start)) >= 0;) {
    at += HEAD_END.length;
    // Of many empty lines, one is looked for.
    while (bytes[at] === CR || bytes[at] === LF) at++;
    if (isHead || hasMethod(start, at)) {
      if (++requests % (PORTION_FRAMES / REQUEST_FRAMES) === 0 && at < bytes.length) cuts.push(at);
    }
    isHead = false;
    start = at;
  }
  const ofBodies = Math.ceil(bytes.length / FRAME_BYTES);
  return { frames: Math.max(ofBodies, REQUEST_FRAMES * requests), cuts };
}

/**
 * Tells of parts of the bytes, one after the other, whether a method may be in them: a capital letter
 * before a blank. Empty lines in the body of an upload end no heads.
 */
function methodsIn(bytes: Buffer): (start: number, end: number) => boolean {
  let blank = -1;
  return (start, end) => {
    for (; blank < end; blank = blankAfter(bytes, blank)) {
      if (blank <= start) continue;
      const before = bytes[blank - 1]!;
      if (before >= CAPITAL_A && before <= CAPITAL_Z) return true;
    }
    return false;
  };
}

function blankAfter(bytes: Buffer, at: number): number {
  const next = bytes.indexOf(BLANK, at + 1);
  return next < 0 ? Infinity : next;
}
