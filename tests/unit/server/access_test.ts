/** Keys and collections, as callers over gRPC see them. */

import { assertEquals } from "@std/assert";
import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { uuidBytes } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { V4_MAX_INSERT_POINTS } from "../../../src/endpoint/checks.ts";
import { encodeInsert } from "../../../src/kernel/wire.ts";
import { type ApiKey, serve } from "../../../src/server/mod.ts";
import { type Outcome, RawClient } from "../../support/grpc_client.ts";

const OURS = uuidBytes("00000000-0000-4000-8000-000000000001");
const THEIRS = uuidBytes("00000000-0000-4000-8000-000000000002");
const NOBODYS = uuidBytes("00000000-0000-4000-8000-000000000003");

const apiKeys: ApiKey[] = [
  { key: "root", capabilities: ["read", "insert", "delete", "obliterate", "admin"] },
  { key: "reader", capabilities: ["read"] },
  { key: "ours", capabilities: ["read", "insert"], collectionPrefixes: ["ours/"] },
  { key: "writer", capabilities: ["insert"], collectionPrefixes: ["ours/"] },
];

/** Calls a method of v5 with a key. */
type Caller = <Desc extends DescMessage>(
  key: string | undefined,
  rpc: string,
  schema: Desc,
  fields?: Parameters<typeof create<Desc>>[1],
) => Promise<Outcome>;

async function withServer(test: (call: Caller, client: RawClient) => Promise<void>): Promise<void> {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0, hostname: "127.0.0.1", apiKeys });
  using client = new RawClient(server.address);
  const call: Caller = (key, rpc, schema, fields) => {
    const headers: Record<string, string> = key === undefined
      ? {}
      : { authorization: `Bearer ${key}` };
    return client.call(`/v5api.BTrDB/${rpc}`, toBinary(schema, create(schema, fields)), {
      headers,
    });
  };
  for (const [uuid, collection] of [[OURS, "ours/a"], [THEIRS, "theirs/b"]] as const) {
    await call("root", "Create", pb.CreateParamsSchema, { uuid, collection });
  }
  await test(call, client);
}

function codeOf({ messages }: Outcome): number {
  return fromBinary(pb.FlushResponseSchema, messages[0]!).stat?.code ?? 0;
}

Deno.test("serve answers UNAUTHENTICATED to a wrong key, for Info too", () =>
  withServer(async (call) => {
    const outcome = await call("guess", "Info", pb.InfoParamsSchema);
    assertEquals([outcome.code, outcome.details], [16, "invalid api key"]);
  }));

Deno.test("serve tells everybody what it is, but nobody without a key what is in it", () =>
  withServer(async (call) => {
    assertEquals((await call(undefined, "Info", pb.InfoParamsSchema)).code, 0);
    const outcome = await call(undefined, "StreamInfo", pb.StreamInfoParamsSchema, { uuid: OURS });
    assertEquals(outcome.code, 7);
    assertEquals(outcome.details, "user does not have permission on this stream");
    const none = { uuid: NOBODYS };
    const nobodys = await call(undefined, "StreamInfo", pb.StreamInfoParamsSchema, none);
    assertEquals([nobodys.code, nobodys.details], [outcome.code, outcome.details]);
    const list = await call(undefined, "ListCollections", pb.ListCollectionsParamsSchema);
    assertEquals(list.code, 7);
  }));

Deno.test("serve demands the capability that each call needs", () =>
  withServer(async (call) => {
    const range = { uuid: OURS, start: 0n, end: 10n };
    const denied = async (rpc: string, schema: DescMessage, fields: Record<string, unknown>) => {
      const { code, details } = await call("reader", rpc, schema, fields);
      assertEquals([rpc, code], [rpc, 7]);
      return details;
    };
    assertEquals((await call("reader", "RawValues", pb.RawValuesParamsSchema, range)).code, 0);
    assertEquals(
      await denied("Delete", pb.DeleteParamsSchema, range),
      'user does not have permission "delete" on ""',
    );
    await denied("Insert", pb.InsertParamsSchema, { uuid: OURS });
    await denied("ArrowInsert", pb.ArrowInsertParamsSchema, { uuid: OURS });
    await denied("Flush", pb.FlushParamsSchema, { uuid: OURS });
    await denied("Obliterate", pb.ObliterateParamsSchema, { uuid: OURS });
    await denied("SetStreamAnnotations", pb.SetStreamAnnotationsParamsSchema, { uuid: OURS });
    await denied("SetStreamTags", pb.SetStreamTagsParamsSchema, { uuid: OURS });
    await denied("SetCompactionConfig", pb.SetCompactionConfigParamsSchema, { uuid: OURS });
    await denied("Create", pb.CreateParamsSchema, { uuid: NOBODYS, collection: "ours/c" });
  }));

