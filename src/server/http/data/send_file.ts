/**
 * Sends a file, or the part of it that is asked for.
 *
 * @module
 */

import type { FairSending } from "../../transport/fair_sending.ts";
import { byteRange, rangeThatCounts } from "../byte_range.ts";
import { HttpFailure } from "../http_failure.ts";
import { refuse } from "../refusals.ts";
import { ReplyWriter } from "../reply_writer.ts";
import type { HttpExchange } from "../routes.ts";
import type { SpoolFile } from "./spool_file.ts";

/** Bytes of a piece. */
const PIECE_BYTES = 256 << 10;

/**
 * Answers with a file.
 *
 * @param etag Name of its content.
 * @param headers Header fields of the reply.
 * @param pace Lets small requests be answered in between.
 */
export async function sendFile(
  { request, reply, options: { signal } }: HttpExchange,
  file: SpoolFile,
  etag: string,
  headers: Readonly<Record<string, string>>,
  pace: FairSending,
): Promise<void> {
  const size = file.byteLength;
  const range = byteRange(rangeThatCounts(request, etag), size);
  if (range === "none") {
    const { status, message } = new HttpFailure(416, `the file has ${size} bytes`);
    return refuse(reply, status, message, 0, { etag, "content-range": `bytes */${size}` });
  }
  const { start, end } = range === "all" ? { start: 0, end: size } : range;
  const part: Record<string, string> = range === "all"
    ? {}
    : { "content-range": `bytes ${start}-${end - 1}/${size}` };
  const head = {
    status: range === "all" ? 200 : 206,
    headers: { ...headers, ...part, "content-length": String(end - start) },
  };
  if (request.method === "HEAD") {
    reply.begin(head.status, head.headers);
    return reply.end();
  }
  const writer = new ReplyWriter(reply, head, signal, pace);
  for (let at = start; at < end; at += PIECE_BYTES) {
    await writer.write(await file.read(at, Math.min(PIECE_BYTES, end - at)));
  }
  writer.end();
}
