/** Places for calls, which no key can take from all others (docs/security.md). */

import { assertEquals } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { uuidText } from "../../../src/core/uuid.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { SharedPlaces, withPlaces } from "../../../src/server/call_limit.ts";
import { KeyRing } from "../../../src/server/keys.ts";
import { serve } from "../../../src/server/mod.ts";
import { createFilled } from "../../support/engine.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { override } from "../../support/override_endpoint.ts";
import { NO_TIMEOUT, TestCall } from "../../support/place_holder.ts";
import { HANG_MS, until } from "../../support/until.ts";

const READ = ["read"] as const;
const call = new TestCall();

Deno.test("SharedPlaces: an owner has a share, of its own, and whoever has none has all", async () => {
  const places = new SharedPlaces(4, 2, NO_TIMEOUT);
  const [a] = places.of("a");
  for (let i = 0; i < 3; i++) await a!.enter(call);
  let isIn = false;
  const fourth = a!.enter(call).then(() => isIn = true);
  assertEquals([a!.running, a!.waiting, isIn], [3, 1, false]);
  assertEquals(places.of("a")[0], a);
  assertEquals(places.of("b")[0]!.running, 0);
  assertEquals(places.of("b")[1], places.all);
  assertEquals(places.of(undefined), [places.all]);
  a!.leave(call);
  await fourth;
});

Deno.test("withPlaces: a call of more places than its share is left with all of the share", async () => {
  const places = new SharedPlaces(8, 2, NO_TIMEOUT);
  const gates = places.of("a");
  await withPlaces(gates, call, () => {
    assertEquals(gates.map(({ running }) => running), [6, 6]);
    return Promise.resolve();
  }, 10);
  assertEquals(gates.map(({ running }) => running), [0, 0]);
});

// Two calls on 10,000 streams each, whose answers were not read, kept everybody's calls on several out.
Deno.test("serve: streams of one key that are not read leave room to another's, on both ports", async () => {
  await using engine = await openEngine();
  const uuids = await createFilled(engine, 8);
  let release = () => {};
  const hold = new Promise<void>((resolve) => release = resolve);
  let held = 0;
  const slow: Endpoint = override(engine, {
    async *rawValues(request, options) {
      if (request.end === 9n) {
        held++;
        await hold;
      }
      yield* engine.rawValues(request, options);
    },
  });
  await using server = await serve(slow, {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0 },
    apiKeys: ["greedy", "modest"].map((key) => ({ key, capabilities: READ })),
    limits: { openStreams: 8 },
  });
  using client = new RawClient(server.address);
  const ask = (key: string, uuid: Uint8Array[], end: bigint) => {
    const fields = { uuid, start: 0n, end };
    const request = toBinary(
      pb.MultiRawValuesParamsSchema,
      create(pb.MultiRawValuesParamsSchema, fields),
    );
    const headers = { authorization: `Bearer ${key}` };
    const deadlineMs = Date.now() + HANG_MS;
    return client.call("/v5api.BTrDB/MultiRawValues", request, { headers, deadlineMs });
  };
  const greedy = [0, 2, 4, 6].map((i) => ask("greedy", uuids.slice(i, i + 2), 9n));
  await until("the share is taken", () => held === 6);
  assertEquals((await ask("modest", uuids.slice(0, 2), 8n)).code, 0);
  const names = uuids.slice(0, 2).map((uuid) => `stream=${uuidText(uuid)}`).join("&");
  const url = `http://127.0.0.1:${server.httpPort}/api/v1/data.csv?${names}&start=0&end=8`;
  const response = await fetch(url, { headers: { authorization: "Bearer modest" } });
  assertEquals([response.status, (await response.text()).split("\n").length], [200, 3]);
  assertEquals(held, 6);
  release();
  for (const call of greedy) assertEquals((await call).code, 0);
});

