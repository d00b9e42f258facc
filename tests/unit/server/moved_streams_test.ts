/** Rights on streams that move while they are read or subscribed to (docs/security.md). */

import { Buffer } from "node:buffer";
import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { concatBytes } from "../../../src/core/bytes.ts";
import { uuidBytes, uuidText } from "../../../src/core/uuid.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { type ApiKey, serve, type ServeOptions } from "../../../src/server/mod.ts";
import { type Outcome, RawClient } from "../../support/grpc_client.ts";
import { override } from "../../support/override_endpoint.ts";
import { until } from "../../support/until.ts";
import { watched } from "../../support/watched_endpoint.ts";

const UUID = uuidBytes("00000000-0000-4000-8000-000000000001");
const SUBSCRIBE = "/v5api.BTrDB/Subscribe";

const apiKeys: ApiKey[] = [
  { key: "root", capabilities: ["read", "insert"] },
  { key: "ours", capabilities: ["read", "insert"], collectionPrefixes: ["ours/"] },
];
const BASE: ServeOptions = { port: 0, hostname: "127.0.0.1", apiKeys };
const OURS = { headers: { authorization: "Bearer ours" } };

function numbered(n: number): Uint8Array {
  const uuid = UUID.slice();
  new DataView(uuid.buffer).setUint32(0, n);
  return uuid;
}

async function made(endpoint: Endpoint, uuid: Uint8Array): Promise<void> {
  const tags = new Map([["name", uuidText(uuid)]]);
  await endpoint.create({ uuid, collection: "ours/a", tags, annotations: new Map() });
}

/** Moves a stream out of the collections of the key, by a call. */
async function move(client: RawClient, uuid: Uint8Array): Promise<void> {
  const schema = pb.SetStreamTagsParamsSchema;
  const params = { uuid, expectedPropertyVersion: 1n, collection: "theirs/a" };
  const headers = { authorization: "Bearer root" };
  const request = toBinary(schema, create(schema, params));
  const { code } = await client.call("/v5api.BTrDB/SetStreamTags", request, { headers });
  assertEquals(code, 0);
}

function subscribed(client: RawClient, uuid: Uint8Array[]): Promise<Outcome> {
  const schema = pb.SubscribeParamsSchema;
  return client.call(SUBSCRIBE, toBinary(schema, create(schema, { uuid })), OURS);
}

// Each port remembered collections by itself, for two seconds. A stream that was moved by gRPC could
// be read and written by URL meanwhile, and its new collection and tags seen, by a key without a right to them.
Deno.test("serve: a stream that was moved over gRPC is not shown over HTTP any more", async () => {
  await using engine = await openEngine();
  await made(engine, UUID);
  await engine.insert({
    uuid: UUID,
    columns: { times: BigInt64Array.of(1n), values: Float64Array.of(1) },
  });
  await using server = await serve(engine, { ...BASE, http: { port: 0 } });
  using client = new RawClient(server.address);
  const ask = async (url: string) => {
    const response = await fetch(`http://127.0.0.1:${server.httpPort}/api/v1/${url}`, OURS);
    await response.body?.cancel();
    return response.status;
  };
  const range = `stream=${uuidText(UUID)}&start=0&end=10`;
  const urls = [`data.csv?${range}`, `data.parquet?${range}`, `streams/${uuidText(UUID)}`];
  for (const url of urls) assertEquals([url, await ask(url)], [url, 200]);
  await move(client, UUID);
  for (const url of urls) assertEquals([url, await ask(url)], [url, 403]);
});

// Of a call on 1,000 streams 200 a second were looked at again: one that had moved was noticed five
// seconds later, and of a call on 10,000 streams after fifty.
Deno.test("serve: a call ends when one of its many streams is moved by the server, without a look at the others", async () => {
  await using engine = await openEngine();
  const uuids = Array.from({ length: 1_000 }, (_, n) => numbered(n));
  await Promise.all(uuids.map((uuid) => made(engine, uuid)));
  const asked: string[] = [];
  await using server = await serve(watched(engine, asked), BASE);
  using client = new RawClient(server.address);
  const outcome = subscribed(client, uuids);
  await until("it is subscribed", () => asked.includes("subscribe"));
  asked.length = 0;
  await move(client, uuids[999]!);
  assertEquals((await outcome).code, 7);
  assertLessOrEqual(asked.filter((name) => name === "streamInfo").length, 500);
});

