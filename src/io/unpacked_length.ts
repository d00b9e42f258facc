/**
 * Lengths of Parquet pages that are compressed with Snappy or LZ4, found without unpacking them: the
 * decompressors fill up pages that are too short with zeros, or with bytes of an earlier page.
 *
 * @module
 */

/** Bytes of the two lengths before each block, where Hadoop wrote it. */
const HADOOP_HEAD_BYTES = 8;

/** Most bytes of a length in groups of 7 bits. */
const MAX_VARINT_BYTES = 5;

/** Largest part of a length that a token of LZ4 has in itself, and a byte that another one follows. */
const FULL_NIBBLE = 15, FULL_BYTE = 255;

/** Shortest match of LZ4. */
const MIN_MATCH = 4;

/** The length that a page in Snappy says it has; NaN if it says none. */
export function snappyLength(page: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = page[i] ?? NaN;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  return NaN;
}

/** The length of a block of LZ4; NaN if it ends too early. */
export function lz4Length(block: Uint8Array): number {
  let length = 0;
  let at = 0;
  const more = (nibble: number): number => {
    if (nibble < FULL_NIBBLE) return nibble;
    let sum = nibble;
    for (;;) {
      const byte = block[at++];
      if (byte === undefined) return NaN;
      sum += byte;
      if (byte < FULL_BYTE) return sum;
    }
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = more(token >> 4);
    at += literals;
    length += literals;
    if (at === block.length) return length;
    at += 2;
    length += more(token & FULL_NIBBLE) + MIN_MATCH;
  }
  return at === block.length ? length : NaN;
}

/** The length of blocks of LZ4 as Hadoop writes them; NaN if they are none. */
export function hadoopLz4Length(page: Uint8Array): number {
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  let length = 0;
  for (let at = 0; at < page.length;) {
    if (page.length - at < HADOOP_HEAD_BYTES) return NaN;
    const unpacked = view.getUint32(at);
    const size = view.getUint32(at + 4);
    at += HADOOP_HEAD_BYTES;
    if (size > page.length - at) return NaN;
    if (lz4Length(page.subarray(at, at + size)) !== unpacked) return NaN;
    length += unpacked;
    at += size;
  }
  return length;
}
