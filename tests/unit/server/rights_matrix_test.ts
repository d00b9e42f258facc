/** Every method of gRPC, asked by callers without the right for it (docs/security.md). */

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { uuidBytes } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as batches from "../../../src/gen/btrdb_deno_pb.ts";
import * as v4 from "../../../src/gen/btrdb_v4_pb.ts";
import * as v5 from "../../../src/gen/btrdb_v5_pb.ts";
import { SERVICES } from "../../../src/server/btrdb/service.ts";
import { type ApiKey, serve } from "../../../src/server/mod.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { HANG_MS } from "../../support/until.ts";
import { watched } from "../../support/watched_endpoint.ts";

const OURS = uuidBytes("00000000-0000-4000-8000-000000000001");
const THEIRS = uuidBytes("00000000-0000-4000-8000-000000000002");
const NOWHERE = uuidBytes("00000000-0000-4000-8000-000000000003");

const HEX_OF_OURS = new TextEncoder().encode("ours/a").toHex();
const HEX_OF_THEIRS = new TextEncoder().encode("theirs/a").toHex();

const ALL = ["read", "insert", "delete", "obliterate", "admin"] as const;
const KEYS: ApiKey[] = [
  { key: "ours", capabilities: ALL, collectionPrefixes: ["ours/"] },
  { key: "theirs", capabilities: ALL, collectionPrefixes: ["theirs/"] },
  ...ALL.map((capability) => ({ key: `no-${capability}`, capabilities: without(capability) })),
];

function without(capability: ApiKey["capabilities"][number]): ApiKey["capabilities"] {
  return ALL.filter((one) => one !== capability);
}

function bytes<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Uint8Array {
  return toBinary(schema, create(schema, init));
}

/** A request of a method that is about a stream, or about a collection and all below it. */
function requestOf(path: string, uuid: Uint8Array, collection: string): Uint8Array {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const isV4 = path.startsWith("/grpcinterface");
  switch (name) {
    case "GenerateCSV":
      return bytes(v5.GenerateCSVParamsSchema, {
        queryType: v5.GenerateCSVParams_QueryType.RAW_QUERY,
        startTime: 0n,
        endTime: 10n,
        streams: [{ uuid, label: "x" }],
      });
    case "InsertMany":
      return bytes(batches.InsertManyParamsSchema, {
        inserts: [bytes(v5.InsertParamsSchema, { uuid, values: [{ time: 1n, value: 1 }] })],
      });
    case "Create":
      // What is told of uuids there is in hostile_clients_test.ts.
      return bytes(v5.CreateParamsSchema, { uuid: NOWHERE, collection });
    case "LookupStreams":
      return bytes(v5.LookupStreamsParamsSchema, { collection, isCollectionPrefix: true });
    case "ListCollections":
      return isV4
        ? bytes(v4.ListCollectionsParamsSchema, { prefix: collection, limit: 10n })
        : bytes(v5.ListCollectionsParamsSchema, { prefix: collection });
    case "GetMetadataUsage":
      return bytes(v5.MetadataUsageParamsSchema, { prefix: collection });
    case "SQLQuery":
      return bytes(v5.SQLQueryParamsSchema, { query: "SELECT 1" });
    case "FaultInject":
      return bytes(v5.FaultInjectParamsSchema, {});
    case "RawValues":
    case "ArrowRawValues":
    case "Delete":
      return bytes(v5.RawValuesParamsSchema, { uuid, start: 0n, end: 10n });
    case "MultiRawValues":
    case "ArrowMultiValues":
    case "Subscribe":
      return bytes(v5.SubscribeParamsSchema, { uuid: [uuid] });
    default:
      // In all others the first field is the uuid, and the second and third are of several types.
      return bytes(v5.FlushParamsSchema, { uuid });
  }
}

