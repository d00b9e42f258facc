/** Bounds on the cost of callers without a key (docs/security.md). */

import http2 from "node:http2";
import net from "node:net";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { uuidBytes } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { type ApiKey, serve, type ServeOptions } from "../../../src/server/mod.ts";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";
import { override } from "../../support/override_endpoint.ts";
import { until } from "../../support/until.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { RawClient } from "../../support/grpc_client.ts";

const UUID = uuidBytes("00000000-0000-4000-8000-000000000001");
const ROOT: ApiKey = { key: "root", capabilities: ["read", "insert"] };
const OURS: ApiKey = { key: "ours", capabilities: ["insert"], collectionPrefixes: ["ours/"] };
const BASE: ServeOptions = { port: 0, hostname: "127.0.0.1", apiKeys: [ROOT, OURS] };

/** Sends the headers of a call and no message; the status it is answered with. */
function headersOnly(
  session: http2.ClientHttp2Session,
  path: string,
  more: Record<string, string> = {},
): Promise<string> {
  const stream = session.request({
    ...more,
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

// A key that is kept to collections may never use SQL, but was refused only once its query had been
// received, had waited for a place, and been decoded.
Deno.test("serve: SQL of a key that is kept to collections is refused before a message", async () => {
  await using endpoint = await openEngine();
  const reader: ApiKey = { key: "reader", capabilities: ["read"], collectionPrefixes: ["ours/"] };
  await using server = await serve(endpoint, { ...BASE, apiKeys: [reader] });
  const session = http2.connect(`http://${server.address}`);
  session.on("error", () => {});
  const key = { authorization: "Bearer reader" };
  assertEquals(await headersOnly(session, "/v5api.BTrDB/SQLQuery", key), "7");
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

/** Opens a call, sends some bytes of its body and leaves it open; the status it is answered with. */
function halfCall(
  session: http2.ClientHttp2Session,
  path: string,
  bytes: Uint8Array,
  fields: http2.OutgoingHttpHeaders = {},
): Promise<string> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...fields,
  }, { endStream: false });
  stream.write(bytes);
  return new Promise((resolve) => {
    const hear = (got: http2.IncomingHttpHeaders) => {
      if (got["grpc-status"] === undefined) return;
      resolve(String(got["grpc-status"]));
      stream.close();
    };
    stream.on("response", hear);
    stream.on("trailers", hear);
    stream.on("error", () => {});
    stream.resume();
  });
}

/** The beginning of a message: it says that it has `size` bytes, and `sent` of them follow. */
function beginning(size: number, sent: number): Uint8Array {
  const bytes = new Uint8Array(5 + sent);
  new DataView(bytes.buffer).setUint32(1, size);
  return bytes;
}

async function connected(address: string): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://${address}`);
  session.on("error", () => {});
  await new Promise<void>((resolve) => session.once("connect", () => resolve()));
  return session;
}

async function closed(session: http2.ClientHttp2Session): Promise<void> {
  const end = new Promise<void>((resolve) => session.once("close", () => resolve()));
  session.destroy();
  await end;
}

const INFO = toBinary(pb.InfoParamsSchema, create(pb.InfoParamsSchema));

Deno.test("serve: Info and health checks take 64 KiB, and say so at the first bytes", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, BASE);
  const session = await connected(server.address);
  for (const path of ["/v5api.BTrDB/Info", "/grpc.health.v1.Health/Check"]) {
    assertEquals(await halfCall(session, path, beginning(65_537, 0)), "8", path);
  }
  await closed(session);
  using client = new RawClient(server.address);
  assertEquals((await client.call("/v5api.BTrDB/Info", INFO, { headers })).code, 0);
});

Deno.test("serve: half messages are bounded on a connection and in all, more so without a key", async () => {
  await using endpoint = await openEngine();
  const limits = { messageBytes: 100_000 };
  const anonymous = { capabilities: ["read"] } as const;
  await using server = await serve(endpoint, { ...BASE, limits, anonymous });
  const half = beginning(100_000, 90_000);
  const sessions: http2.ClientHttp2Session[] = [];
  const statuses: string[] = [];
  const flood = async (connections: number, calls: number, fields: http2.OutgoingHttpHeaders) => {
    for (let i = 0; i < connections; i++) {
      const session = await connected(server.address);
      sessions.push(session);
      for (let j = 0; j < calls; j++) {
        halfCall(session, "/v5api.BTrDB/RawValues", half, fields).then((s) => statuses.push(s));
      }
    }
  };
  const refused = async (count: number) => {
    await until("so many are refused", () => statuses.length >= count);
    assertEquals(new Set(statuses), new Set(["8"]));
    statuses.length = 0;
  };
  await flood(1, 3, {});
  await refused(2);
  await flood(1, 10, headers);
  await refused(2);
  // In all: four messages of callers without a key, one of which is there already.
  await flood(6, 1, {});
  await refused(2);
  using client = new RawClient(server.address);
  const request = toBinary(pb.ListCollectionsParamsSchema, create(pb.ListCollectionsParamsSchema));
  assertEquals((await client.call("/v5api.BTrDB/ListCollections", request, { headers })).code, 0);
  for (const session of sessions) await closed(session);
  await until("nothing is held", async () => {
    const { code } = await client.call("/v5api.BTrDB/ListCollections", request);
    return code === 0;
  });
});

