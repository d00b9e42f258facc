/**
 * The first message of a TLS handshake, received before TLS sees any of it (RFC 8446, sections 4.1.2
 * and 5.1).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";

/** Most bytes of a ClientHello with its record headers. Real ones have up to a few thousand. */
export const MAX_HELLO_BYTES = 16_384;

/** Type of the records of a handshake. */
const HANDSHAKE = 22;
/** Bytes of the header of a record. */
const RECORD_HEADER_BYTES = 5;
/** Bytes of the header of a message of the handshake. */
const MESSAGE_HEADER_BYTES = 4;

/**
 * Tells whether a ClientHello has arrived as a whole, or what has arrived is none.
 *
 * @param bytes All bytes that a connection received so far.
 */
export function isHelloWhole(bytes: Buffer): boolean {
  let missing = MESSAGE_HEADER_BYTES;
  const header: number[] = [];
  for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length;) {
    if (bytes[at] !== HANDSHAKE) return true;
    const start = at + RECORD_HEADER_BYTES;
    at = start + bytes.readUInt16BE(at + 3);
    const part = bytes.subarray(start, at);
    const added = part.subarray(0, MESSAGE_HEADER_BYTES - header.length);
    header.push(...added);
    if (added.length > 0 && header.length === MESSAGE_HEADER_BYTES) {
      missing += (header[1]! << 16) + (header[2]! << 8) + header[3]!;
    }
    missing -= part.length;
    if (header.length === MESSAGE_HEADER_BYTES && missing <= 0) return true;
  }
  return bytes.length > 0 && bytes[0] !== HANDSHAKE;
}

/**
 * Waits for the ClientHello of a connection. A connection whose first message is longer than
 * {@linkcode MAX_HELLO_BYTES} is closed.
 *
 * @param socket A connection that has just been accepted.
 * @param begin Called once the message is there. The socket is paused, and has all bytes that were
 *   received.
 */
export function onClientHello(socket: Socket, begin: () => void): void {
  let received = Buffer.alloc(0);
  const receive = (piece: Buffer): void => {
    received = Buffer.concat([received, piece]);
    if (!isHelloWhole(received)) {
      if (received.length > MAX_HELLO_BYTES) socket.destroy();
      return;
    }
    socket.off("data", receive);
    socket.pause();
    socket.unshift(received);
    begin();
  };
  socket.on("data", receive);
}
