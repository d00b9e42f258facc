/** Bounds on the cost of callers without a key (docs/security.md). */

import http2 from "node:http2";
import net from "node:net";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { uuidBytes } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { type ApiKey, serve, type ServeOptions } from "../../../src/server/mod.ts";
import { RawClient } from "../../support/grpc_client.ts";

const UUID = uuidBytes("00000000-0000-4000-8000-000000000001");
const ROOT: ApiKey = { key: "root", capabilities: ["read", "insert"] };
const OURS: ApiKey = { key: "ours", capabilities: ["insert"], collectionPrefixes: ["ours/"] };
const BASE: ServeOptions = { port: 0, hostname: "127.0.0.1", apiKeys: [ROOT, OURS] };

/** Sends the headers of a call and no message; the status it is answered with. */
function headersOnly(session: http2.ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  }, { endStream: false });
  return new Promise((resolve) => {
    const hear = (headers: http2.IncomingHttpHeaders) => {
      const status = headers["grpc-status"];
      if (status === undefined) return;
      resolve(String(status));
      stream.close();
    };
    stream.on("response", hear);
    stream.on("trailers", hear);
    stream.on("error", () => {});
    stream.resume();
  });
}

const headers = { authorization: "Bearer root" };

Deno.test("serve: calls without a right are refused before a message, and take no place", async () => {
  await using endpoint = await openEngine();
  const limits = { concurrentCalls: 1, waitingCalls: 0 };
  await using server = await serve(endpoint, { ...BASE, limits });
  const session = http2.connect(`http://${server.address}`);
  session.on("error", () => {});
  const calls = Array.from(
    { length: 300 },
    (_, i) => headersOnly(session, `/v5api.BTrDB/${["RawValues", "Insert", "SQLQuery"][i % 3]}`),
  );
  const statuses = new Set(await Promise.all(calls));
  assertEquals([...statuses], ["7"]);
  using client = new RawClient(server.address);
  const request = toBinary(pb.ListCollectionsParamsSchema, create(pb.ListCollectionsParamsSchema));
  assertEquals((await client.call("/v5api.BTrDB/ListCollections", request, { headers })).code, 0);
  await new Promise<void>((resolve) => session.close(resolve));
});

for (const limits of [{ connections: 20 }, { connectionsPerAddress: 20 }]) {
  Deno.test(`serve: silent connections do not keep the next one out, ${Object.keys(limits)}`, async () => {
    await using endpoint = await openEngine();
    await using server = await serve(endpoint, { ...BASE, limits });
    const sockets: net.Socket[] = [];
    for (let i = 0; i < 60; i++) {
      const socket = net.connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      sockets.push(socket);
      await new Promise<void>((resolve) => socket.once("connect", resolve));
    }
    using client = new RawClient(server.address);
    const info = toBinary(pb.InfoParamsSchema, create(pb.InfoParamsSchema));
    assertEquals((await client.call("/v5api.BTrDB/Info", info, { headers })).code, 0);
    for (const socket of sockets) {
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      if (socket.closed) continue;
      socket.destroy();
      await closed;
    }
  });
}

Deno.test("serve: a call that names a stream twice is refused", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, BASE);
  using client = new RawClient(server.address);
  const schema = pb.MultiRawValuesParamsSchema;
  const request = toBinary(schema, create(schema, { uuid: [UUID, UUID], end: 10n }));
  const { messages } = await client.call("/v5api.BTrDB/MultiRawValues", request, { headers });
  assertStringIncludes(new TextDecoder().decode(messages[0]), "more than once");
});

Deno.test("serve: a limited key learns nothing of a uuid that it cannot use", async () => {
  await using endpoint = await openEngine();
  const none = new Map<string, string | null>();
  const create_ = (uuid: Uint8Array) =>
    endpoint.create({ uuid, collection: "theirs/a", tags: none, annotations: none });
  await create_(UUID);
  await using server = await serve(endpoint, BASE);
  using client = new RawClient(server.address);
  const fields = { uuid: UUID, collection: "ours/a" };
  const request = toBinary(pb.CreateParamsSchema, create(pb.CreateParamsSchema, fields));
  const ask = async () => {
    const ours = { headers: { authorization: "Bearer ours" } };
    const { messages } = await client.call("/v5api.BTrDB/Create", request, ours);
    return new TextDecoder().decode(messages[0]);
  };
  const used = await ask();
  assertStringIncludes(used, "the uuid cannot be used for a new stream");
  await endpoint.obliterate(UUID);
  assertEquals(await ask(), used);
});
