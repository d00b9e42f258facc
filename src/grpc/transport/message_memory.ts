/**
 * Frees the memory of messages that have been read, or uses it again.
 *
 * @module
 */

/** Flag and length in front of a message; the gRPC library makes one buffer of them and it. */
const FRAME_HEAD_BYTES = 5;

/** Sizes of buffers that are used again: of small ones, new memory costs less; large ones are rare. */
const LEAST_BYTES = 16 << 10;
const MOST_BYTES = 1 << 20;

/** Buffers kept. */
const MAX_SPARE = 8;

const spare: ArrayBuffer[] = [];

/** Buffers of messages that are used again once they are given back. */
const reusable = new WeakSet<ArrayBuffer>();

/**
 * Memory for a message, of at least `length` bytes, that was used before and is known to the caches:
 * new memory costs as much as the decoding.
 *
 * @returns `undefined` if none is there.
 */
export function spareMemory(length: number): Uint8Array<ArrayBuffer> | undefined {
  if (length < LEAST_BYTES) return undefined;
  const at = spare.findIndex(({ byteLength }) => byteLength >= length);
  // Those that are too small make room for larger ones.
  const [buffer] = spare.splice(Math.max(at, 0), 1);
  return at < 0 ? undefined : new Uint8Array(buffer!);
}

/** Lets the memory of a message be used again after {@linkcode giveBack}. */
export function makeReusable({ buffer }: Uint8Array): void {
  const { byteLength } = buffer;
  if (byteLength < LEAST_BYTES || byteLength > MOST_BYTES) return;
  if (buffer instanceof ArrayBuffer) reusable.add(buffer);
}

/**
 * Gives the memory of a message back at once, instead of at some garbage collection. A read of 100 M
 * points carries 2 GB of messages: left to the collector, they make it run for every 64 MB, and each
 * message is written to memory that no cache knows.
 *
 * @param message A message of which nothing is used any more; empty afterwards, or written anew by
 * another one. One that shares its
 * buffer, as small ones do in Node.js, is left alone; so are all in versions of Node.js that cannot free
 * a buffer, those before 21.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && reusable.delete(buffer) && spare.length < MAX_SPARE) {
    return void spare.push(buffer);
  }
  const shared = buffer.byteLength > byteLength + FRAME_HEAD_BYTES;
  if (byteLength > 0 && !shared && buffer instanceof ArrayBuffer) buffer.transfer?.(0);
}