Deno.test("serve: who sends no message takes no place, and some places are kept for keys", async () => {
  await using endpoint = await openEngine();
  let release = () => {};
  const hold = new Promise<void>((resolve) => release = resolve);
  let held = 0;
  const slow: Endpoint = override(endpoint, {
    async metadataUsage(prefix, options) {
      held++;
      await hold;
      return await endpoint.metadataUsage(prefix, options);
    },
  });
  const limits = { concurrentCalls: 4, waitingCalls: 2 };
  const anonymous = { capabilities: ["read"] } as const;
  await using server = await serve(slow, { ...BASE, limits, anonymous });
  const session = await connected(server.address);
  for (let i = 0; i < 20; i++) headersOnly(session, "/v5api.BTrDB/RawValues");
  using client = new RawClient(server.address);
  const usage = toBinary(pb.MetadataUsageParamsSchema, create(pb.MetadataUsageParamsSchema));
  const calls = Array.from(
    { length: 3 },
    () => client.call("/v5api.BTrDB/GetMetadataUsage", usage),
  );
  await until("three places are taken", () => held === 3);
  const waiting = client.call("/v5api.BTrDB/GetMetadataUsage", usage);
  const shed = await client.call("/v5api.BTrDB/GetMetadataUsage", usage).then(() => "answered");
  assertEquals(shed, "answered");
  const request = toBinary(pb.ListCollectionsParamsSchema, create(pb.ListCollectionsParamsSchema));
  assertEquals((await client.call("/v5api.BTrDB/ListCollections", request, { headers })).code, 0);
  release();
  for (const call of [...calls, waiting]) assertEquals((await call).code, 0);
  await closed(session);
});

Deno.test("serve: connections of callers without a key make room for those with one", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { ...BASE, limits: { connections: 8 } });
  const clients = Array.from({ length: 8 }, () => new RawClient(server.address));
  for (const client of clients) {
    assertEquals((await client.call("/v5api.BTrDB/Info", INFO)).code, 0);
  }
  using client = new RawClient(server.address);
  assertEquals((await client.call("/v5api.BTrDB/Info", INFO, { headers })).code, 0);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("serve: a handshake, a first call and a first message have ten seconds", async () => {
  if (!haveOpenssl()) return console.warn("skipped, there is no openssl");
  await using endpoint = await openEngine();
  const folder = await Deno.makeTempDir();
  const { cert, key } = await makeCertificate(folder);
  await using secure = await serve(endpoint, { ...BASE, tls: { cert, key } });
  await using plain = await serve(endpoint, BASE);
  const startMs = Date.now();
  const silent = (port: number) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    return new Promise<number>((resolve) =>
      socket.once("close", () => resolve(Date.now() - startMs))
    );
  };
  const session = await connected(plain.address);
  const half = halfCall(session, "/v5api.BTrDB/RawValues", beginning(1000, 10), headers);
  const waits = await Promise.all([silent(secure.port), silent(plain.port)]);
  assertEquals(await half, "4");
  // None is ended early; none is left open, or this would not end.
  for (const wait of waits) assert(wait > 9_000, `${wait} ms`);
  await closed(session);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serve: requests of millions of fields are refused before they are decoded", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, BASE);
  using client = new RawClient(server.address);
  const repeated = (n: number, ...bytes: number[]) => {
    const message = new Uint8Array(n * bytes.length);
    for (let at = 0; at < message.length; at += bytes.length) message.set(bytes, at);
    return message;
  };
  /** One field of a length, around other bytes. */
  const around = (tag: number, inner: Uint8Array) => {
    const { length } = inner;
    return Uint8Array.of(
      tag,
      length & 0x7f | 0x80,
      length >>> 7 & 0x7f | 0x80,
      length >>> 14 & 0x7f | 0x80,
      length >>> 21,
    );
  };
  const nested = (tag: number, inner: Uint8Array) => {
    const head = around(tag, inner);
    const message = new Uint8Array(head.length + inner.length);
    message.set(head);
    message.set(inner, head.length);
    return message;
  };
  const FIELD = "a field of the request";
  const cases: [string, Uint8Array, number?, string?][] = [
    ["Create", repeated(40_000, 0x1a, 0), 16_384], // Empty tags.
    ["Create", nested(0x1a, repeated(30_000, 0x0a, 1, 0x61)), 4_096, FIELD], // One tag.
    ["LookupStreams", repeated(40_000, 0x1a, 0), 16_384],
    ["SetStreamAnnotations", repeated(40_000, 0x1a, 0), 16_384],
    ["SetStreamTags", repeated(40_000, 0x22, 0), 16_384],
    ["MultiRawValues", repeated(200_000, 0x0a, 0)],
    ["ArrowMultiValues", nested(0x12, repeated(200_000, 1))], // Versions, packed.
    ["SQLQuery", repeated(40_000, 0x12, 0), 16_384],
    ["RawValues", repeated(200_000, 0x18, 1)], // One number again and again.
    // Fields of a group, which is one field: 20 million of them took 2.2 s.
    [
      "ArrowInsert",
      Uint8Array.of(0x9b, 0x06, ...repeated(50_000, 0x48, 5), 0x9c, 0x06),
      4_096,
      FIELD,
    ],
  ];
  for (const [rpc, request, most = 100_000, what = "the request"] of cases) {
    const { code, details } = await client.call(`/v5api.BTrDB/${rpc}`, request, { headers });
    assertEquals([rpc, code, details], [rpc, 8, `${what} has more than ${most} fields`]);
  }
});

