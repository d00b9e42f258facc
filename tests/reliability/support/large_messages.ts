/** Large messages of all kinds, and calls on many streams, for `turns.ts`. */

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { CompressionType, tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { multiToIpc, rawToIpc } from "../../../src/arrow/write_ipc.ts";
import { concatBytes } from "../../../src/core/bytes.ts";
import { frameOf, GRPC_WEB_TYPE } from "../../../src/core/grpc_web.ts";
import { uuidBytes } from "../../../src/core/uuid.ts";
import { InsertManyParamsSchema } from "../../../src/gen/btrdb_deno_pb.ts";
import * as v5 from "../../../src/gen/btrdb_v5_pb.ts";
import { compressed, pointsMessages, streamOf } from "../../support/hostile_arrow.ts";
import {
  LONG,
  LONG_UUID,
  MANY_UUIDS,
  noise,
  START,
  STEP,
  timesOf,
  WIDE_UUIDS,
  WRITTEN_UUIDS,
} from "./turns_data.ts";

/** A request to a port of the server. */
export type Request =
  | { readonly kind: "grpc"; readonly path: string; readonly message: Uint8Array }
  | { readonly kind: "http"; readonly path: string; readonly init?: RequestInit };

/** A message, made anew for each time it is sent. */
export interface LargeMessage {
  readonly name: string;
  readonly make: (sending: number) => Request;
}

const END = START + BigInt(LONG) * STEP;
const RANGE = { start: START, end: END };
/** Points whose messages are just below 16 MiB: with a value each, and without. */
const POINTS = 830_000, BARE_POINTS = 1_048_576;
/** Inserts of an `InsertMany`, and points of each. */
const INSERTS = 4_096, INSERT_POINTS = 255;
/** Points of each of 4,096 batches of Arrow. */
const BATCH_POINTS = 230;

function v5Call<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  request: MessageInitShape<Desc>,
): Request {
  return { kind: "grpc", path: `/v5api.BTrDB/${name}`, message: encoded(schema, request) };
}

function encoded<Desc extends DescMessage>(schema: Desc, request: MessageInitShape<Desc>) {
  return toBinary(schema, create(schema, request));
}

/** The same over gRPC-Web. */
function overWeb({ path, message }: Request & { kind: "grpc" }): Request {
  const headers = { "content-type": GRPC_WEB_TYPE, "x-grpc-web": "1" };
  return { kind: "http", path, init: { method: "POST", headers, body: frameOf(message) } };
}

/** Points as a message has them; without values where there are none. */
function points(times: BigInt64Array, values?: Float64Array): Uint8Array<ArrayBuffer> {
  const size = values === undefined ? 11 : 20;
  const bytes = new Uint8Array(times.length * size);
  const view = new DataView(bytes.buffer);
  for (let i = 0, at = 0; i < times.length; i++, at += size) {
    bytes[at] = 0x1a;
    bytes[at + 1] = size - 2;
    bytes[at + 2] = 0x09;
    view.setBigInt64(at + 3, times[i]!, true);
    if (values === undefined) continue;
    bytes[at + 11] = 0x11;
    view.setFloat64(at + 12, values[i]!, true);
  }
  return bytes;
}

function insertMessage(uuid: string, ...rest: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concatBytes([Uint8Array.of(0x0a, 16), uuidBytes(uuid), ...rest]);
}

function insert(uuid: string, ...rest: Uint8Array[]): Request & { kind: "grpc" } {
  return { kind: "grpc", path: "/v5api.BTrDB/Insert", message: insertMessage(uuid, ...rest) };
}

/** `merge_policy` of an insert. */
const REPLACE = Uint8Array.of(0x20, 3);

function insertMany(inserts: readonly Uint8Array[]): Request {
  const message = encoded(InsertManyParamsSchema, { inserts: [...inserts] });
  return { kind: "grpc", path: "/btrdbdeno.Batches/InsertMany", message };
}