Deno.test("serve hides other collections from a key with prefixes, whether they exist or not", () =>
  withServer(async (call) => {
    const info = (uuid: Uint8Array) =>
      call("ours", "StreamInfo", pb.StreamInfoParamsSchema, { uuid });
    assertEquals((await info(OURS)).code, 0);
    const theirs = await info(THEIRS);
    const nobodys = await info(NOBODYS);
    assertEquals([theirs.code, theirs.details], [
      7,
      "user does not have permission on this stream",
    ]);
    assertEquals([nobodys.code, nobodys.details], [theirs.code, theirs.details]);
    const create = await call("ours", "Create", pb.CreateParamsSchema, {
      uuid: NOBODYS,
      collection: "theirs/c",
    });
    assertEquals(create.details, 'user does not have permission "insert" on "theirs/c"');
  }));

Deno.test("serve leaves what a key may not see out of lookups, lists and counts", () =>
  withServer(async (call) => {
    const lookup = { collection: "", isCollectionPrefix: true };
    const found = await call("ours", "LookupStreams", pb.LookupStreamsParamsSchema, lookup);
    const { results } = fromBinary(pb.LookupStreamsResponseSchema, found.messages[0]!);
    assertEquals(results.map(({ collection }) => collection), ["ours/a"]);
    const list = await call("ours", "ListCollections", pb.ListCollectionsParamsSchema);
    const { collections } = fromBinary(pb.ListCollectionsResponseSchema, list.messages[0]!);
    assertEquals(collections, ["ours/a"]);
    const usage = (prefix: string) =>
      call("ours", "GetMetadataUsage", pb.MetadataUsageParamsSchema, { prefix });
    assertEquals((await usage("ours/")).code, 0);
    assertEquals((await usage("")).code, 7);
    const sql = { query: "select * from streams" };
    assertEquals((await call("ours", "SQLQuery", pb.SQLQueryParamsSchema, sql)).code, 7);
    assertEquals((await call("reader", "SQLQuery", pb.SQLQueryParamsSchema, sql)).code, 0);
  }));

Deno.test("serve shows no metadata to a key that may only write, in its own collections either", () =>
  withServer(async (call, client) => {
    const lookup = { collection: "ours/", isCollectionPrefix: true };
    const answers = [
      await call("writer", "LookupStreams", pb.LookupStreamsParamsSchema, lookup),
      await call("writer", "ListCollections", pb.ListCollectionsParamsSchema, { prefix: "ours/" }),
      await call("writer", "GetMetadataUsage", pb.MetadataUsageParamsSchema, { prefix: "ours/" }),
      await call("writer", "StreamInfo", pb.StreamInfoParamsSchema, { uuid: OURS }),
      await client.call("/grpcinterface.BTrDB/ListCollections", new Uint8Array([0x18, 1]), {
        headers: { authorization: "bearer writer" },
      }),
    ];
    assertEquals(answers.map(({ code, messages }) => [code, messages.length]), [
      [7, 0],
      [7, 0],
      [7, 0],
      [7, 0],
      [7, 0],
    ]);
    const insert = { uuid: OURS, values: [{ time: 1n, value: 1 }] };
    assertEquals(codeOf(await call("writer", "Insert", pb.InsertParamsSchema, insert)), 0);
  }));

Deno.test("serve lets a key with prefixes reach no stream elsewhere, by no call that names streams", () =>
  withServer(async (call) => {
    const both = [OURS, THEIRS];
    const streams = both.map((uuid) => ({ uuid, label: "x" }));
    const range = { start: 0n, end: 10n };
    const answers = [
      await call("ours", "GenerateCSV", pb.GenerateCSVParamsSchema, { queryType: 2, streams }),
      await call("ours", "MultiRawValues", pb.MultiRawValuesParamsSchema, { uuid: both, ...range }),
      await call("ours", "ArrowMultiValues", pb.ArrowMultiValuesParamsSchema, {
        uuid: both,
        ...range,
      }),
      await call("ours", "Subscribe", pb.SubscribeParamsSchema, { uuid: both }),
      await call("ours", "Subscribe", pb.SubscriptionUpdateSchema, { uuid: both }),
      await call("ours", "ArrowInsert", pb.ArrowInsertParamsSchema, { uuid: THEIRS }),
      await call("ours", "GetCompactionConfig", pb.GetCompactionConfigParamsSchema, {
        uuid: THEIRS,
      }),
    ];
    for (const { code, details, messages } of answers) {
      assertEquals([code, details], [7, "user does not have permission on this stream"]);
      assertEquals(messages, []);
    }
  }));