Deno.test("serve: a read ends when its stream leaves the collections of the key", async () => {
  await using endpoint = await openEngine();
  const none = new Map<string, string | null>();
  const tags = new Map([["name", "a"]]);
  await endpoint.create({ uuid: UUID, collection: "ours/a", tags, annotations: none });
  const times = BigInt64Array.from({ length: 500_000 }, (_, i) => BigInt(i));
  for (let i = 0; i < 4; i++) {
    const columns = { times, values: Float64Array.from(times, () => Math.random()) };
    await endpoint.insert({ uuid: UUID, columns });
  }
  const reader: ApiKey = { key: "reader", capabilities: ["read"], collectionPrefixes: ["ours/"] };
  await using server = await serve(endpoint, { ...BASE, apiKeys: [reader] });
  using client = new RawClient(server.address);
  const schema = pb.RawValuesParamsSchema;
  const request = toBinary(schema, create(schema, { uuid: UUID, end: 1_000_000n }));
  const options = { headers: { authorization: "Bearer reader" } };
  const stream = client.open("/v5api.BTrDB/RawValues", request, options);
  const status = new Promise<number>((resolve) =>
    stream.on("status", ({ code }: { code: number }) => resolve(code))
  );
  stream.on("error", () => {});
  await new Promise<void>((resolve) =>
    stream.once("data", () => resolve(stream.pause() && undefined))
  );
  await endpoint.setTags({
    uuid: UUID,
    expected: 1n,
    collection: "theirs/a",
    changes: none,
    removals: [],
  });
  // The reader goes on once its call was given up on the other side.
  await until(
    "the server has ended the call",
    () => /btrdb_server_calls_running 0/.test(server.metrics()),
  );
  stream.resume();
  assertEquals(await status, 7);
});

Deno.test("serve: a key with bytes that no header may carry is UNAUTHENTICATED, and not printed", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, BASE);
  const printed: unknown[] = [];
  const print = console.error;
  console.error = (...args: unknown[]) => void printed.push(args);
  try {
    // HTTP/2 itself leaves out fields with controls, so that such a caller has no key at all.
    for (const key of ["sécret", "root é", "rootÿ", "secret secret", "ÿ"]) {
      const session = await connected(server.address);
      const authorization = `Bearer ${key}`;
      const sent = new Promise<string>((resolve) => {
        try {
          halfCall(session, "/v5api.BTrDB/Info", INFO, { authorization }).then(resolve);
        } catch {
          resolve("not sent");
        }
      });
      const status = await sent;
      assert(["16", "not sent"].includes(status), `${JSON.stringify(key)}: ${status}`);
      await closed(session);
    }
  } finally {
    console.error = print;
  }
  assertEquals(printed, []);
});

Deno.test("serve: only requests with points may be long; the others end at their first bytes", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { ...BASE, limits: { messageBytes: 64 << 20 } });
  using client = new RawClient(server.address);
  const long = "x".repeat(5 << 20);
  const cases: [string, Uint8Array][] = [
    [
      "Create",
      toBinary(pb.CreateParamsSchema, create(pb.CreateParamsSchema, { collection: long })),
    ],
    [
      "SQLQuery",
      toBinary(pb.SQLQueryParamsSchema, create(pb.SQLQueryParamsSchema, { query: long })),
    ],
    [
      "LookupStreams",
      toBinary(
        pb.LookupStreamsParamsSchema,
        create(pb.LookupStreamsParamsSchema, { collection: long }),
      ),
    ],
    [
      "GenerateCSV",
      toBinary(
        pb.GenerateCSVParamsSchema,
        create(pb.GenerateCSVParamsSchema, { streams: [{ label: long }] }),
      ),
    ],
    ["RawValues", new Uint8Array(5 << 20)],
  ];
  for (const [rpc, request] of cases) {
    const { code, details } = await client.call(`/v5api.BTrDB/${rpc}`, request, { headers });
    assertEquals([rpc, code], [rpc, 8]);
    assertStringIncludes(details, "larger than max");
  }
  const insert = create(pb.InsertParamsSchema, {
    uuid: UUID,
    values: Array.from({ length: 400_000 }, (_, i) => ({ time: BigInt(i + 1), value: 1 })),
  });
  const { code } = await client.call(
    "/v5api.BTrDB/Insert",
    toBinary(pb.InsertParamsSchema, insert),
    { headers },
  );
  // It was read, and there is no such stream.
  assertEquals(code, 0);
});
