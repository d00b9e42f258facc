/**
 * Decompresses files.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ImportError } from "../errors.ts";

const CHUNK_BYTES = 1 << 20;

/** Compression of a file. */
export type Compression = "none" | "gzip" | "zstd";

/** The compression that the first bytes show (RFC 1952, section 2.3.1; RFC 8878, section 3.1.1). */
export function compressionOf(head: Uint8Array): Compression {
  const magic = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return magic.startsWith("1f8b") ? "gzip" : magic === "28b52ffd" ? "zstd" : "none";
}

/**
 * Decompresses while it reads; the consumer's pace is the reader's.
 *
 * @param compressed The bytes of the file.
 * @param compression Its compression.
 * @param name Name of the file, for errors.
 * @throws {ImportError} If the file is damaged or cut off.
 */
export async function* decompress(
  compressed: AsyncIterable<Uint8Array>,
  compression: "gzip" | "zstd",
  name: string,
): AsyncGenerator<Uint8Array, void, void> {
  const input = Readable.from(compressed, { objectMode: false });
  const options = { chunkSize: CHUNK_BYTES };
  const unpacker = compression === "gzip" ? createGunzip(options) : createZstdDecompress(options);
  input.on("error", (error) => unpacker.destroy(error));
  input.pipe(unpacker);
  try {
    for await (const chunk of unpacker) yield chunk as Buffer;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImportError(`Cannot decompress ${name}: ${reason}`, {
      hint: "the file is damaged, or cut off; what came before is stored",
      cause,
    });
  } finally {
    input.destroy();
    unpacker.destroy();
  }
}
