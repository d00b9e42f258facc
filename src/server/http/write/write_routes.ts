/**
 * InfluxDB's write API: line protocol from collectors and clients that know InfluxDB 1, 2 or 3.
 *
 * @module
 */

import type { Endpoint } from "../../../endpoint/endpoint.ts";
import { giveWay } from "../../../core/pacer.ts";
import { currentTime } from "../../../core/time.ts";
import { joinBatches, type LineBatch, LineParser } from "../../../kernel/line_parser.ts";
import type { IncomingBytes } from "../../transport/incoming_bytes.ts";
import { queryOf } from "../data/parameters.ts";
import { HttpFailure } from "../http_failure.ts";
import type { HttpExchange, HttpRoute } from "../routes.ts";
import type { CollectionTemplate } from "../../../core/collection_template.ts";
import { LineStore } from "./line_store.ts";
import { LineStreams } from "./line_streams.ts";
import { requestBody } from "./request_body.ts";
import { INFLUX_HEADERS, replyToFailure, replyToWrite, sendJson } from "./write_replies.ts";
import { checkNames, type WriteApi, writeTarget } from "./write_target.ts";

/** Times by which a body may grow when it is unpacked, relative to the largest one. */
const UNPACKED = 4;

/** Points above which what has come of a body is stored before the rest. */
const STORED_AT_ONCE = 200_000;

/** Batches after which that is done, however few points they have. */
const MAX_BATCHES = 256;

/** Largest body of a query, bytes. */
const QUERY_BYTES = 65_536;

/** Parts of the write API. */
export interface WriteRoutesOptions {
  readonly endpoint: Endpoint;
  readonly template: CollectionTemplate;
  /** Most streams that the holder of a key may make. */
  readonly maxStreams: number;
  /** Largest body, bytes. */
  readonly maxBytes: number;
  /** Counts what arrives. */
  readonly incoming: IncomingBytes;
}

/** The routes of the write API. */
export function writeRoutes(options: WriteRoutesOptions): HttpRoute[] {
  const streams = new LineStreams(options.endpoint, options.maxStreams);
  const route = (
    path: string,
    methods: readonly string[],
    api: WriteApi,
    name: string,
    run: HttpRoute["run"],
  ): HttpRoute => ({
    path,
    methods,
    service: "influx",
    name,
    run,
    fail: (reply, failure) => replyToFailure(reply, api, failure),
  });
  const write = (api: WriteApi) => (exchange: HttpExchange) =>
    answerWrite(api, exchange, streams, options);
  const open = { authenticated: false };
  return [
    route("/write", ["POST"], "v1", "Write", write("v1")),
    route("/api/v2/write", ["POST"], "v2", "Write", write("v2")),
    route("/api/v3/write_lp", ["POST"], "v3", "Write", write("v3")),
    route("/query", ["GET", "POST"], "v1", "Query", (exchange) => answerQuery(exchange, options)),
    { ...route("/ping", ["GET", "HEAD", "POST"], "v1", "Ping", answerPing), ...open },
    { ...route("/health", ["GET", "HEAD"], "v2", "Health", answerHealth), ...open },
  ];
}

