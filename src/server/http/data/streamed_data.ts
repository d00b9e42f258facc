/**
 * Answers that are sent while they are made: CSV, NDJSON, JSON and Arrow.
 *
 * @module
 */

import { type CsvRequest, openCsv } from "../../../csv/answer.ts";
import { TextRows } from "../../../csv/text_rows.ts";
import { columnarTimes } from "../../../csv/time_text.ts";
import type { RawColumns, StatColumns } from "../../../core/columns.ts";
import type { FairSending } from "../../transport/fair_sending.ts";
import { conditionStatus } from "../byte_range.ts";
import { giveWay, yieldToEventLoop } from "../../../core/pacer.ts";
import { loadArrow } from "../../btrdb/load_arrow.ts";
import { HttpFailure } from "../http_failure.ts";
import { ReplyWriter } from "../reply_writer.ts";
import type { HttpExchange } from "../routes.ts";
import type { DataAnswer, DataFormat } from "./data_answer.ts";
import { dataHeaders, etagOf } from "./data_headers.ts";
import type { DataQueries } from "./data_queries.ts";
import { type BegunAnswer, type StreamLimits, withAnswer } from "./data_source.ts";

/** Numbers of text are exact; human-readable times have all digits. */
const EXACT = { numbers: "shortest", timeDigits: 9 } as const;

/** Parts of an answer that is streamed. */
export interface StreamedOptions extends StreamLimits {
  readonly isKeyed: boolean;
  readonly pace: FairSending;
}

/** Answers with the rows of a query as they come. */
export async function streamData(
  exchange: HttpExchange,
  format: Exclude<DataFormat, "parquet">,
  options: StreamedOptions,
): Promise<void> {
  await exchange.gated(() =>
    withAnswer(exchange, format, options, undefined, (begun) => send(exchange, begun, options))
  );
}

async function send(
  exchange: HttpExchange,
  { answer, queries }: BegunAnswer,
  { isKeyed, pace }: StreamedOptions,
): Promise<void> {
  const { request, reply, metrics, options: { signal } } = exchange;
  const headers = dataHeaders(answer, isKeyed);
  const status = conditionStatus(request, etagOf(answer));
  if (status === 412) throw new HttpFailure(412, "the data are other ones by now");
  if (status === 304 || request.method === "HEAD") {
    reply.begin(status ?? 200, headers);
    return reply.end();
  }
  const writer = new ReplyWriter(exchange, { status: 200, headers }, pace);
  const count = (rows: number) => metrics.pointsRead += rows * answer.uuids.length;
  if (answer.format === "arrow") await sendArrow(answer, queries, writer, signal, count);
  else await sendText(answer, queries, writer, signal, count);
  writer.end();
}

/** Takes note of rows that were sent. */
type CountRows = (rows: number) => void;

async function sendArrow(
  { labels, request }: DataAnswer,
  { queries }: DataQueries,
  writer: ReplyWriter,
  signal: AbortSignal,
  count: CountRows,
): Promise<void> {
  await loadArrow();
  const { writeArrow } = await import("../../../io/arrow_stream.ts");
  await yieldToEventLoop();
  const tables = queries.map((query, s) => ({
    label: labels[s]!,
    columns: query.columns() as AsyncGenerator<RawColumns> | AsyncGenerator<StatColumns>,
  }));
  let rows = 0;
  await writeArrow((bytes) => writer.write(bytes.slice()), tables, {
    signal,
    ...columnarTimes(request.time, request.tz),
    onProgress: (progress) => {
      count(progress.rows - rows);
      rows = progress.rows;
    },
  });
}

async function sendText(
  { format, labels, range, request, uuids }: DataAnswer,
  { queries }: DataQueries,
  writer: ReplyWriter,
  signal: AbortSignal,
  count: CountRows,
): Promise<void> {
  const { query, start, end } = range;
  const streams = uuids.map((uuid, s) => ({ uuid, label: labels[s]!, version: BigInt(s) }));
  const csv: CsvRequest = { query, start, end, includeVersions: false, streams };
  await using answer = await openCsv(csv, (stream) => queries[streams.indexOf(stream)]!, signal);
  const isOwn = format === "csv" && request.time === undefined;
  const text = new TextRows({
    format: format as "csv" | "ndjson" | "json",
    kind: query.type === "raw" ? "raw" : "windows",
    labels,
    time: request.time ?? "rfc3339",
    tz: request.tz,
  });
  const head = isOwn ? answer.header() : text.head(answer.header());
  let rows = 0;
  let hasBegun = false;
  for await (const piece of answer.bytes(EXACT)) {
    if (!hasBegun) await writer.write(head);
    hasBegun = true;
    for (const part of isOwn ? [piece] : text.rows(piece)) {
      await writer.write(part);
      await giveWay();
    }
    count(answer.count - rows);
    rows = answer.count;
  }
  if (!hasBegun) await writer.write(head);
  if (!isOwn) await writer.write(text.tail());
}
