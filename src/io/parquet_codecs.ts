/**
 * Decompressors of Parquet pages.
 *
 * @module
 */

import { compressors } from "hyparquet-compressors";
import * as zlib from "node:zlib";
import { hadoopLz4Length, lz4Length, snappyLength } from "./unpacked_length.ts";

/** Least size of a piece that node:zlib takes. */
const MIN_CHUNK_BYTES = 64;

/** Least size of a page whose memory is mapped. */
const LONG_BYTES = 1 << 20;

/**
 * Memory of a long page, of which unused parts take none. More than 32 MiB go back to the system when
 * they are freed; of less, glibc keeps a good deal for later.
 */
const MAPPED_BYTES = (32 << 20) + 4096;

type Decompress = (input: Uint8Array, length: number) => Uint8Array;

/** Decompressors; a page of nulls alone has no bytes, which some of them do not take. */
export const CODECS: Readonly<Record<string, Decompress>> = Object.fromEntries(
  Object.entries({
    ...compressors,
    SNAPPY: (input: Uint8Array, length: number) => {
      checkLength(snappyLength(input), length);
      return compressors.SNAPPY!(input, length);
    },
    LZ4_RAW: (input: Uint8Array, length: number) => {
      checkLength(lz4Length(input), length);
      return compressors.LZ4_RAW!(input, length);
    },
    LZ4: (input: Uint8Array, length: number) => {
      if (hadoopLz4Length(input) !== length) checkLength(lz4Length(input), length);
      return compressors.LZ4!(input, length);
    },
    ZSTD: unpackZstd,
    GZIP: unpackGzip,
    BROTLI: (input: Uint8Array, length: number) => zlib.brotliDecompressSync(input, inOne(length)),
  }).map(([name, decompress]) => [
    name,
    (input: Uint8Array, length: number) =>
      length === 0 ? new Uint8Array(0) : (decompress as Decompress)(input, length),
  ]),
);

function checkLength(found: number, length: number): void {
  if (found === length) return;
  const said = Number.isNaN(found) ? "is cut off" : `unpacks to ${found} bytes of ${length}`;
  throw new RangeError(`Cannot read Parquet: a page ${said}; the file is damaged`);
}

/** Some writers leave the head of gzip out. */
function unpackGzip(input: Uint8Array, length: number): Uint8Array {
  const hasHead = input[0] === 0x1f && input[1] === 0x8b;
  const unpack = hasHead ? zlib.gunzipSync : zlib.inflateRawSync;
  return unpack(input, inOne(length));
}

function unpackZstd(input: Uint8Array, length: number): Uint8Array {
  if (typeof zlib.zstdDecompressSync === "function") {
    return zlib.zstdDecompressSync(input, inOne(length));
  }
  return compressors.ZSTD!(input, length);
}

/** Memory for all of a page at once, and a byte by which its end is seen: pieces would be joined. */
function inOne(length: number): { maxOutputLength: number; chunkSize: number } {
  const least = length < LONG_BYTES ? MIN_CHUNK_BYTES : MAPPED_BYTES;
  return { maxOutputLength: length, chunkSize: Math.max(least, length + 1) };
}
