/**
 * Bytes that may wait for their reader, in memory that is not much longer.
 *
 * @module
 */

import { SpareBuffers } from "./spare_buffers.ts";

/**
 * Bytes as they are, or a copy of them if most of their buffer is something else.
 *
 * @param spare Keeps the buffer of what is copied.
 */
export function fittedBytes(
  bytes: Uint8Array<ArrayBuffer>,
  spare: SpareBuffers,
): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  if (!SpareBuffers.suits(buffer.byteLength) || 2 * bytes.length >= buffer.byteLength) return bytes;
  const own = bytes.slice();
  spare.give(buffer);
  return own;
}
