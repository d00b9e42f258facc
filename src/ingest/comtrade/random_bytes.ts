/**
 * Bytes that are read in any order: of a file, of memory, of a spool.
 *
 * @module
 */

import { ImportError, pathError } from "../errors.ts";
import { open } from "node:fs/promises";
import type { Spool } from "../spool.ts";

/** Bytes that are read in any order. */
export interface RandomBytes extends AsyncDisposable {
  /** Number of bytes. */
  readonly size: number;
  /** Some of them; fewer at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** The bytes of a file. */
export async function bytesOfFile(path: string): Promise<RandomBytes> {
  const file = await open(path).catch((error) => {
    throw pathError(error, "read", path);
  });
  const info = await file.stat();
  if (info.isDirectory()) {
    await file.close();
    throw new ImportError(`Cannot read ${path}: it is a folder`);
  }
  const { size } = info;
  return {
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      for (let at = 0; at < bytes.length;) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, offset + at);
        if (bytesRead === 0) return bytes.subarray(0, at);
        at += bytesRead;
      }
      return bytes;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Bytes in memory. */
export function bytesInMemory(bytes: Uint8Array): RandomBytes {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Bytes that were kept on disk; they go when these are disposed of. */
export function bytesOfSpool(spool: Spool): RandomBytes {
  const size = spool.byteLength;
  return {
    size,
    async read(offset, length) {
      return new Uint8Array(await spool.slice(offset, Math.min(size, offset + length)));
    },
    [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose](),
  };
}

/** A part of some bytes; disposing of it disposes of the whole. */
export function partOf(bytes: RandomBytes, from: number, to: number): RandomBytes {
  return {
    size: to - from,
    read: (offset, length) =>
      bytes.read(from + offset, Math.max(0, Math.min(length, to - from - offset))),
    [Symbol.asyncDispose]: () => bytes[Symbol.asyncDispose](),
  };
}
