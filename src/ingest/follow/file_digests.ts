/**
 * Digests of what is before a place in a file, by which it is known again under another name.
 *
 * @module
 */

import { type FileHandle, open } from "node:fs/promises";
import { openBytes, readBytes } from "../bytes.ts";
import { HEAD_BYTES, headDigest } from "../import_record.ts";
import { readFrom } from "./growing_table.ts";

/** Digests of what is before a place. */
export interface FileDigests {
  /** Decompressed bytes before the place. */
  readonly bytes: number;
  /** Of the first of them. */
  readonly head: string;
  /** Of the last of them. */
  readonly tail: string;
}

/** Digests of what is before a place in an open file. */
export async function digestsIn(file: FileHandle, bytes: number): Promise<FileDigests> {
  const head = await readFrom(file, 0, Math.min(bytes, HEAD_BYTES));
  const start = Math.max(0, bytes - HEAD_BYTES);
  const tail = start === 0 ? head : await readFrom(file, start, bytes - start);
  return { bytes, head: headDigest(head), tail: headDigest(tail) };
}

/**
 * Tells whether a file begins with the bytes that digests are of, once it is decompressed. A file that
 * cannot be read, or only in part, does not.
 */
export async function beginsWith(path: string, digests: FileDigests): Promise<boolean> {
  const { bytes, head, tail } = digests;
  const first = new Uint8Array(Math.min(bytes, HEAD_BYTES));
  const last = new Uint8Array(Math.min(bytes, HEAD_BYTES));
  const start = bytes - last.length;
  let at = 0;
  try {
    const source = await openBytes(path);
    if (source.once) return false;
    if (source.compression === "none") return await beginsPlainlyWith(path, digests);
    for await (const chunk of readBytes(source, 0, { bytes: 0 })) {
      if (at < first.length) first.set(chunk.subarray(0, first.length - at), at);
      const from = Math.max(start, at);
      const to = Math.min(bytes, at + chunk.length);
      if (from < to) last.set(chunk.subarray(from - at, to - at), from - start);
      const before = at;
      at += chunk.length;
      if (before < first.length && at >= first.length && headDigest(first) !== head) return false;
      if (at >= bytes) break;
    }
  } catch {
    return false;
  }
  return at >= bytes && headDigest(first) === head && headDigest(last) === tail;
}

async function beginsPlainlyWith(path: string, digests: FileDigests): Promise<boolean> {
  const file = await open(path, "r");
  try {
    if ((await file.stat()).size < digests.bytes) return false;
    const { head, tail } = await digestsIn(file, digests.bytes);
    return head === digests.head && tail === digests.tail;
  } finally {
    await file.close();
  }
}
