/** Features that only protocol v5 has. */

import { assertEquals, assertRejects } from "@std/assert";
import { fromBinary } from "@bufbuild/protobuf";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import {
  CreateParamsSchema,
  InsertParamsSchema,
  ListCollectionsResponseSchema,
  SetStreamAnnotationsParamsSchema,
  SetStreamTagsParamsSchema,
  SQLQueryParamsSchema,
  SQLQueryResponseSchema,
  StreamInfoResponseSchema,
  SubscribeParamsSchema,
  SubscribeResponseSchema,
  SubscriptionRespSchema,
  SubscriptionUpdateSchema,
} from "../../../src/gen/btrdb_v5_pb.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { rawToIpc } from "../../../src/arrow/write_ipc.ts";
import { bytes, info, v4Server, versioned } from "../../support/grpc/scripted_answers.ts";
import { type ScriptedCall, ScriptedServer, status } from "../../support/grpc/scripted_server.ts";

const uuid = new Uint8Array(16).fill(8);

async function withV5(
  minor: number,
  methods: Readonly<Record<string, (call: ScriptedCall) => Promise<void> | void>>,
  body: (endpoint: Endpoint, server: ScriptedServer) => Promise<void>,
): Promise<void> {
  await using server = await ScriptedServer.start((call) => {
    if (call.rpc === "Info") return call.send(info(`5.${minor}.0-deno`, [], [5, minor]));
    const method = methods[call.rpc];
    if (method === undefined) throw status(12, "unknown method");
    return method(call);
  });
  const retry = { initialDelayMs: 1, attempts: 3 };
  const endpoint = await connectGrpc({ addresses: [server.address], retry, settleMs: 2 });
  try {
    await body(endpoint, server);
  } finally {
    await endpoint.close();
  }
}

const COLUMNS = { times: BigInt64Array.of(3n, -4n), values: Float64Array.of(1.5, -0) };

Deno.test("subscribe: subscriptions before 5.30: one request, points", () =>
  withV5(29, {
    Subscribe(call) {
      assertEquals(fromBinary(SubscribeParamsSchema, call.request).uuid.length, 1);
      const values = [{ time: 3n, value: 1.5 }, { time: -4n, value: -0 }];
      return call.send(bytes(SubscribeResponseSchema, { uuid, values }));
    },
  }, async (endpoint) => {
    const updates = endpoint.subscribe([uuid]);
    assertEquals((await updates.next()).value, { uuid, columns: COLUMNS });
    // The end passed for one that was wanted: a loop over the points of a stream ended, and whoever ran
    // it took them for all.
    const error = await assertRejects(
      () => updates.next(),
      BTrDBError,
      "it ended the subscription",
    );
    assertEquals([error.status, error.retryable], ["UNAVAILABLE", true]);
  }));

Deno.test("subscribe: subscriptions from 5.30: updates, Arrow", () =>
  withV5(30, {
    Subscribe(call) {
      assertEquals(fromBinary(SubscriptionUpdateSchema, call.request).uuid.length, 1);
      const arrowBytes = rawToIpc(COLUMNS);
      return call.send(bytes(SubscriptionRespSchema, { uuid, arrowBytes }));
    },
  }, async (endpoint) => {
    for await (const update of endpoint.subscribe([uuid])) {
      assertEquals(update, { uuid, columns: COLUMNS });
      break;
    }
  }));

Deno.test("sql: SQL is asked again only while nothing has come", async () => {
  let calls = 0;
  const row = new TextEncoder().encode('{"uuid":"x"}');
  await withV5(30, {
    SQLQuery(call) {
      const { query, params } = fromBinary(SQLQueryParamsSchema, call.request);
      assertEquals([query, params], ["select $1", ["a"]]);
      if (++calls === 1) throw status(14, "gone");
      return call.send(bytes(SQLQueryResponseSchema, { SQLQueryRow: [row] }));
    },
  }, async (endpoint) => {
    const rows = await Array.fromAsync(endpoint.sqlQuery({ query: "select $1", params: ["a"] }));
    assertEquals(rows, [['{"uuid":"x"}']]);
  });
  await withV5(30, {
    async SQLQuery(call) {
      await call.send(bytes(SQLQueryResponseSchema, { SQLQueryRow: [row] }));
      await call.delivered();
      throw status(14, "gone");
    },
  }, async (endpoint, server) => {
    await assertRejects(
      () => Array.fromAsync(endpoint.sqlQuery({ query: "q", params: [] })),
      BTrDBError,
    );
    assertEquals(server.count("SQLQuery"), 1);
  });
});

