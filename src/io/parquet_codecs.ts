/**
 * Decompressors of Parquet pages.
 *
 * @module
 */

import { compressors } from "hyparquet-compressors";
import * as zlib from "node:zlib";

type Decompress = (input: Uint8Array, length: number) => Uint8Array;

/** Decompressors; a page of nulls alone has no bytes, which some of them do not take. */
export const CODECS: Readonly<Record<string, Decompress>> = Object.fromEntries(
  Object.entries({
    ...compressors,
    ZSTD: unpackZstd,
    GZIP: unpackGzip,
    BROTLI: (input: Uint8Array, length: number) =>
      zlib.brotliDecompressSync(input, { maxOutputLength: length }),
  }).map(([name, decompress]) => [
    name,
    (input: Uint8Array, length: number) =>
      length === 0 ? new Uint8Array(0) : (decompress as Decompress)(input, length),
  ]),
);

/** Some writers leave the head of gzip out. */
function unpackGzip(input: Uint8Array, length: number): Uint8Array {
  const hasHead = input[0] === 0x1f && input[1] === 0x8b;
  const unpack = hasHead ? zlib.gunzipSync : zlib.inflateRawSync;
  return unpack(input, { maxOutputLength: length });
}

function unpackZstd(input: Uint8Array, length: number): Uint8Array {
  if (typeof zlib.zstdDecompressSync === "function") {
    return zlib.zstdDecompressSync(input, { maxOutputLength: length });
  }
  return compressors.ZSTD!(input, length);
}