Deno.test("KeyRing.ownerOf: places are shared where there are others", () => {
  const one = new KeyRing([{ key: "a", capabilities: READ }], { capabilities: READ });
  assertEquals(one.ownerOf(one.grantOf("bearer a")), undefined);
  assertEquals(one.ownerOf(one.grantOf(undefined)), one.grantOf(undefined));
  const none = new KeyRing([], undefined);
  assertEquals(none.ownerOf(none.grantOf(undefined)), undefined);
  const keys = ["a", "b"].map((key) => ({ key, capabilities: READ }));
  const two = new KeyRing(keys, undefined);
  assertEquals(two.ownerOf(two.grantOf("bearer a")), keys[0]);
});

// 200 queries of one key whose answers were not read kept all other keys out.
Deno.test("serve: calls of one key that do not end leave places to another, on both ports", async () => {
  await using engine = await openEngine();
  let release = () => {};
  const hold = new Promise<void>((resolve) => release = resolve);
  let held = 0;
  const slow: Endpoint = override(engine, {
    async metadataUsage(prefix, options) {
      held++;
      await hold;
      return await engine.metadataUsage(prefix, options);
    },
  });
  await using server = await serve(slow, {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0 },
    apiKeys: ["greedy", "modest"].map((key) => ({ key, capabilities: READ })),
    limits: { concurrentCalls: 4, waitingCalls: 2 },
  });
  using client = new RawClient(server.address);
  const request = toBinary(pb.MetadataUsageParamsSchema, create(pb.MetadataUsageParamsSchema));
  const headers = (key: string) => ({ authorization: `Bearer ${key}` });
  const greedy = Array.from(
    { length: 4 },
    () => client.call("/v5api.BTrDB/GetMetadataUsage", request, { headers: headers("greedy") }),
  );
  await until("three places are taken", () => held === 3);
  const list = toBinary(pb.ListCollectionsParamsSchema, create(pb.ListCollectionsParamsSchema));
  const own = { headers: headers("modest") };
  assertEquals((await client.call("/v5api.BTrDB/ListCollections", list, own)).code, 0);
  const url = `http://127.0.0.1:${server.httpPort}/api/v1/collections`;
  assertEquals(await (await fetch(url, own)).json(), []);
  assertEquals(held, 3);
  release();
  for (const call of greedy) assertEquals((await call).code, 0);
});

// Writes take turns by these owners; those of one key waited in front of all others.
Deno.test("serve: the owner of a write is its key, or its connection if there are no keys", async () => {
  await using engine = await openEngine();
  const [uuid] = await createFilled(engine, 1);
  const owners: unknown[] = [];
  const watched = override(engine, {
    insert(request, options) {
      owners.push(options?.owner);
      return engine.insert(request, options);
    },
  });
  const schema = pb.InsertParamsSchema;
  const request = toBinary(
    schema,
    create(schema, { uuid: uuid!, values: [{ time: 1n, value: 2 }] }),
  );
  const insert = async (client: RawClient, key?: string) => {
    const headers: Record<string, string> = key === undefined
      ? {}
      : { authorization: `bearer ${key}` };
    assertEquals((await client.call("/v5api.BTrDB/Insert", request, { headers })).code, 0);
  };
  const capabilities = ["insert"] as const;
  const keys = { apiKeys: ["a", "b"].map((key) => ({ key, capabilities })) };
  for (const options of [keys, {}]) {
    const at = { port: 0, hostname: "127.0.0.1" };
    await using server = await serve(watched, { ...options, ...at });
    using one = new RawClient(server.address);
    using other = new RawClient(server.address);
    owners.length = 0;
    if (options === keys) {
      await insert(one, "a");
      await insert(other, "a");
      await insert(other, "b");
      assertEquals([owners[0] === owners[1], owners[1] === owners[2]], [true, false]);
    } else {
      await insert(one);
      await insert(one);
      await insert(other);
      assertEquals([owners[0] === owners[1], owners[1] === owners[2]], [true, false]);
    }
    assertEquals(owners.includes(undefined), false);
  }
});
