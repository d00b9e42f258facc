/**
 * Frees the memory of messages that have been read.
 *
 * @module
 */

/** Flag and length in front of a message; the gRPC library makes one buffer of them and it. */
const FRAME_HEAD_BYTES = 5;

/**
 * Gives the memory of a message back at once, instead of at some garbage collection. A read of 100 M
 * points carries 2 GB of messages: left to the collector, they make it run for every 64 MB, and each
 * message is written to memory that no cache knows.
 *
 * @param message A message of which nothing is used any more; empty afterwards. One that shares its
 * buffer, as small ones do in Node.js, is left alone; so are all in versions of Node.js that cannot free
 * a buffer, those before 21.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  const shared = buffer.byteLength > byteLength + FRAME_HEAD_BYTES;
  if (byteLength > 0 && !shared && buffer instanceof ArrayBuffer) buffer.transfer?.(0);
}
