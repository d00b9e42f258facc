/**
 * The body of a request piece by piece, unpacked, within bounds.
 *
 * @module
 */

import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Request } from "../exchange.ts";
import { onSilence } from "../../../core/silence_timer.ts";
import { HttpFailure } from "../http_failure.ts";

/** Longest wait for the next bytes, ms. */
const SILENCE_MS = 10_000;

/** Bounds on a body. */
export interface BodyLimits {
  /** Most bytes as they travel. */
  readonly maxBytes: number;
  /** Most bytes once they are unpacked. */
  readonly maxUncompressedBytes: number;
  /** Takes note of bytes that have come; why they are too many, if they are. */
  readonly count: (bytes: number) => string | undefined;
}

/**
 * Reads a body, plain or gzip.
 *
 * @param request It is read no faster than its pieces are taken.
 * @param signal Ends the reading.
 * @throws {HttpFailure} 413 for too many bytes, 415 for another encoding, 400 for broken gzip, 408 if
 * nothing comes for 10 s.
 */
export async function* requestBody(
  request: Request,
  limits: BodyLimits,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const encoding = (request.header("content-encoding") ?? "identity").trim().toLowerCase();
  if (!["identity", "gzip", "x-gzip", ""].includes(encoding)) {
    throw new HttpFailure(415, `content-encoding is ${JSON.stringify(encoding)}, expected gzip`);
  }
  const claimed = Number(request.header("content-length") ?? 0);
  if (claimed > limits.maxBytes) throw tooLarge(limits.maxBytes);
  const pieces = arriving(request, limits, signal);
  if (!encoding.endsWith("gzip")) return yield* pieces;
  // A body without a byte is none, whatever its encoding is said to be.
  const first = await pieces.next();
  if (first.done) return;
  yield* unpacked(withFirst(first.value, pieces), limits.maxUncompressedBytes);
}

async function* withFirst(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

/** The bytes as they come; whoever sends none for too long is given up. */
async function* arriving(
  request: Request,
  { maxBytes, count }: BodyLimits,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let hasEnded = false;
  let total = 0;
  let wake = () => {};
  request.onData((piece) => {
    pieces.push(piece);
    request.pause();
    wake();
  });
  request.onEnd(() => {
    hasEnded = true;
    wake();
  });
  const abort = () => wake();
  signal.addEventListener("abort", abort);
  try {
    while (true) {
      signal.throwIfAborted();
      const [piece] = pieces;
      if (piece !== undefined) {
        pieces = pieces.slice(1);
        total += piece.length;
        if (total > maxBytes) throw tooLarge(maxBytes);
        const refusal = count(piece.length);
        if (refusal !== undefined) throw new HttpFailure(413, refusal);
        yield piece;
        continue;
      }
      if (hasEnded) return;
      request.resume();
      await new Promise<void>((resolve, reject) => {
        const late = () => reject(new HttpFailure(408, `no bytes for ${SILENCE_MS} ms`));
        const stop = onSilence(SILENCE_MS, late);
        wake = () => {
          stop();
          resolve();
        };
      });
    }
  } finally {
    wake();
    signal.removeEventListener("abort", abort);
  }
}

/** Unpacks gzip, of one member or several. */
async function* unpacked(
  pieces: AsyncGenerator<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let compressedBytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      compressedBytes += piece.length;
      yield piece;
    }
  }
  const gunzip = createGunzip();
  let cause: unknown;
  const source = Readable.from(counted(), { objectMode: false });
  source.on("error", (error) => cause = error);
  pipeline(source, gunzip, () => {});
  let total = 0;
  try {
    for await (const piece of gunzip) {
      total += piece.length;
      if (total > maxBytes) {
        throw new HttpFailure(413, `the unpacked body is larger than ${maxBytes} bytes`);
      }
      yield piece;
    }
  } catch (error) {
    if (cause !== undefined) throw cause;
    if (error instanceof HttpFailure) throw error;
    throw new HttpFailure(400, `the body is not gzip: ${(error as Error).message}`);
  } finally {
    gunzip.destroy();
  }
  if (gunzip.bytesWritten < compressedBytes) {
    throw new HttpFailure(400, "the body is not gzip: something follows its end");
  }
}

function tooLarge(maxBytes: number): HttpFailure {
  return new HttpFailure(413, `the body is larger than ${maxBytes} bytes`);
}
