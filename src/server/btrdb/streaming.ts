/**
 * Sends points and windows to a client.
 *
 * @module
 */

import { fittedBytes } from "../../core/fitted_bytes.ts";
import { SpareBuffers } from "../../core/spare_buffers.ts";
import type { AnswerFrames, FramesRequest } from "../../endpoint/endpoint.ts";
import {
  type AnswerChunk,
  type AnswerKind,
  answerPieces,
  RAW_ANSWER,
  statAnswer,
} from "../../kernel/answer_pieces.ts";
import type { Exchange } from "../method.ts";

/** Memory of messages that is kept for later ones, bytes. */
const SPARE_BYTES = 4 << 20;

const spare = new SpareBuffers(SPARE_BYTES);

const memory = (bytes: number): Uint8Array => spare.take(bytes) ?? new Uint8Array(bytes);

/** Reads, in a thread if there are any, and sends the answer. */
export async function sendRead(exchange: Exchange, read: FramesRequest): Promise<void> {
  const { endpoint, readers, options } = exchange;
  if (readers !== undefined) return await sendFrames(exchange, readers.frames(read, options));
  if (read.method === "rawValues") {
    const chunks = endpoint.rawValues({ ...read.request, isLent: true }, options);
    return await sendColumns(exchange, chunks, RAW_ANSWER);
  }
  const chunks = read.method === "windows"
    ? endpoint.windows(read.request, options)
    : endpoint.alignedWindows(read.request, options);
  await sendColumns(exchange, chunks, statAnswer(read.withStddev));
}

/**
 * Sends a streamed answer; points that come in blocks go out in blocks.
 *
 * @param exchange The call.
 * @param chunks From the endpoint.
 * @param kind Kind of the columns: points or windows.
 * @param batch Points or windows of each message but the last.
 */
export async function sendColumns<Columns extends { times: BigInt64Array }>(
  exchange: Exchange,
  chunks: AsyncIterable<AnswerChunk<Columns>>,
  kind: AnswerKind<Columns>,
  batch?: number,
): Promise<void> {
  await sendFrames(exchange, encoded(chunks, kind, batch));
}

async function* encoded<Columns extends { times: BigInt64Array }>(
  chunks: AsyncIterable<AnswerChunk<Columns>>,
  kind: AnswerKind<Columns>,
  batch: number | undefined,
): AsyncGenerator<AnswerFrames> {
  for await (const { frames, points } of answerPieces(chunks, kind, memory, batch)) {
    const fitted = fittedBytes(frames as Uint8Array<ArrayBuffer>, spare);
    yield { frames: fitted, points, done: () => spare.give(fitted.buffer) };
  }
}

async function sendFrames(
  { call, metrics }: Exchange,
  pieces: AsyncIterable<AnswerFrames>,
): Promise<void> {
  for await (const piece of pieces) {
    metrics.pointsRead += piece.points;
    await call.sendFrames(piece.frames, () => piece.done());
  }
}
