/**
 * Bytes of a file that are read in slices.
 *
 * @module
 */

import { pathProblem } from "../core/path_problem.ts";
import { checkedPath } from "../core/check_path.ts";
import type { AsyncBuffer } from "hyparquet";
import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";

/** Reads slices of a file, from anywhere. */
export interface ByteSource {
  /** Bytes of the whole file. */
  readonly byteLength: number;
  /**
   * Reads a slice: all of its bytes and no others. A server that does not know ranges answers with the
   * whole file, which is refused.
   *
   * @param start Its first byte.
   * @param end Its end, exclusive; absent: the end of the file.
   */
  slice(start: number, end?: number): ArrayBuffer | Promise<ArrayBuffer>;
}

/** A path, a `file:` URL, the bytes, or an object that reads slices of them. */
export type ParquetSource = string | URL | Uint8Array | ByteSource;

/** Makes slices of the source; a file is opened until `close`. */
export async function openSource(
  source: ParquetSource,
): Promise<{ file: AsyncBuffer; close: () => Promise<void> }> {
  const nothing = () => Promise.resolve();
  if (source instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = source;
    const whole = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    return { file: whole, close: nothing };
  }
  if (typeof source !== "string" && !(source instanceof URL)) {
    checkSlices(source);
    return { file: exactSlices(source), close: nothing };
  }
  const { open } = await import("node:fs/promises");
  const path = checkedPath("open the file", source, "source");
  const refused = (problem: string, cause?: unknown) =>
    invalidType(`Cannot open the file: source is ${JSON.stringify(path)}, ${problem}`, { cause });
  const handle = await open(path, "r").catch((error) => {
    const problem = pathProblem(error);
    throw problem === undefined ? error : refused(problem, error);
  });
  const info = await handle.stat();
  if (info.isDirectory()) {
    await handle.close();
    throw refused("it is a folder");
  }
  const { size } = info;
  let closed: Promise<void> | undefined;
  return {
    file: {
      byteLength: size,
      async slice(start, end = size) {
        const bytes = new Uint8Array(end - start);
        for (let at = 0; at < bytes.length;) {
          const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
          if (bytesRead === 0) throw new RangeError("Cannot read Parquet: the file became shorter");
          at += bytesRead;
        }
        return bytes.buffer;
      },
    },
    close: () => closed ??= handle.close(),
  };
}

/** Refuses slices that are not as long as they should be: their bytes would be taken for others. */
function exactSlices(source: ByteSource): AsyncBuffer {
  const { byteLength } = source;
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const bytes = await source.slice(start, end);
      if (bytes.byteLength === end - start) return bytes;
      throw new RangeError(
        `Cannot read Parquet: the source gave ${bytes.byteLength} bytes for the slice from ` +
          `${start} to ${end}, expected ${end - start}`,
      );
    },
  };
}

function checkSlices(source: unknown): asserts source is ByteSource {
  const { byteLength, slice } = (source ?? {}) as Partial<ByteSource>;
  if (typeof byteLength === "number" && typeof slice === "function") return;
  throw invalidType(
    `Cannot open the file: source is ${describe(source)}, expected a path, a URL, bytes, or an ` +
      "object with byteLength and slice",
  );
}
