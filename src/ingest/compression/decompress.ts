/**
 * Decompresses files.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from "node:zlib";
import { ImportError } from "../errors.ts";
import { isSkippable, zstdFrames } from "./zstd_frames.ts";

const CHUNK_BYTES = 1 << 20;

/** Compression of a file. */
export type Compression = "none" | "gzip" | "zstd";

/** The compression that the first bytes show (RFC 1952, section 2.3.1; RFC 8878, section 3.1.1). */
export function compressionOf(head: Uint8Array): Compression {
  const magic = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (magic.startsWith("1f8b")) return "gzip";
  return magic === "28b52ffd" || isSkippable(head) ? "zstd" : "none";
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
  const options = { chunkSize: CHUNK_BYTES };
  try {
    if (compression === "gzip") {
      yield* gunzipped(compressed, createGunzip(options));
      return;
    }
    // The platform's decompressor stops after the first frame, and does not miss an end.
    for await (const frame of zstdFrames(compressed)) {
      yield* through(frame, createZstdDecompress(options));
    }
  } catch (cause) {
    if (cause instanceof ImportError && cause.fault !== "data") throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImportError(`Cannot decompress ${name}: ${reason}`, {
      hint: "the file is damaged, or cut off; what came before is stored",
      cause,
    });
  }
}

/** All members of gzip, which zeros may follow (RFC 1952, section 2.2). */
async function* gunzipped(
  compressed: AsyncIterable<Uint8Array>,
  gunzip: Gunzip,
): AsyncGenerator<Uint8Array, void, void> {
  const over = new Promise<void>((resolve) => {
    for (const event of ["end", "close"]) gunzip.once(event, () => resolve());
  });
  const fed = feed(compressed, gunzip, over);
  fed.catch((error) => gunzip.destroy(error));
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
    await fed;
  } finally {
    gunzip.destroy();
  }
}

/**
 * Gives a decompressor its input. At zeros behind a member it stops, and leaves everything out that
 * follows.
 *
 * @param over Resolves when it has stopped.
 * @throws {Error} If something else than zeros follows.
 */
async function feed(
  compressed: AsyncIterable<Uint8Array>,
  gunzip: Gunzip,
  over: Promise<void>,
): Promise<void> {
  let given = 0;
  let isOver = false;
  for await (const chunk of compressed) {
    let behind = chunk;
    if (!isOver) {
      given += chunk.length;
      await Promise.race([
        new Promise<void>((resolve) => gunzip.write(chunk, () => resolve())),
        over,
      ]);
      if (gunzip.destroyed) return;
      behind = chunk.subarray(chunk.length - (given - gunzip.bytesWritten));
      isOver = behind.length > 0;
    }
    if (behind.some((byte) => byte !== 0)) {
      throw new Error("something follows the zeros behind its end");
    }
  }
  if (!isOver) gunzip.end();
}

async function* through(
  compressed: AsyncIterable<Uint8Array>,
  decompressor: ZstdDecompress,
): AsyncGenerator<Uint8Array, void, void> {
  const input = Readable.from(compressed, { objectMode: false });
  input.on("error", (error) => decompressor.destroy(error));
  input.pipe(decompressor);
  try {
    for await (const chunk of decompressor) yield chunk as Buffer;
  } finally {
    input.destroy();
    decompressor.destroy();
  }
}