Deno.test("serve lets a key with prefixes move no stream into its collections or out of them", () =>
  withServer(async (call) => {
    const move = (uuid: Uint8Array, collection: string) =>
      call("ours", "SetStreamTags", pb.SetStreamTagsParamsSchema, {
        uuid,
        expectedPropertyVersion: 1n,
        collection,
      });
    assertEquals((await move(THEIRS, "ours/stolen")).code, 7);
    assertEquals((await move(OURS, "theirs/planted")).code, 7);
    const kept = await move(OURS, "ours/other");
    assertEquals([kept.code, codeOf(kept)], [0, 0]);
  }));

Deno.test("serve ends a subscription whose stream has moved to where its key may not read", () =>
  withServer(async (call) => {
    const subscribed = call("ours", "Subscribe", pb.SubscribeParamsSchema, { uuid: [OURS] });
    let ended = false;
    subscribed.finally(() => ended = true);
    await call("root", "SetStreamTags", pb.SetStreamTagsParamsSchema, {
      uuid: OURS,
      expectedPropertyVersion: 1n,
      collection: "theirs/moved",
    });
    for (let time = 1n; !ended; time++) {
      const values = [{ time, value: 1 }];
      await call("root", "Insert", pb.InsertParamsSchema, { uuid: OURS, values });
    }
    const { code, messages } = await subscribed;
    assertEquals([code, messages], [7, []]);
  }));

Deno.test("serve fills v4 pages with what a key may see", () =>
  withServer(async (call, client) => {
    for (const n of [1, 2, 3, 4]) {
      const uuid = new Uint8Array(16).fill(n);
      await call("root", "Create", pb.CreateParamsSchema, { uuid, collection: `ours/${n}` });
    }
    const { ListCollectionsParamsSchema, ListCollectionsResponseSchema } = await import(
      "../../../src/gen/btrdb_v4_pb.ts"
    );
    const page = await client.unary(
      "/grpcinterface.BTrDB/ListCollections",
      ListCollectionsParamsSchema,
      create(ListCollectionsParamsSchema, { limit: 4n }),
      ListCollectionsResponseSchema,
      { headers: { authorization: "bearer ours" } },
    );
    assertEquals(page.collections, ["ours/1", "ours/2", "ours/3", "ours/4"]);
  }));

Deno.test("serve forgets where a stream was once its collection has changed", () =>
  withServer(async (call) => {
    const read = () => call("ours", "StreamInfo", pb.StreamInfoParamsSchema, { uuid: OURS });
    assertEquals((await read()).code, 0);
    const moved = await call("root", "SetStreamTags", pb.SetStreamTagsParamsSchema, {
      uuid: OURS,
      expectedPropertyVersion: 1n,
      collection: "theirs/moved",
    });
    assertEquals(codeOf(moved), 0);
    assertEquals((await read()).code, 7);
  }));

Deno.test("serve obliterates only where it is allowed", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0, allowObliterate: false });
  using client = new RawClient(server.address);
  const schema = pb.ObliterateParamsSchema;
  const request = toBinary(schema, create(schema, { uuid: OURS }));
  assertEquals(codeOf(await client.call("/v5api.BTrDB/Obliterate", request)), 431);
});

Deno.test("serve takes 25,000 points in a v4 insert, and says 414 to one more", () =>
  withServer(async (_call, client) => {
    const insert = (points: number) => {
      const columns = {
        times: BigInt64Array.from({ length: points }, (_, i) => BigInt(i)),
        values: new Float64Array(points),
      };
      const request = encodeInsert({ uuid: OURS, columns, protocol: "v4" });
      const headers = { authorization: "bearer root" };
      return client.call("/grpcinterface.BTrDB/Insert", request, { headers });
    };
    assertEquals(codeOf(await insert(V4_MAX_INSERT_POINTS)), 0);
    const tooBig = fromBinary(
      pb.FlushResponseSchema,
      (await insert(V4_MAX_INSERT_POINTS + 1)).messages[0]!,
    );
    assertEquals([tooBig.stat?.code, tooBig.stat?.msg], [414, "Insert too big"]);
  }));