Deno.test("serve: no method does anything for callers without the right, or tells them what there is", async () => {
  await using engine = await openEngine();
  for (const [uuid, collection] of [[OURS, "ours/a"], [THEIRS, "theirs/a"]] as const) {
    await engine.create({ uuid, collection, tags: new Map(), annotations: new Map() });
    const columns = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };
    await engine.insert({ uuid, columns });
  }
  const asked: string[] = [];
  await using server = await serve(watched(engine, asked), {
    port: 0,
    hostname: "127.0.0.1",
    apiKeys: KEYS,
  });
  using client = new RawClient(server.address);
  const ask = async (path: string, request: Uint8Array, key: string | undefined) => {
    asked.length = 0;
    const headers: Record<string, string> = key === undefined
      ? {}
      : { authorization: `Bearer ${key}` };
    const { code, details, messages } = await client.call(path, request, { headers });
    return { code, details, messages: messages.map((one) => one.toHex()), asked: [...asked] };
  };
  for (const [service, methods] of Object.entries(SERVICES)) {
    for (const [name, { needs }] of Object.entries(methods)) {
      if (needs === undefined) continue;
      const path = `/${service}/${name}`;
      const own = requestOf(path, OURS, "ours/");
      for (const [key, status] of [[undefined, 7], ["wrong", 16], [`no-${needs}`, 7]] as const) {
        const { code, asked } = await ask(path, own, key);
        assertEquals([path, key, code, asked], [path, key, status, []]);
      }
      // Others have asked for it meanwhile, so that it is remembered where it is.
      await client.call("/v5api.BTrDB/StreamInfo", requestOf("StreamInfo", THEIRS, ""), {
        headers: { authorization: "Bearer theirs" },
      });
      const there = await ask(path, requestOf(path, THEIRS, "theirs/"), "ours");
      const nowhere = await ask(path, requestOf(path, NOWHERE, "nowhere"), "ours");
      const plain = (text: string) => text.replaceAll(/theirs\/|nowhere/g, "…");
      const words = { ...there, details: plain(there.details) };
      assertEquals([path, words], [path, { ...nowhere, details: plain(nowhere.details) }]);
    }
  }
  // What they may see is looked for where it can be, not among all there is.
  const lists: [string, Uint8Array][] = [
    ["/v5api.BTrDB/LookupStreams", requestOf("LookupStreams", OURS, "o")],
    ["/v5api.BTrDB/ListCollections", requestOf("ListCollections", OURS, "")],
    ["/grpcinterface.BTrDB/ListCollections", requestOf("/grpcinterface/ListCollections", OURS, "")],
  ];
  for (const [path, request] of lists) {
    const { messages } = await ask(path, request, "ours");
    assert(messages.join().includes(HEX_OF_OURS), path);
    assert(!messages.join().includes(HEX_OF_THEIRS), path);
  }
  const page = (startWith: string) =>
    ask(
      "/grpcinterface.BTrDB/ListCollections",
      bytes(v4.ListCollectionsParamsSchema, { prefix: "", startWith, limit: 10n }),
      "ours",
    );
  for (const [startWith, isThere] of [["a", true], ["ours/a", true], ["ours/b", false]] as const) {
    const { messages } = await page(startWith);
    assertEquals([startWith, messages.join().includes(HEX_OF_OURS)], [startWith, isThere]);
  }
  assertEquals((await page("p")).asked, []);
  const { times } = (await Array.fromAsync(
    engine.rawValues({ uuid: THEIRS, start: 0n, end: 10n, version: 0n }),
  ))[0]!.columns;
  assert(times.length === 1, "nothing was stored, deleted or obliterated");
});

// A uuid of half a megabyte overflowed the stack of whatever looked it up: "internal error", and a
// report to `onError` as if the server were at fault. One of 15 bytes was subscribed to for ever.
Deno.test("serve: every method refuses a uuid of another length before it is looked up", async () => {
  await using engine = await openEngine();
  const asked: string[] = [];
  const reported: unknown[] = [];
  await using server = await serve(watched(engine, asked), {
    port: 0,
    hostname: "127.0.0.1",
    apiKeys: [...KEYS, { key: "all", capabilities: ALL }],
    onError: (error) => reported.push(error),
  });
  using client = new RawClient(server.address);
  const withoutUuid = ["LookupStreams", "ListCollections", "GetMetadataUsage", "SQLQuery"];
  for (const [service, methods] of Object.entries(SERVICES)) {
    for (const [name, { needs }] of Object.entries(methods)) {
      if (needs === undefined || name === "FaultInject" || withoutUuid.includes(name)) continue;
      const path = `/${service}/${name}`;
      for (const length of [0, 15, 17, 500_000]) {
        const uuid = new Uint8Array(length).fill(7);
        const request = name === "Create"
          ? bytes(v5.CreateParamsSchema, { uuid, collection: "ours/b" })
          : requestOf(path, uuid, "ours/");
        for (const key of ["ours", "all"]) {
          const headers = { authorization: `Bearer ${key}` };
          const deadlineMs = Date.now() + HANG_MS;
          const { details, messages } = await client.call(path, request, { headers, deadlineMs });
          const text = details + messages.map((one) => new TextDecoder().decode(one)).join("");
          // An insert of points keeps no more of a uuid than shows that it is too long.
          const known = name === "Insert" || name === "InsertMany" ? Math.min(length, 17) : length;
          const expected = `uuid has ${known} bytes, expected 16`;
          assert(text.includes(expected), `${path} ${length} ${key}: ${text}`);
        }
      }
    }
  }
  assertEquals([asked.filter((name) => name !== "create"), reported], [[], []]);
});
