/**
 * Bytes of an input: files, pipes and memory, plain or compressed, in memory that does
 * not grow.
 *
 * @module
 */

import { checkedPath } from "../core/check_path.ts";
import { invalidType } from "../core/argument_error.ts";
import { checkBytes } from "../core/check_bytes.ts";
import { describe } from "../core/describe.ts";
import { isIterable } from "../core/is_iterable.ts";
import { createReadStream } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import { type Compression, compressionOf, decompress } from "./compression/decompress.ts";
import { ImportError, pathError } from "./errors.ts";

/** Bytes of one read. */
const READ_BYTES = 1 << 20;
/** Bytes by which a compression is known. */
export const MAGIC_BYTES = 4;

/** Input of an import: a path or `file:` URL, its bytes, or its bytes in pieces. */
export type ImportInput = string | URL | Uint8Array | AsyncIterable<Uint8Array>;

/** Bytes of an input, and what is known of them. */
export interface InputBytes {
  /** Name in messages: the path, or `-` where there is none. */
  readonly name: string;
  /** Path of the file; absent for what is no file. */
  readonly path?: string | undefined;
  /** All bytes, where they are in memory. */
  readonly memory?: Uint8Array | undefined;
  /** Bytes that come once, where there is no file. */
  readonly stream?: AsyncIterable<Uint8Array> | undefined;
  /** True if it can be read only once: a stream, a pipe, a device. */
  readonly once: boolean;
  /** Compression of a file; what can be read only once shows it when it is read. */
  readonly compression: Compression;
  /** Size of the file, bytes; undefined for what is no file. */
  readonly size: number | undefined;
  /** When the file was changed last, ms since the Unix epoch; undefined for what is no file. */
  readonly modifiedMs: number | undefined;
}

/** Bytes read from the file so far, compressed as they are. */
export interface ReadCounter {
  bytes: number;
}

/**
 * Looks at what is to be imported; its compression is known by its first bytes, whatever its name
 * says.
 *
 * @throws {ImportError} If there is no such file.
 * @throws {TypeError} If no file can have the path.
 */
export async function openBytes(input: ImportInput): Promise<InputBytes> {
  const unknown = { size: undefined, modifiedMs: undefined };
  if (input instanceof Uint8Array) {
    const compression = compressionOf(input);
    return { ...unknown, name: "-", memory: input, once: false, compression, size: input.length };
  }
  if (typeof input !== "string" && !(input instanceof URL)) {
    if (!isIterable(input)) {
      throw invalidType(
        `Cannot import: input is ${describe(input)}, expected a path, a file: URL, bytes, or an ` +
          "iterable of bytes",
      );
    }
    return { ...unknown, name: "-", stream: input, once: true, compression: "none" };
  }
  const path = checkedPath("import", input, "input");
  const info = await stat(path).catch((cause) => {
    if ((cause as { code?: unknown }).code !== "ENOENT") throw pathError(cause, "import", path);
    throw new ImportError(`There is no file ${path}`, { fault: "missing", cause });
  });
  if (info.isDirectory()) throw new ImportError(`Cannot import ${path}: it is a directory`);
  if (!info.isFile()) return { ...unknown, name: path, path, once: true, compression: "none" };
  const compression = compressionOf(await readAt(path, 0, MAGIC_BYTES));
  const { size, mtimeMs } = info;
  return { name: path, path, once: false, compression, size, modifiedMs: Math.round(mtimeMs) };
}

/** The path of a source by which it is known again, or `-`. */
export async function identityOf(source: InputBytes): Promise<string> {
  return source.once || source.path === undefined ? "-" : await realpath(source.path);
}

/** Some bytes of a file as it is; fewer at its end. */
export async function readAt(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

/**
 * The decompressed bytes, from an offset on.
 *
 * @param source The input.
 * @param offset Decompressed bytes to leave out; a plain file begins there, others are read and
 * dropped.
 * @param counter Is told how far the file is read.
 */
export async function* readBytes(
  source: InputBytes,
  offset: number,
  counter: ReadCounter,
): AsyncGenerator<Uint8Array, void, void> {
  const seek = source.path !== undefined && !source.once && source.compression === "none";
  const raw = seek ? readFile(source.path!, offset, counter) : counted(piecesOf(source), counter);
  const { compression, chunks } = source.once
    ? await sniffCompression(raw)
    : { compression: source.compression, chunks: raw };
  let left = seek ? 0 : offset;
  for await (
    const chunk of compression === "none" ? chunks : decompress(chunks, compression, source.name)
  ) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left > 0 ? chunk.subarray(left) : chunk;
      left = 0;
    }
  }
}

/** The bytes of what is no plain file, as they come. */
function piecesOf({ memory, stream, path }: InputBytes): AsyncIterable<Uint8Array> {
  if (memory !== undefined) return inPieces(memory);
  return stream === undefined
    ? createReadStream(path!, { highWaterMark: READ_BYTES })
    : checkedPieces(stream);
}

async function* checkedPieces(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of stream) {
    checkBytes("import", "a piece of input", piece);
    yield piece;
  }
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += READ_BYTES) yield bytes.subarray(at, at + READ_BYTES);
}

async function* readFile(
  path: string,
  offset: number,
  counter: ReadCounter,
): AsyncGenerator<Uint8Array, void, void> {
  const file = await open(path, "r");
  try {
    counter.bytes = offset;
    while (true) {
      const buffer = new Uint8Array(READ_BYTES);
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, counter.bytes);
      if (bytesRead === 0) return;
      counter.bytes += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  counter: ReadCounter,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) {
    counter.bytes += chunk.length;
    yield chunk;
  }
}

async function sniffCompression(
  raw: AsyncGenerator<Uint8Array, void, void>,
): Promise<{ compression: Compression; chunks: AsyncIterable<Uint8Array> }> {
  const parts: Uint8Array[] = [];
  const magic = new Uint8Array(MAGIC_BYTES);
  let length = 0;
  while (length < MAGIC_BYTES) {
    const next = await raw.next();
    if (next.done) break;
    parts.push(next.value);
    magic.set(next.value.subarray(0, MAGIC_BYTES - length), length);
    length += next.value.length;
  }
  async function* again(): AsyncGenerator<Uint8Array, void, void> {
    yield* parts;
    yield* raw;
  }
  return { compression: compressionOf(magic.subarray(0, length)), chunks: again() };
}

/** The collection of columns that do not name theirs: the name of the file. */
export function collectionOf({ path }: InputBytes): string {
  if (path === undefined || path.startsWith("/dev/")) return "stdin";
  return path.split(/[/\\]/).at(-1)!.replace(/\.(gz|zst)$/i, "").replace(/\.[^.]*$/, "") ||
    "import";
}