/** Stores the lines of a body while it comes. */
async function answerWrite(
  api: WriteApi,
  exchange: HttpExchange,
  streams: LineStreams,
  { template, maxBytes, incoming }: WriteRoutesOptions,
): Promise<void> {
  const { request, reply, access, gated, options, metrics } = exchange;
  access.capability("insert");
  const target = writeTarget(api, queryOf(request.url));
  const meter = incoming.meter(request.peer, exchange.path, request.authorization);
  const limits = {
    maxBytes,
    maxUncompressedBytes: UNPACKED * maxBytes,
    count: (bytes: number) => meter.add(bytes),
  };
  const store = new LineStore({ template, streams, exchange, destination: target });
  const now = currentTime();
  const unit = target.unit === 0n ? 1n : target.unit;
  const parser = new LineParser({ unit: target.unit, now: now - now % unit });
  // A body is stored as a whole where it is not too long: points of requests side by side then
  // come to their streams in order.
  let batches: LineBatch[] = [];
  let points = 0;
  const storeThem = async (): Promise<void> => {
    const batch = joinBatches(batches);
    batches = [];
    points = 0;
    await giveWay();
    await gated(() => store.store(batch));
  };
  const take = async (batch: LineBatch): Promise<void> => {
    batches.push(batch);
    points += batch.groups.length;
    if (points > STORED_AT_ONCE || batches.length >= MAX_BATCHES) await storeThem();
  };
  try {
    for await (const piece of requestBody(request, limits, options.signal)) {
      for (const batch of parser.push(piece)) {
        await take(batch);
        await giveWay();
      }
      await giveWay();
    }
    for (const batch of parser.finish()) {
      await take(batch);
      await giveWay();
    }
    if (batches.length > 0) await storeThem();
  } catch (error) {
    throw afterStoring(error, store.outcome.points);
  } finally {
    meter.close();
    metrics.stringsOmitted += store.outcome.strings;
  }
  replyToWrite(reply, api, store.outcome);
}

/** An error that says how much was stored before it. */
function afterStoring(error: unknown, points: number): unknown {
  if (points === 0 || !(error instanceof HttpFailure)) return error;
  const { status, message, code } = error;
  return new HttpFailure(status, `partial write: ${message}; ${points} points are stored`, code);
}

/** Answers `CREATE DATABASE`, which clients send before they write; there is nothing to create. */
async function answerQuery(exchange: HttpExchange, options: WriteRoutesOptions): Promise<void> {
  const { request, reply, access } = exchange;
  access.capability("insert");
  const all = queryOf(request.url);
  const meter = options.incoming.meter(request.peer, exchange.path, request.authorization);
  const limits = {
    maxBytes: QUERY_BYTES,
    maxUncompressedBytes: QUERY_BYTES,
    count: (bytes: number) => meter.add(bytes),
  };
  const decoder = new TextDecoder();
  let body = "";
  try {
    for await (const piece of requestBody(request, limits, exchange.options.signal)) {
      body += decoder.decode(piece, { stream: true });
    }
  } finally {
    meter.close();
  }
  const isForm = (request.header("content-type") ?? "").startsWith(
    "application/x-www-form-urlencoded",
  );
  if (isForm) { for (const [name, value] of new URLSearchParams(body)) all.append(name, value); }
  checkNames(all, ["q", "db", "u", "epoch", "pretty", "chunked", "params", "rp"]);
  const statements = (all.get("q") ?? "").split(";").filter((text) => text.trim() !== "");
  if (statements.length === 0) throw new HttpFailure(400, 'missing required parameter "q"');
  const strange = statements.find((text) => !CREATE_DATABASE.test(text));
  if (strange !== undefined) {
    throw new HttpFailure(
      400,
      `error parsing query: ${JSON.stringify(strange.trim().slice(0, 100))} cannot be answered; ` +
        "expected CREATE DATABASE, and queries in BTrDB's own API",
    );
  }
  sendJson(reply, 200, { results: statements.map((_, i) => ({ statement_id: i })) });
}

const CREATE_DATABASE =
  /^\s*CREATE\s+DATABASE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:"(?:[^"\\]|\\.)+"|[\w.-]+)(?:\s+WITH\s.*)?\s*$/is;

/** Answers that the server is there. */
function answerPing({ request, reply }: HttpExchange): Promise<void> {
  request.resume();
  reply.begin(204, INFLUX_HEADERS);
  reply.end();
  return Promise.resolve();
}

/** Answers that the server is well, as InfluxDB 2 does. */
function answerHealth({ reply }: HttpExchange): Promise<void> {
  const body = { name: "influxdb", message: "ready for writes", status: "pass", checks: [] };
  sendJson(reply, 200, { ...body, version: INFLUX_HEADERS["x-influxdb-version"] });
  return Promise.resolve();
}