function arrowInsert(uuid: string, arrowBytes: Uint8Array): Request {
  return v5Call("ArrowInsert", v5.ArrowInsertParamsSchema, { uuid: uuidBytes(uuid), arrowBytes });
}

const sameTime = (n: number) => new BigInt64Array(n).fill(START);
const columns = (n: number) => ({ times: timesOf(n), values: noise(n) });

/** Times in no order. */
function shuffled(n: number): BigInt64Array {
  return BigInt64Array.from({ length: n }, (_, i) => START + BigInt((i * 7_919) % n) * STEP);
}

/** An Arrow stream of several columns, of which `value` is one. */
function wideArrow(width: number, rows: number): Uint8Array {
  const others = Array.from({ length: width - 2 }, (_, i) => [`c${i}`, noise(rows)]);
  const table = { time: timesOf(rows), value: noise(rows), ...Object.fromEntries(others) };
  return tableToIPC(tableFromArrays(table), { format: "stream" })!;
}

function manyBatches(): Uint8Array {
  const { schema, batch } = pointsMessages(columns(BATCH_POINTS));
  return streamOf(schema, ...Array.from({ length: INSERTS }, () => batch));
}

/** Groups of unknown fields inside each other. */
function deepGroups(depth: number): Uint8Array {
  return new Uint8Array(2 * depth).fill(0xfb, 0, 0).map((_, i) => i < depth ? 0x7b : 0x7c);
}

function keyValues(n: number, prefix: string) {
  const value = { value: "a value of some length" };
  return Array.from({ length: n }, (_, i) => ({ key: `${prefix}${i}`, val: value }));
}

const LONG_BYTES = uuidBytes(LONG_UUID);
const MANY_BYTES = MANY_UUIDS.map((uuid) => uuidBytes(uuid));
const WIDE_BYTES = WIDE_UUIDS.map((uuid) => uuidBytes(uuid));

function csv(
  uuids: readonly Uint8Array[],
  queryType: v5.GenerateCSVParams_QueryType,
  depth = 0,
): Request {
  return v5Call("GenerateCSV", v5.GenerateCSVParamsSchema, {
    queryType,
    startTime: START,
    endTime: END,
    windowSize: 10_000n * STEP,
    depth,
    streams: uuids.map((uuid, i) => ({ version: 0n, label: `label ${i}`, uuid })),
  });
}

function multiRaw(uuid: Uint8Array[], periodNs = 0n): Request {
  return v5Call("MultiRawValues", v5.MultiRawValuesParamsSchema, { uuid, ...RANGE, periodNs });
}

function arrowMulti(
  uuid: Uint8Array[],
  { snapPeriodNs = 0n, templateBytes }: { snapPeriodNs?: bigint; templateBytes?: Uint8Array } = {},
): Request {
  const request = { uuid, versionMajor: uuid.map(() => 0n), ...RANGE, snapPeriodNs };
  const template = templateBytes === undefined ? {} : { templateBytes };
  return v5Call("ArrowMultiValues", v5.ArrowMultiValuesParamsSchema, { ...request, ...template });
}

/** A template that names the columns of all streams. */
function template(n: number): Uint8Array {
  const values = new Float64Array(0);
  const streams = Array.from({ length: n }, (_, i) => ({ name: `named ${i}`, values }));
  return multiToIpc(new BigInt64Array(0), streams);
}

const raw = () => v5Call("RawValues", v5.RawValuesParamsSchema, { uuid: LONG_BYTES, ...RANGE });
const windows = { uuid: LONG_BYTES, ...RANGE, width: STEP, depth: 0 };
const aligned = { uuid: LONG_BYTES, ...RANGE, pointWidth: 20 };

function lookup(collection: string): Request & { kind: "grpc" } {
  const request = { collection, isCollectionPrefix: true };
  return v5Call("LookupStreams", v5.LookupStreamsParamsSchema, request) as Request & {
    kind: "grpc";
  };
}