// Every call looked again at up to 200 streams a second, so that 1,300 idle subscriptions of one key
// did so for 260,000: a small request of anybody else took five seconds instead of two milliseconds.
Deno.test("serve: the streams that are looked at again in a second are few, however many calls there are", async () => {
  await using engine = await openEngine();
  let asked = 0;
  let subscriptions = 0;
  const none = new Map<string, string | null>();
  const endpoint = override(engine, {
    streamInfo: ({ uuid }) => {
      asked++;
      const known = { uuid, collection: "ours/a", tags: none, annotations: none };
      return Promise.resolve({ descriptor: { ...known, propertyVersion: 1n } });
    },
    subscribe: (_uuids, options) => {
      subscriptions++;
      const over = new Promise<IteratorResult<never, undefined>>((resolve) =>
        options?.signal?.addEventListener("abort", () => resolve({ done: true, value: undefined }))
      );
      return {
        next: () => over,
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
  });
  await using server = await serve(endpoint, BASE);
  using client = new RawClient(server.address);
  const calls = Array.from({ length: 60 }, (_, call) => {
    return subscribed(client, Array.from({ length: 200 }, (_, n) => numbered(200 * call + n)));
  });
  await until("all are subscribed", () => subscriptions === calls.length);
  asked = 0;
  const startMs = performance.now();
  await until("some are looked at again", () => asked >= 2_500);
  const seconds = (performance.now() - startMs) / 1_000;
  assertLessOrEqual(asked, 1_000 * (seconds + 2));
  await server.stop({ graceful: false });
  await Promise.all(calls);
});

/** A call that adds and removes streams. */
function updates(client: RawClient, key: string) {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${key}`);
  const stream = client.client.makeBidiStreamRequest<Uint8Array, Uint8Array>(
    SUBSCRIBE,
    (bytes) => Buffer.from(bytes),
    (bytes) => bytes,
    metadata,
    {},
  );
  stream.on("error", () => {});
  stream.on("data", () => {});
  const ended = new Promise<{ code: number; details: string }>((resolve) =>
    stream.on("status", resolve)
  );
  return { stream, ended };
}

function update(op: pb.SubscriptionUpdate_Op, ...uuid: Uint8Array[]): Uint8Array {
  const schema = pb.SubscriptionUpdateSchema;
  return toBinary(schema, create(schema, { op, uuid }));
}

const { ADD_UUIDS, REMOVE_UUIDS } = pb.SubscriptionUpdate_Op;

// A uuid was kept with the whole message that it came in. 400 messages with one uuid and a megabyte
// of an unknown field took 437 MiB of memory, and one call may send 10,000 of them.
Deno.test("Subscribe: nothing of a message is kept but its uuids", async () => {
  await using engine = await openEngine();
  const given: Uint8Array[] = [];
  const endpoint = override(engine, {
    subscribe: (uuids, options) => {
      given.push(...uuids);
      return engine.subscribe(uuids, options);
    },
  });
  for (const n of [1, 2, 3]) await made(engine, numbered(n));
  await using server = await serve(endpoint, BASE);
  using client = new RawClient(server.address);
  const junk = new Uint8Array(50_000);
  junk.set([0x7a, ...[0xcc, 0x86, 0x03]]); // Field 15, of as many bytes as are left.
  const { stream, ended } = updates(client, "ours");
  stream.write(concatBytes([update(ADD_UUIDS, numbered(1)), junk]));
  stream.write(concatBytes([update(ADD_UUIDS, numbered(2)), junk]));
  const schema = pb.SubscribeParamsSchema;
  const list = toBinary(schema, create(schema, { uuid: [numbered(3)] }));
  const other = client.open(SUBSCRIBE, concatBytes([list, junk]), OURS);
  other.on("error", () => {});
  await until("all are subscribed", () => given.length === 3);
  assertEquals(given.map(({ buffer }) => buffer.byteLength), [16, 16, 16]);
  stream.cancel();
  other.cancel();
  await ended;
});

// A removed stream was looked at again all the same, and when it moved, the call on the others ended.
Deno.test("Subscribe: a stream that was removed may move", async () => {
  await using engine = await openEngine();
  for (const n of [1, 2]) await made(engine, numbered(n));
  const asked: string[] = [];
  await using server = await serve(watched(engine, asked), BASE);
  using client = new RawClient(server.address);
  const { stream, ended } = updates(client, "ours");
  let isOver = false;
  ended.then(() => isOver = true);
  stream.write(update(ADD_UUIDS, numbered(1), numbered(2)));
  stream.write(update(REMOVE_UUIDS, numbered(1)));
  await until("they are subscribed to", () => asked.includes("subscribe"));
  await move(client, numbered(1));
  asked.length = 0;
  const looks = () => asked.filter((name) => name === "streamInfo").length;
  await until("the other one is looked at again", () => isOver || looks() >= 2);
  assertEquals(isOver, false);
  stream.cancel();
  await ended;
});

// One of half a megabyte overflowed the stack: "internal error", and a report to `onError`.
Deno.test("Subscribe: updates with uuids of another length are refused", async () => {
  await using engine = await openEngine();
  const reported: unknown[] = [];
  await using server = await serve(engine, {
    ...BASE,
    onError: (error) => reported.push(error),
  });
  using client = new RawClient(server.address);
  for (const op of [ADD_UUIDS, REMOVE_UUIDS]) {
    for (const length of [15, 500_000]) {
      const { stream, ended } = updates(client, "root");
      const answers: Uint8Array[] = [];
      stream.on("data", (bytes: Uint8Array) => answers.push(bytes));
      stream.write(update(op, new Uint8Array(length)));
      await ended;
      const text = answers.map((one) => new TextDecoder().decode(one)).join();
      assert(text.includes(`uuid has ${length} bytes, expected 16`), text);
    }
  }
  assertEquals(reported, []);
});
