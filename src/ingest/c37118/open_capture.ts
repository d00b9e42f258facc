/**
 * Opens captures that are files.
 *
 * @module
 */

import { checkPath } from "../../core/check_path.ts";
import { ImportError, pathError } from "../errors.ts";
import { type CaptureInput, CaptureSource } from "./capture_source.ts";
import { open } from "node:fs/promises";
import type { CaptureOptions } from "./capture_reader.ts";

/** Bytes read from a file at a time. */
const CHUNK_BYTES = 1 << 16;

/** A file as the bytes of a capture. */
async function captureFile(path: string): Promise<CaptureInput> {
  const file = await open(path).catch((error) => {
    throw pathError(error, "open", path);
  });
  const info = await file.stat();
  await file.close();
  if (info.isDirectory()) throw new ImportError(`Cannot open ${path}: it is a folder`);
  const { size } = info;
  return {
    size,
    async *read(): AsyncGenerator<Uint8Array> {
      const file = await open(path);
      try {
        const buffer = new Uint8Array(CHUNK_BYTES);
        for (;;) {
          const { bytesRead } = await file.read(buffer, 0, buffer.length);
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    },
  };
}

/**
 * Opens a capture of synchrophasors: pcap, pcapng, or frames one after the other (`.c37`, `.pdat`).
 *
 * @param path The file.
 * @param options Names, frequency, times.
 * @returns A source of points: its columns are the streams of all stations.
 * @throws {RangeError} If no measurement can be read in it.
 */
export async function openCapture(
  path: string,
  options: CaptureOptions = {},
): Promise<CaptureSource> {
  checkPath("open the capture", path, "path");
  return await CaptureSource.open(await captureFile(path), options);
}