function lines(series: number, sending: number, each = 1, fields = 1): Request {
  const values = Array.from({ length: fields }, (_, f) => `f${f}=${f}.25`).join(",");
  const text = Array.from(
    { length: series * each },
    (_, i) => `body${sending},host=h${i % series} ${values} ${START + BigInt(i) * STEP}\n`,
  ).join("");
  return {
    kind: "http",
    path: "/write?db=turns&precision=ns",
    init: { method: "POST", body: text },
  };
}

function data(format: string, streams: readonly string[], rest = ""): Request {
  const query = streams.map((stream) => `stream=${encodeURIComponent(stream)}`).join("&");
  return { kind: "http", path: `/api/v1/data.${format}?${query}&start=${START}&end=${END}${rest}` };
}

/** A stream that is written to. */
const fresh = (sending: number, i = 0) => WRITTEN_UUIDS.at(-1 - 10 * i - sending)!;

/** All messages. */
export const LARGE_MESSAGES: readonly LargeMessage[] = [
  {
    name: "Insert of 830,000 points",
    make: (s) => insert(fresh(s), points(timesOf(POINTS), noise(POINTS))),
  },
  {
    name: "Insert of 830,000 points, replacing",
    make: (s) => insert(fresh(s), points(timesOf(POINTS), noise(POINTS)), REPLACE),
  },
  {
    name: "Insert of a million points",
    make: (s) => insert(fresh(s, 1), points(timesOf(BARE_POINTS))),
  },
  {
    name: "Insert of 830,000 points in no order",
    make: (s) => insert(fresh(s, 2), points(shuffled(POINTS), noise(POINTS))),
  },
  {
    name: "Insert of 262,144 points at one nanosecond",
    make: (s) => insert(fresh(s, 3), points(sameTime(262_144), noise(262_144))),
  },
  {
    name: "Insert of 830,000 points over gRPC-Web",
    make: (s) => overWeb(insert(fresh(s, 4), points(timesOf(POINTS), noise(POINTS)))),
  },
  {
    name: "Insert with 7 million unknown fields",
    make: (s) => insert(fresh(s), points(timesOf(10)), new Uint8Array(14_000_000).fill(0x30)),
  },
  { name: "Insert with groups 90 deep", make: (s) => insert(fresh(s), deepGroups(90)) },
  {
    name: "Insert with groups 7 million deep",
    make: (s) => insert(fresh(s), deepGroups(7_000_000)),
  },
  {
    name: "Insert of a million points without anything",
    make: (s) =>
      insert(fresh(s, 5), new Uint8Array(2 * BARE_POINTS).map((_, i) => i % 2 ? 0 : 0x1a)),
  },
  {
    name: "InsertMany of 4,096 × 255 points",
    make: () => {
      const bytes = points(timesOf(INSERT_POINTS));
      return insertMany(WRITTEN_UUIDS.slice(0, INSERTS).map((uuid) => insertMessage(uuid, bytes)));
    },
  },
  {
    name: "InsertMany of 4,096 × 255 points of one stream",
    make: (s) => {
      const times = timesOf(INSERTS * INSERT_POINTS);
      return insertMany(Array.from({ length: INSERTS }, (_, i) => {
        const part = times.subarray(i * INSERT_POINTS, (i + 1) * INSERT_POINTS);
        return insertMessage(fresh(s, 6), points(part));
      }));
    },
  },
  {
    name: "InsertMany of 4,096 × 255 points at one nanosecond",
    make: () => {
      const bytes = points(sameTime(INSERT_POINTS));
      return insertMany(WRITTEN_UUIDS.slice(0, INSERTS).map((uuid) => insertMessage(uuid, bytes)));
    },
  },
  {
    name: "InsertMany of 99,000 empty inserts",
    make: () => insertMany(Array.from({ length: 99_000 }, () => new Uint8Array(0))),
  },
  {
    name: "InsertMany of 4,096 unknown streams",
    make: () =>
      insertMany(Array.from({ length: INSERTS }, () => {
        return insertMessage(crypto.randomUUID(), points(timesOf(INSERT_POINTS)));
      })),
  },
  {
    name: "ArrowInsert of a million points",
    make: (s) => arrowInsert(fresh(s, 7), rawToIpc(columns(1_000_000))),
  },
  {
    name: "ArrowInsert of a million points, compressed",
    make: (s) => arrowInsert(fresh(s, 8), compressed(columns(1_000_000), CompressionType.ZSTD)),
  },
  {
    name: "ArrowInsert of 64 columns",
    make: (s) => arrowInsert(fresh(s, 9), wideArrow(64, 32_000)),
  },
  {
    name: "ArrowInsert of 8 columns",
    make: (s) => arrowInsert(fresh(s, 10), wideArrow(8, 250_000)),
  },
  {
    name: "ArrowInsert of 1,000 columns",
    make: (s) => arrowInsert(fresh(s), wideArrow(1_000, 100)),
  },
  { name: "ArrowInsert of 4,096 batches", make: (s) => arrowInsert(fresh(s, 11), manyBatches()) },
  ...[2_000, 20_000].map((n): LargeMessage => ({
    name: `Create with ${n} tags`,
    make: (s) =>
      v5Call("Create", v5.CreateParamsSchema, {
        uuid: uuidBytes(crypto.randomUUID()),
        collection: `created${n}/${s}`,
        tags: keyValues(n, `tag${s}`),
      }),
  })),
  {
    name: "Create with 2,000 annotations",
    make: (s) =>
      v5Call("Create", v5.CreateParamsSchema, {
        uuid: uuidBytes(crypto.randomUUID()),
        collection: `annotated/${s}`,
        annotations: keyValues(2_000, `annotation${s}`),
      }),
  },
  {
    name: "SetStreamAnnotations of 2,000",
    make: (s) =>
      v5Call("SetStreamAnnotations", v5.SetStreamAnnotationsParamsSchema, {
        uuid: uuidBytes(fresh(s)),
        expectedPropertyVersion: 1n,
        changes: keyValues(2_000, "annotation"),
      }),
  },
  {
    name: "SetStreamAnnotations without 2,000",
    make: (s) =>
      v5Call("SetStreamAnnotations", v5.SetStreamAnnotationsParamsSchema, {
        uuid: uuidBytes(fresh(s)),
        expectedPropertyVersion: 2n,
        removals: keyValues(2_000, "annotation").map(({ key }) => key),
      }),
  },
  {
    name: "SetStreamTags of 2,000",
    make: (s) =>
      v5Call("SetStreamTags", v5.SetStreamTagsParamsSchema, {
        uuid: uuidBytes(fresh(s)),
        expectedPropertyVersion: 3n,
        collection: "written",
        tags: keyValues(2_000, "tag"),
      }),
  },
  { name: "RawValues of a million points", make: raw },
  { name: "RawValues over gRPC-Web", make: () => overWeb(raw() as Request & { kind: "grpc" }) },
  { name: "Windows, a million", make: () => v5Call("Windows", v5.WindowsParamsSchema, windows) },
  {
    name: "AlignedWindows, a million",
    make: () => v5Call("AlignedWindows", v5.AlignedWindowsParamsSchema, aligned),
  },
  {
    name: "ArrowRawValues of a million points",
    make: () =>
      v5Call("ArrowRawValues", v5.ArrowRawValuesParamsSchema, { uuid: LONG_BYTES, ...RANGE }),
  },
  {
    name: "ArrowWindows, a million",
    make: () => v5Call("ArrowWindows", v5.WindowsParamsSchema, windows),
  },
  {
    name: "ArrowAlignedWindows, a million",
    make: () => v5Call("ArrowAlignedWindows", v5.AlignedWindowsParamsSchema, aligned),
  },
  { name: "MultiRawValues of 10 streams", make: () => multiRaw(WIDE_BYTES) },
  { name: "MultiRawValues of 10,000 streams", make: () => multiRaw(MANY_BYTES) },
  { name: "MultiRawValues of 10,000 streams, on a grid", make: () => multiRaw(MANY_BYTES, STEP) },
  { name: "ArrowMultiValues of 10 streams", make: () => arrowMulti(WIDE_BYTES) },
  { name: "ArrowMultiValues of 10,000 streams", make: () => arrowMulti(MANY_BYTES) },
  {
    name: "ArrowMultiValues of 10,000 streams, on a grid",
    make: () => arrowMulti(MANY_BYTES, { snapPeriodNs: STEP }),
  },
  {
    name: "ArrowMultiValues of 2,000 streams with a template",
    make: () => arrowMulti(MANY_BYTES.slice(0, 2_000), { templateBytes: template(2_000) }),
  },
  {
    name: "GenerateCSV of points of 10 streams",
    make: () => csv(WIDE_BYTES, v5.GenerateCSVParams_QueryType.RAW_QUERY),
  },
  {
    name: "GenerateCSV of points of 10,000 streams",
    make: () => csv(MANY_BYTES, v5.GenerateCSVParams_QueryType.RAW_QUERY),
  },
  {
    name: "GenerateCSV of windows of 10,000 streams",
    make: () => csv(MANY_BYTES, v5.GenerateCSVParams_QueryType.WINDOWS_QUERY),
  },
  {
    name: "GenerateCSV of aligned windows of 10,000 streams",
    make: () => csv(MANY_BYTES, v5.GenerateCSVParams_QueryType.ALIGNED_WINDOWS_QUERY, 33),
  },
  {
    name: "Changes of a million points",
    make: () =>
      v5Call("Changes", v5.ChangesParamsSchema, {
        uuid: LONG_BYTES,
        fromMajor: 1n,
        toMajor: 100n,
        resolution: 0,
      }),
  },
  { name: "LookupStreams, 10,000", make: () => lookup("many/") },
  { name: "LookupStreams, 1,000 with 35 tags", make: () => lookup("tagged") },
  { name: "LookupStreams, 10,000, over gRPC-Web", make: () => overWeb(lookup("many/")) },
  {
    name: "LookupStreams by 1,000 tags",
    make: () =>
      v5Call("LookupStreams", v5.LookupStreamsParamsSchema, {
        collection: "",
        isCollectionPrefix: true,
        tags: keyValues(1_000, "tag"),
      }),
  },
  {
    name: "GetMetadataUsage",
    make: () => v5Call("GetMetadataUsage", v5.MetadataUsageParamsSchema, { prefix: "" }),
  },
  {
    name: "SQLQuery of a million rows",
    make: () =>
      v5Call("SQLQuery", v5.SQLQueryParamsSchema, {
        query: "SELECT a.uuid, b.collection FROM streams a, streams b LIMIT 1000000",
      }),
  },
  { name: "line protocol, 15,000 series", make: (s) => lines(15_000, s) },
  { name: "line protocol, 15,000 known series", make: () => lines(15_000, 0) },
  { name: "line protocol, 10 series, 200,000 lines", make: (s) => lines(10, 10 + s, 20_000) },
  { name: "line protocol, 4,096 fields of a series", make: (s) => lines(1, 20 + s, 1, 4_096) },
  { name: "line protocol, 100 lines of 2,000 fields", make: (s) => lines(1, 30 + s, 100, 2_000) },
  ...["csv", "ndjson", "json", "arrow", "parquet"].flatMap((format): LargeMessage[] => [
    { name: `${format} by URL, a million points`, make: (s) => data(format, [LONG_UUID], late(s)) },
    { name: `${format} by URL, 10 streams`, make: (s) => data(format, WIDE_UUIDS, late(s)) },
    {
      name: `${format} by URL, windows of 10 streams`,
      make: (s) => data(format, WIDE_UUIDS, `&width=1ms${late(s)}`),
    },
    { name: `${format} by URL, 1,000 streams`, make: (s) => data(format, ["many/c0/*"], late(s)) },
  ]),
  {
    name: "streams by URL, 10,000",
    make: () => ({ kind: "http", path: "/api/v1/streams?prefix=many/" }),
  },
];

/** The same answer under another name, so that none is remembered. */
function late(sending: number): string {
  return sending === 0 ? "" : "&label=uuid";
}
