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

/** Time between two looks whether the rest of a file may be sent, ms. */
const CHECK_MS = 1_000;

/** Parts of a reply with a file. */
export interface FileReply {
  /** Name of its content. */
  readonly etag: string;
  /** Header fields of the reply. */
  readonly headers: Readonly<Record<string, string>>;
  /** Lets small requests be answered in between. */
  readonly pace: FairSending;
  /** Rejects if the rest may not be sent. Called each second of a reply that takes longer. */
  check(): Promise<void>;
}

/** Answers with a file. */
export async function sendFile(
  exchange: HttpExchange,
  file: SpoolFile,
  { etag, headers, pace, check }: FileReply,
): Promise<void> {
  const { request, reply } = exchange;
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
  const writer = new ReplyWriter(exchange, head, pace);
  let checkedMs = performance.now();
  for (let at = start; at < end; at += PIECE_BYTES) {
    if (performance.now() - checkedMs >= CHECK_MS) {
      await check();
      checkedMs = performance.now();
    }
    await writer.write(await file.read(at, Math.min(PIECE_BYTES, end - at)));
  }
  writer.end();
}
