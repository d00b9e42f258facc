/**
 * Decompresses Arrow buffers, each bounded before memory is allocated for it. The Arrow library
 * asks for them while it decodes.
 *
 * @module
 */

import { CompressionType, setCompressionCodec } from "@uwdata/flechette";
import { type CallOptions, throwIfOver } from "../core/call.ts";
import { nodeModule } from "../core/node_module.ts";
import { atOnce, giveWay, inSlices } from "../core/pacer.ts";
import type { CompressedBuffer } from "./check_batch.ts";
import { decompressLz4InSteps } from "./lz4_frame.ts";

/** Bytes in front of a compressed buffer, which say its length when unpacked. */
const LENGTH_BYTES = 8;

/** Unpacked bytes of a buffer that is unpacked at once, and of one step otherwise. */
const PIECE_BYTES = 1 << 18;

/** Bytes that buffers may still have when they are unpacked. */
export interface UnpackedBytes {
  left: number;
}

/** Bytes that the buffers that are asked for now may have, and those that are unpacked already. */
let current: { bytes: UnpackedBytes; ready?: Unpacked | undefined } = { bytes: { left: 0 } };

/** Unpacked buffers by where they begin; those that share their memory begin somewhere else. */
type Unpacked = Map<number, Uint8Array>;

/**
 * Decodes with buffers bounded.
 *
 * @param bytes Bytes that they may have, fewer afterwards.
 * @param run Decodes, synchronously.
 * @param ready Buffers that were unpacked before; all others are refused. Absent: all are unpacked now.
 * @throws {RangeError} If they have more.
 */
export function withUnpackedBytes<T>(bytes: UnpackedBytes, run: () => T, ready?: Unpacked): T {
  current = { bytes, ready };
  try {
    return run();
  } finally {
    current = { bytes: { left: 0 } };
  }
}

/**
 * Unpacks buffers in steps.
 *
 * @param buffers The buffers.
 * @param bytes Bytes that they may have, fewer afterwards.
 * @throws {RangeError} If they have more.
 */
export async function unpackInSlices(
  buffers: readonly CompressedBuffer[],
  bytes: UnpackedBytes,
  options: CallOptions | undefined,
): Promise<Unpacked> {
  const unpacked: Unpacked = new Map();
  for (const { codec, bytes: buffer } of buffers) {
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    const length = Number(view.getBigInt64(0, true));
    const source = buffer.subarray(LENGTH_BYTES);
    if (length === -1 || unpacked.has(source.byteOffset)) continue;
    const decode = codec === CompressionType.ZSTD ? unpackZstd : unpackLz4;
    unpacked.set(source.byteOffset, await decode(source, take(length, bytes), options));
    const pause = giveWay();
    if (pause !== undefined) await pause;
    throwIfOver(options, "continue");
  }
  return unpacked;
}

/**
 * Takes the length of a buffer off what is left, before it is unpacked.
 *
 * @throws {RangeError} If it is longer.
 */
function take(length: number, bytes: UnpackedBytes): number {
  if (!(length >= 0 && length <= bytes.left)) {
    throw new RangeError("the buffers are too long unpacked");
  }
  bytes.left -= length;
  return length;
}

/** The buffer that the Arrow library asks for; `undefined` if it is to be unpacked now. */
function readyOf(source: Uint8Array, length: number): Uint8Array | undefined {
  const { bytes, ready } = current;
  if (ready === undefined) {
    take(length, bytes);
    return undefined;
  }
  const found = ready.get(source.byteOffset);
  if (found?.length !== length) throw new RangeError("a buffer begins in another");
  return found;
}

// Needs Node 22.15 or Deno.
const zlib = nodeModule<typeof import("node:zlib")>("node:zlib");
const hasZstd = typeof zlib?.zstdDecompressSync === "function";

if (hasZstd) {
  setCompressionCodec(CompressionType.ZSTD, {
    encode: (bytes) => zlib.zstdCompressSync(bytes),
    decode: (source, length) => readyOf(source, length) ?? zstdAtOnce(source, length),
  });
}

setCompressionCodec(CompressionType.LZ4_FRAME, {
  encode: () => {
    throw new Error("LZ4 is only read");
  },
  decode: (source, length) =>
    readyOf(source, length) ?? atOnce(decompressLz4InSteps(source, length)),
});

function unpackLz4(
  source: Uint8Array,
  length: number,
  options: CallOptions | undefined,
): Promise<Uint8Array> {
  return inSlices(decompressLz4InSteps(source, length), options);
}

function zstdAtOnce(source: Uint8Array, length: number): Uint8Array {
  return whole(zlib!.zstdDecompressSync(source, { maxOutputLength: length || 1 }), length);
}

function whole(unpacked: Uint8Array, length: number): Uint8Array {
  if (unpacked.length === length) return unpacked;
  throw new RangeError(`a buffer has ${unpacked.length} bytes unpacked instead of ${length}`);
}

async function unpackZstd(
  source: Uint8Array,
  length: number,
  options: CallOptions | undefined,
): Promise<Uint8Array> {
  if (!hasZstd) throw new Error('Missing compression codec "ZSTD"');
  if (length <= PIECE_BYTES && source.length <= PIECE_BYTES) return zstdAtOnce(source, length);
  const unzip = zlib!.createZstdDecompress({ chunkSize: PIECE_BYTES });
  const unpacked = new Uint8Array(length);
  let filled = 0;
  try {
    unzip.end(source);
    for await (const piece of unzip as AsyncIterable<Uint8Array>) {
      if (filled + piece.length > length) throw new RangeError(`a buffer is longer than ${length}`);
      unpacked.set(piece, filled);
      filled += piece.length;
      const pause = giveWay();
      if (pause !== undefined) await pause;
      throwIfOver(options, "continue");
    }
  } finally {
    unzip.destroy();
  }
  return filled === length ? unpacked : whole(unpacked.subarray(0, filled), length);
}
