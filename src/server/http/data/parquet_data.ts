/**
 * Answers in Parquet: made once, kept for a while, and sent in the parts that are asked for.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../../core/errors.ts";
import { mapConcurrently } from "../../../core/concurrency.ts";
import { yieldToEventLoop } from "../../../core/pacer.ts";
import { CHECKED_AT_ONCE } from "../../access.ts";
import { peerAddress } from "../../transport/connections.ts";
import type { RawColumns, StatColumns } from "../../../core/columns.ts";
import { conditionStatus } from "../byte_range.ts";
import { HttpFailure } from "../http_failure.ts";
import type { HttpExchange } from "../routes.ts";
import { type DataAnswer, nameOf } from "./data_answer.ts";
import { dataHeaders, etagOf } from "./data_headers.ts";
import { type BegunAnswer, withAnswer } from "./data_source.ts";
import type { RememberedReads } from "./remembered_reads.ts";
import { sendFile } from "./send_file.ts";
import { type Spool, tooLarge } from "./spool.ts";
import type { SpoolFile } from "./spool_file.ts";
import { columnarTimes } from "../../../csv/time_text.ts";
import type { StreamedOptions } from "./streamed_data.ts";

/** Rows of a row group; other requests wait while one is made. */
const GROUP_ROWS = 65_536;

/** Cells of a row group. */
const GROUP_CELLS = 4 << 20;

/** Smallest row group, rows. */
const LEAST_ROWS = 1_024;

/** Bytes of values for each byte that a file may have: compression must not hide endless work. */
const UNCOMPRESSED = 16;

/** Parts of answers in Parquet. */
export interface ParquetOptions extends StreamedOptions {
  readonly spool: Spool;
  readonly reads: RememberedReads;
}

/** Numbers of grants, which tell readers apart. */
const grants = new WeakMap<object, number>();
let lastGrant = 0;

/** Answers with a file, or a part of it. */
export async function sendParquet(
  exchange: HttpExchange,
  options: ParquetOptions,
): Promise<void> {
  const { request, reply } = exchange;
  const reader = readerOf(exchange);
  const known = await knownAnswer(exchange, options, reader);
  const isThere = known !== undefined && options.spool.has(nameOf(known));
  const { answer, file } = isThere
    ? { answer: known, file: await fileOf(exchange, known, options, missing) }
    : await made(exchange, options, known);
  try {
    if (known !== answer) options.reads.remember(reader, exchange.grant, answer);
    const etag = etagOf(answer);
    const headers = dataHeaders(answer, options.isKeyed);
    const status = conditionStatus(request, etag);
    if (status === 412) throw new HttpFailure(412, "the file is another one by now");
    if (status === 304) {
      reply.begin(304, headers);
      return reply.end();
    }
    const check = () => checkStreams(exchange, answer);
    await sendFile(exchange, file, { etag, headers, pace: options.pace, check });
  } finally {
    await file.release();
  }
}

/** The answer that a reader has begun to read; a new read does without one whose streams are gone. */
async function knownAnswer(
  exchange: HttpExchange,
  { reads }: ParquetOptions,
  reader: string,
): Promise<DataAnswer | undefined> {
  const isStart = isFirst(exchange);
  const known = reads.find(reader, isStart);
  if (known === undefined) return undefined;
  await exchange.access.stream("read", ...known.uuids);
  try {
    await checkStreams(exchange, known);
    return known;
  } catch (error) {
    const isGone = error instanceof BTrDBError && error.code === ErrorCode.NoSuchStream;
    if (isGone && isStart) return undefined;
    throw error;
  }
}

/**
 * Looks whether all streams of an answer are still there: files have the points of those that are not.
 *
 * @throws {BTrDBError} 404 if one was obliterated.
 */
async function checkStreams(
  { endpoint, options }: HttpExchange,
  { uuids }: DataAnswer,
): Promise<void> {
  await mapConcurrently(uuids, CHECKED_AT_ONCE, async (uuid, i) => {
    if (i % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await yieldToEventLoop();
    await endpoint.streamInfo({ uuid, omitVersion: true, omitDescriptor: false }, options);
  });
}

/** Name of a reader and the URL it reads. */
function readerOf({ request, grant }: HttpExchange): string {
  let number = grants.get(grant);
  if (number === undefined) grants.set(grant, number = ++lastGrant);
  return `${number} ${peerAddress(request.peer)} ${request.url}`;
}

/** Tells whether a request may begin a read: whoever asks for a part in the middle has begun. */
function isFirst({ request }: HttpExchange): boolean {
  const range = request.header("range");
  return request.method === "HEAD" || range === undefined ||
    /^\s*bytes\s*=\s*(0\s*)?-/i.test(range);
}

/** Begins the queries, and makes the file unless it is there already. */
function made(
  exchange: HttpExchange,
  options: ParquetOptions,
  known: DataAnswer | undefined,
): Promise<{ answer: DataAnswer; file: SpoolFile }> {
  // Points that were not committed cannot be asked for again.
  const isCommitted = known?.versions.every(({ minor }) => minor === 0n) ?? false;
  const again = isCommitted ? known : undefined;
  return exchange.gated(() =>
    withAnswer(exchange, "parquet", options, again, async ({ answer, queries }) => {
      const maxBytes = UNCOMPRESSED * options.spool.maxFileBytes;
      const write = (take: Take) => writeFile(exchange, { answer, queries }, take, maxBytes);
      return { answer, file: await fileOf(exchange, answer, options, write) };
    })
  );
}

/** Takes a piece of the file. */
type Take = (bytes: Uint8Array) => Promise<void>;

function fileOf(
  { grant, options: { signal } }: HttpExchange,
  answer: DataAnswer,
  { spool }: ParquetOptions,
  make: (take: Take) => Promise<void>,
): Promise<SpoolFile> {
  return spool.file(nameOf(answer), grant, make, signal);
}

/** A file that went between two looks at it. */
function missing(): Promise<void> {
  throw new HttpFailure(503, "the file has just been removed to make room");
}

async function writeFile(
  { metrics, options: { signal } }: HttpExchange,
  { answer, queries: { queries } }: BegunAnswer,
  take: Take,
  maxBytes: number,
): Promise<void> {
  const { labels, range, request } = answer;
  await yieldToEventLoop();
  const { writeParquet } = await import("../../../io/parquet_write.ts");
  await yieldToEventLoop();
  const tables = queries.map((query, s) => ({
    label: labels[s]!,
    columns: query.columns() as AsyncGenerator<RawColumns> | AsyncGenerator<StatColumns>,
  }));
  const columns = 1 + labels.length * (range.query.type === "raw" ? 1 : 4);
  const most = Math.max(LEAST_ROWS, Math.floor(GROUP_CELLS / columns));
  let rows = 0;
  await writeParquet(take, tables, {
    signal,
    rowGroupRows: Math.min(GROUP_ROWS, most),
    ...columnarTimes(request.time, request.tz),
    onProgress: (progress) => {
      metrics.pointsRead += (progress.rows - rows) * labels.length;
      rows = progress.rows;
      if (8 * rows * columns > maxBytes) {
        throw tooLarge(`the file has more than ${maxBytes} bytes before it is compressed`);
      }
    },
  });
}
