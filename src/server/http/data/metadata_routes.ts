/**
 * Lists of streams and collections by URL, and what is known of one stream.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../../core/errors.ts";
import { LAST_TIME, MIN_TIME } from "../../../core/range.ts";
import { formatTime } from "../../../core/time.ts";
import { uuidText } from "../../../core/uuid.ts";
import { giveWay } from "../../../core/pacer.ts";
import type { Metadata, StreamDescriptor } from "../../../endpoint/endpoint.ts";
import type { FairSending } from "../../transport/fair_sending.ts";
import { ReplyWriter } from "../reply_writer.ts";
import type { HttpExchange, HttpRoute } from "../routes.ts";
import { visibleCollections, visibleStreams } from "../../visible.ts";
import { findStream, foundOf, type FoundStream, pathOf } from "./data_streams.ts";
import { badParameter, Parameters } from "./parameters.ts";
import { sendJson } from "./send_json.ts";

/** Path below which single streams are. */
const STREAMS = "/api/v1/streams/";

/** The routes of lists and streams. */
export function metadataRoutes({ pace }: { readonly pace: FairSending }): HttpRoute[] {
  const route = (path: string, name: string, run: HttpRoute["run"]): HttpRoute => ({
    path,
    methods: ["GET", "HEAD"],
    service: "data",
    name,
    run: (exchange) => exchange.gated(() => run(exchange)),
  });
  return [
    route("/api/v1/collections", "collections", (exchange) => listCollections(exchange, pace)),
    route("/api/v1/streams", "streams", (exchange) => listStreams(exchange, pace)),
    route(`${STREAMS}*`, "stream", showStream),
  ];
}

async function listCollections(exchange: HttpExchange, pace: FairSending): Promise<void> {
  const { request, access } = exchange;
  const parameters = new Parameters(request.url, { single: ["prefix"] });
  const prefix = parameters.get("prefix") ?? "";
  access.anywhere("read", prefix);
  await sendList(exchange, visibleCollections({ prefix }, exchange), (name) => name, pace);
}

async function listStreams(exchange: HttpExchange, pace: FairSending): Promise<void> {
  const { request, access } = exchange;
  const parameters = new Parameters(request.url, {
    single: ["prefix", "collection"],
    prefixes: ["tag.", "annotation."],
  });
  const collection = parameters.get("collection");
  const prefix = parameters.get("prefix");
  if (collection !== undefined && prefix !== undefined) {
    throw badParameter('parameters "collection" and "prefix" are both given, expected one of them');
  }
  access.anywhere("read", collection ?? prefix ?? "");
  const conditions = {
    collection: collection ?? prefix ?? "",
    isCollectionPrefix: collection === undefined,
    tags: parameters.below("tag."),
    annotations: parameters.below("annotation."),
  };
  const summary = (descriptor: StreamDescriptor) => summaryOf(foundOf(descriptor));
  await sendList(exchange, visibleStreams(conditions, exchange), summary, pace);
}

async function showStream(exchange: HttpExchange): Promise<void> {
  const { request, path, endpoint, access, options } = exchange;
  new Parameters(request.url, { single: [] });
  // Before anything is looked up: who may not read at all learns of no name.
  access.anywhere("read", "");
  const stream = await findStream(exchange, nameIn(path));
  const { uuid } = stream;
  await access.stream("read", uuid);
  const question = { uuid, omitVersion: false, omitDescriptor: true };
  const { version } = await endpoint.streamInfo(question, options);
  sendJson(exchange, {
    ...summaryOf(stream),
    version: Number(version?.major ?? 0n),
    unflushed: Number(version?.minor ?? 0n),
    first: await pointAt(exchange, uuid, MIN_TIME, false),
    last: await pointAt(exchange, uuid, LAST_TIME, true),
  });
}

/** The uuid or `collection/name` in a path. */
function nameIn(path: string): string {
  try {
    return decodeURIComponent(path.slice(STREAMS.length));
  } catch {
    throw badParameter("the path is not percent-encoded UTF-8");
  }
}

async function pointAt(
  { endpoint, options }: HttpExchange,
  uuid: Uint8Array,
  time: bigint,
  backward: boolean,
): Promise<{ time: string; value: number } | null> {
  try {
    const { point } = await endpoint.nearest({ uuid, time, backward, version: 0n }, options);
    return { time: formatTime(point.time), value: point.value };
  } catch (error) {
    if (error instanceof BTrDBError && error.code === ErrorCode.NoSuchPoint) return null;
    throw error;
  }
}

/** The summary of a stream that lists give. */
function summaryOf(stream: FoundStream): Record<string, unknown> {
  const { tags, annotations, propertyVersion } = stream.descriptor;
  return {
    uuid: uuidText(stream.uuid),
    path: pathOf(stream),
    collection: stream.collection,
    name: stream.name ?? null,
    unit: tags.get("unit") ?? null,
    tags: objectOf(tags),
    annotations: objectOf(annotations),
    propertyVersion: Number(propertyVersion),
  };
}

/** Metadata as JSON; a key may be called as it likes. */
function objectOf(metadata: Metadata): Record<string, string | null> {
  return Object.fromEntries([...metadata].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Items that are put into words in one step. */
const STEP_ITEMS = 128;

/**
 * Answers with an array, an item a line.
 *
 * @param summary Makes what is told of an item.
 */
async function sendList<T>(
  exchange: HttpExchange,
  batches: AsyncIterable<readonly T[]>,
  summary: (item: T) => unknown,
  pace: FairSending,
): Promise<void> {
  const headers = {
    "content-type": "application/json",
    "cache-control": "no-cache",
    vary: "authorization, origin",
  };
  const { request, reply } = exchange;
  if (request.method === "HEAD") {
    reply.begin(200, headers);
    return reply.end();
  }
  const writer = new ReplyWriter(exchange, { status: 200, headers }, pace);
  const encoder = new TextEncoder();
  let before = "[\n";
  for await (const batch of batches) {
    for (let at = 0; at < batch.length; at += STEP_ITEMS) {
      await giveWay();
      const items = batch.slice(at, at + STEP_ITEMS).map(summary);
      const text = items.map((item) => JSON.stringify(item)).join(",\n");
      await writer.write(encoder.encode(before + text));
      before = ",\n";
    }
  }
  await writer.write(encoder.encode(before === ",\n" ? "\n]\n" : "[]\n"));
  writer.end();
}
