/**
 * Frees or reuses the memory of messages that have been read.
 *
 * @module
 */

import { SpareBuffers } from "../../core/spare_buffers.ts";

/** Flag and length in front of a message; the gRPC library makes one buffer of them and it. */
const FRAME_HEAD_BYTES = 5;

/** Memory kept for later messages, bytes. */
const SPARE_BYTES = 4 << 20;

const spare = new SpareBuffers(SPARE_BYTES);

/** Buffers of messages that are used again once they are given back. */
const reusable = new WeakSet<ArrayBuffer>();

/**
 * Memory for a message of `length` bytes, or more.
 *
 * @returns `undefined` if none is to be used again.
 */
export function spareMemory(length: number): Uint8Array<ArrayBuffer> | undefined {
  return spare.take(length);
}

/** Lets the memory of a message be used again after {@linkcode giveBack}. */
export function makeReusable({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && SpareBuffers.suits(buffer.byteLength)) reusable.add(buffer);
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
  if (buffer instanceof ArrayBuffer && reusable.delete(buffer)) return spare.give(buffer);
  const shared = buffer.byteLength > byteLength + FRAME_HEAD_BYTES;
  if (byteLength > 0 && !shared && buffer instanceof ArrayBuffer) buffer.transfer?.(0);
}
