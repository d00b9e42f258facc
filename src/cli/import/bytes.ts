/**
 * The bytes of what is imported: files and stdin, plain, gzip or zstd, in memory that does not grow.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { CliError, Exit } from "../errors.ts";

const READ_BYTES = 1 << 20;

/** How files are packed. */
export type Packing = "none" | "gzip" | "zstd";

/** Something to read bytes from. */
export interface ByteSource {
  /** Path, or `-` for stdin. */
  readonly path: string;
  /** Whether it can be read only once: stdin, a pipe, a device. */
  readonly once: boolean;
  /** How a file is packed; what can be read only once shows it when it is read. */
  readonly packing: Packing;
  /** Size of the file, bytes; undefined for what is no file. */
  readonly size: number | undefined;
  /** When the file was changed last, ms since the Unix epoch; undefined for what is no file. */
  readonly modifiedMs: number | undefined;
}

/** Bytes read from the file so far, packed as they are. */
export interface ReadCounter {
  bytes: number;
}

/**
 * Looks at a file; how it is packed is in its first bytes, whatever its name says.
 *
 * @throws {CliError} If there is no such file.
 */
export async function openSource(path: string): Promise<ByteSource> {
  const stream = { path, once: true, packing: "none", size: undefined, modifiedMs: undefined };
  if (path === "-") return stream as ByteSource;
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new CliError(`There is no file ${path}`, { exit: Exit.NotFound, cause });
  }
  if (info.isDirectory) throw new CliError(`Cannot import ${path}: it is a directory`);
  if (!info.isFile) return stream as ByteSource;
  const packing = packingOf(await firstBytes(path));
  const { size } = info;
  return { path, once: false, packing, size, modifiedMs: info.mtime?.getTime() };
}

async function firstBytes(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(4);
  return bytes.subarray(0, await file.read(bytes) ?? 0);
}

/**
 * The unpacked bytes, from an offset on.
 *
 * @param source What to read.
 * @param offset Unpacked bytes to leave out; a plain file begins there, others are read and dropped.
 * @param counter Is told how far the file is read.
 */
export async function* readBytes(
  source: ByteSource,
  offset: number,
  counter: ReadCounter,
): AsyncGenerator<Uint8Array, void, void> {
  const seek = !source.once && source.packing === "none";
  const packed = source.path === "-"
    ? readStdin(counter)
    : readFile(source.path, seek ? offset : 0, counter);
  const { packing, chunks } = source.once
    ? await sniffPacking(packed)
    : { packing: source.packing, chunks: packed };
  let left = seek ? 0 : offset;
  for await (const chunk of packing === "none" ? chunks : unpack(chunks, packing, source.path)) {
    if (left >= chunk.length) left -= chunk.length;
    else yield left > 0 ? chunk.subarray(left) : chunk;
    left = left >= chunk.length ? left : 0;
  }
}

async function* readFile(
  path: string,
  offset: number,
  counter: ReadCounter,
): AsyncGenerator<Uint8Array, void, void> {
  using file = await Deno.open(path);
  if (offset > 0) await file.seek(offset, Deno.SeekMode.Start);
  counter.bytes = offset;
  yield* readAll(file, counter);
}

async function* readStdin(counter: ReadCounter): AsyncGenerator<Uint8Array, void, void> {
  yield* readAll(Deno.stdin, counter);
}

async function* readAll(
  file: { read(buffer: Uint8Array): Promise<number | null> },
  counter: ReadCounter,
): AsyncGenerator<Uint8Array, void, void> {
  while (true) {
    const buffer = new Uint8Array(READ_BYTES);
    const n = await file.read(buffer);
    if (n === null) return;
    counter.bytes += n;
    yield buffer.subarray(0, n);
  }
}

/** How bytes are packed, by the first ones (RFC 1952, section 2.3.1; RFC 8878, section 3.1.1). */
function packingOf(head: Uint8Array): Packing {
  const magic = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return magic.startsWith("1f8b") ? "gzip" : magic === "28b52ffd" ? "zstd" : "none";
}

async function sniffPacking(
  packed: AsyncGenerator<Uint8Array, void, void>,
): Promise<{ packing: Packing; chunks: AsyncIterable<Uint8Array> }> {
  const first = await packed.next();
  const head = first.done ? new Uint8Array(0) : first.value;
  async function* again(): AsyncGenerator<Uint8Array, void, void> {
    if (head.length > 0) yield head;
    yield* packed;
  }
  return { packing: packingOf(head), chunks: again() };
}

/** Unpacks while it reads; the consumer's pace is the reader's. */
async function* unpack(
  packed: AsyncIterable<Uint8Array>,
  packing: "gzip" | "zstd",
  path: string,
): AsyncGenerator<Uint8Array, void, void> {
  const input = Readable.from(packed, { objectMode: false });
  const options = { chunkSize: READ_BYTES };
  const unpacker = packing === "gzip" ? createGunzip(options) : createZstdDecompress(options);
  input.on("error", (error) => unpacker.destroy(error));
  input.pipe(unpacker);
  try {
    for await (const chunk of unpacker) yield chunk as Buffer;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`Cannot unpack ${path}: ${reason}`, {
      hint: "the file is damaged, or cut off; what came before is stored",
      cause,
    });
  } finally {
    input.destroy();
    unpacker.destroy();
  }
}