Deno.test("codecV5: metadata: values may be missing, removals have a list of their own", () =>
  withV5(30, {
    Create(call) {
      const { tags } = fromBinary(CreateParamsSchema, call.request);
      assertEquals(tags.map(({ key, val }) => [key, val?.value]), [["a", "1"], ["b", undefined]]);
      return call.send(new Uint8Array(0));
    },
    SetStreamAnnotations(call) {
      const sent = fromBinary(SetStreamAnnotationsParamsSchema, call.request);
      assertEquals(sent.changes.map(({ key, val }) => [key, val?.value]), [["c", undefined]]);
      assertEquals([sent.removals, sent.expectedPropertyVersion], [["d"], 4n]);
      return call.send(new Uint8Array(0));
    },
    SetStreamTags(call) {
      const sent = fromBinary(SetStreamTagsParamsSchema, call.request);
      assertEquals([sent.collection, sent.remove, sent.tags[0]!.key], ["e", ["f"], "g"]);
      return call.send(new Uint8Array(0));
    },
    StreamInfo: (call) =>
      call.send(bytes(StreamInfoResponseSchema, {
        descriptor: { uuid, tags: [{ key: "b" }, { key: "a", val: { value: "" } }] },
      })),
  }, async (endpoint) => {
    const tags = new Map([["a", "1"], ["b", null]]);
    await endpoint.create({ uuid, collection: "c", tags, annotations: new Map() });
    const changes = new Map([["c", null]]);
    await endpoint.setAnnotations({ uuid, expected: 4n, changes, removals: ["d"] });
    const moved = { uuid, expected: 5n, collection: "e", changes: new Map([["g", "h"]]) };
    await endpoint.setTags({ ...moved, removals: ["f"] });
    const look = { uuid, omitVersion: true, omitDescriptor: false };
    const { descriptor } = await endpoint.streamInfo(look);
    assertEquals([...descriptor!.tags], [["b", null], ["a", ""]]);
  }));

Deno.test("listCollections: collections come sorted, once each, from where and as many as asked", () =>
  withV5(30, {
    async ListCollections(call) {
      await call.send(bytes(ListCollectionsResponseSchema, { collections: ["b", "a/b", "a"] }));
      await call.send(bytes(ListCollectionsResponseSchema, { collections: ["a-b", "b"] }));
    },
  }, async (endpoint) => {
    const list = async (more: object) =>
      (await Array.fromAsync(endpoint.listCollections({ prefix: "", ...more }))).flat();
    assertEquals(await list({}), ["a-b", "a", "a/b", "b"]);
    assertEquals(await list({ startWith: "a/", limit: 2 }), ["a", "a/b"]);
  }));

Deno.test("insert: inserts with a policy are sent again without a look; the policy travels", async () => {
  let calls = 0;
  await withV5(30, {
    Insert(call) {
      const sent = fromBinary(InsertParamsSchema, call.request);
      assertEquals([sent.mergePolicy, sent.rounding?.spec.value], [3, 20]);
      if (++calls < 3) throw status(14, "gone");
      return call.send(versioned(10n, 2n));
    },
  }, async (endpoint, server) => {
    const request = { uuid, columns: COLUMNS, mergePolicy: "replace" as const, roundBits: 20 };
    assertEquals((await endpoint.insert(request)).minor, 2n);
    assertEquals([server.count("Insert"), server.count("StreamInfo")], [3, 0]);
  });
});

Deno.test("connectGrpc: v4 refuses what it does not have before anything is sent", async () => {
  await using server = await ScriptedServer.start(v4Server("4.15.9-deno", {}));
  const endpoint = await connectGrpc({ addresses: [server.address], retry: false });
  const columns = COLUMNS;
  const calls: (() => Promise<unknown>)[] = [
    () => endpoint.insert({ uuid, columns, mergePolicy: "equal" }),
    () =>
      endpoint.setTags({ uuid, expected: 1n, collection: "c", changes: new Map(), removals: [] }),
    () => Array.fromAsync(endpoint.sqlQuery({ query: "q", params: [] })),
    () => Array.fromAsync(endpoint.subscribe([uuid])),
    () =>
      endpoint.create({
        ...{ uuid, collection: "c", annotations: new Map() },
        tags: new Map([["name", null]]),
      }),
  ];
  for (const call of calls) {
    const error = await assertRejects(call, BTrDBError, "protocol v");
    assertEquals(error.code, 501);
  }
  assertEquals(new Set(server.calls), new Set(["Info"]));
  await endpoint.close();
});
