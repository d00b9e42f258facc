/**
 * The hash that maps uuids to nodes: MurmurHash3, x86, 32 bit (A. Appleby, "MurmurHash3.cpp", public
 * domain), with seed 1 (docs/protocol.md, "Clusters").
 *
 * @module
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

function rotl(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function scramble(k: number): number {
  return Math.imul(rotl(Math.imul(k, C1), 15), C2);
}

/**
 * The place of `bytes` in a cluster's hash space.
 *
 * @param bytes The 16 bytes of a uuid, or any others.
 * @returns 0 to 2^32 − 1.
 */
export function murmur3(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = bytes.length & ~3;
  let h = 1; // The seed of BTrDB.
  for (let i = 0; i < blocks; i += 4) {
    h = (Math.imul(rotl(h ^ scramble(view.getInt32(i, true)), 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= blocks; i--) tail = (tail << 8) | bytes[i]!;
  if (blocks < bytes.length) h ^= scramble(tail);
  h ^= bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
