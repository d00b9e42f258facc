/** Tests of `serve` around the calls: limits, deadlines, metrics, health, stopping. */

import { Buffer } from "node:buffer";
import { connect as connectTcp } from "node:net";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BTrDBError, connect } from "../../../mod.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { serve } from "../../../src/server/mod.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { scriptedEndpoint } from "../../support/grpc/scripted_endpoint.ts";
import { overflowingTimers, until } from "../../support/until.ts";

const NEAREST = "/v5api.BTrDB/Nearest";
const request = toBinary(
  pb.NearestParamsSchema,
  create(pb.NearestParamsSchema, { uuid: new Uint8Array(16) }),
);

function statusOf(message: Uint8Array | undefined): [number, string] {
  const { stat } = fromBinary(pb.FlushResponseSchema, message ?? new Uint8Array());
  return [stat?.code ?? 0, stat?.msg ?? ""];
}

/** Tells whether a port of this machine takes no connection. */
function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });
}

/** An endpoint whose `nearest` waits until it is let go. */
function waitingEndpoint() {
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let aborted = 0;
  const endpoint = scriptedEndpoint({
    async nearest(_request, options) {
      running++;
      const signal = options!.signal!;
      const gone = Promise.withResolvers<never>();
      const onAbort = () => gone.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await Promise.race([gate.promise, gone.promise]);
        return { version: { major: 11n, minor: 0n }, point: { time: 1n, value: 2 } };
      } catch (error) {
        aborted++;
        throw error;
      } finally {
        signal.removeEventListener("abort", onAbort);
        running--;
      }
    },
  });
  return { endpoint, release: gate.resolve, running: () => running, aborted: () => aborted };
}

Deno.test("serve sheds load with 426 beyond its limits and serves on", async () => {
  const { endpoint, release, running } = waitingEndpoint();
  const limits = { concurrentCalls: 2, waitingCalls: 1 };
  await using server = await serve(endpoint, { port: 0, limits });
  using client = new RawClient(server.address);
  const kept = [1, 2, 3].map(() => client.call(NEAREST, request));
  await until(
    "the calls are where they should be",
    () => running() === 2 && server.metrics().includes("calls_waiting 1"),
  );
  const shed = await client.call(NEAREST, request);
  assertEquals(statusOf(shed.messages[0]), [
    426,
    "The cluster is overwhelmed and is shedding load.",
  ]);
  assertEquals((await client.call("/v5api.BTrDB/Info", new Uint8Array())).code, 0);
  release();
  for (const { code, messages } of await Promise.all(kept)) {
    assertEquals([code, statusOf(messages[0])[0]], [0, 0]);
  }
});

Deno.test("serve cancels the query of a client that gives up", async () => {
  const { endpoint, aborted, running } = waitingEndpoint();
  await using server = await serve(endpoint, { port: 0 });
  using client = new RawClient(server.address);
  const call = client.open(NEAREST, request);
  call.on("error", () => {});
  await until("the calls are where they should be", () => running() === 1);
  call.cancel();
  await until("the calls are where they should be", () => aborted() === 1 && running() === 0);
});

Deno.test("serve cancels the query when the deadline of the call has passed", async () => {
  const { endpoint, aborted, running } = waitingEndpoint();
  await using server = await serve(endpoint, { port: 0 });
  using client = new RawClient(server.address);
  // Longer and longer, until the call has reached the database in time.
  for (let ms = 50; running() + aborted() === 0; ms *= 2) {
    const outcome = await client.call(NEAREST, request, { deadlineMs: Date.now() + ms });
    assertEquals(outcome.code, 4);
  }
  await until("the query was aborted", () => aborted() === 1);
});

Deno.test("serve refuses messages that are too large, and lives on", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0, limits: { messageBytes: 1000 } });
  using client = new RawClient(server.address);
  const outcome = await client.call(NEAREST, new Uint8Array(1001));
  assertEquals(outcome.code, 8);
  assertStringIncludes(outcome.details, "larger than max");
  assertEquals((await client.call("/v5api.BTrDB/Info", new Uint8Array())).code, 0);
});

Deno.test("serve limits how many streams a call may name", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0, limits: { streamsPerCall: 2 } });
  using client = new RawClient(server.address);
  const uuid = [1, 2, 3].map((n) => new Uint8Array(16).fill(n));
  const multi = create(pb.MultiRawValuesParamsSchema, { uuid, start: 0n, end: 1n });
  const bytes = toBinary(pb.MultiRawValuesParamsSchema, multi);
  const { messages } = await client.call("/v5api.BTrDB/MultiRawValues", bytes);
  assertEquals(statusOf(messages[0]), [421, "the call names 3 streams, more than the 2 allowed"]);
});

// A label of 4 MiB came back as a header of 16 MiB, which nobody else's call could go beside for 20 ms.
Deno.test("serve limits the labels of a CSV", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0 });
  using client = new RawClient(server.address);
  const uuid = crypto.getRandomValues(new Uint8Array(16));
  const streams = [{ label: "é".repeat(1_048_570), uuid }, { label: "1234567", uuid }];
  const bytes = toBinary(
    pb.GenerateCSVParamsSchema,
    create(pb.GenerateCSVParamsSchema, { streams }),
  );
  const { messages } = await client.call("/v5api.BTrDB/GenerateCSV", bytes);
  const text = "the labels of the call have 1048577 characters, more than the 1048576 allowed";
  assertEquals(statusOf(messages[0]), [421, text]);
});

Deno.test("serve tells a client nothing about an unexpected error, but its owner everything", async () => {
  const seen: unknown[] = [];
  const endpoint = scriptedEndpoint({
    nearest: () => Promise.reject(new Error("disk on fire")),
  });
  await using server = await serve(endpoint, {
    port: 0,
    onError: (error, { path }) => {
      seen.push([(error as Error).message, path]);
      throw new Error("a reporter that fails changes nothing");
    },
  });
  using client = new RawClient(server.address);
  const outcome = await client.call(NEAREST, request);
  assertEquals([outcome.code, outcome.details], [13, "internal error"]);
  assertEquals(seen, [["disk on fire", NEAREST]]);
});

Deno.test("serve answers health checks, and says so when it stops", async () => {
  const { endpoint, release, running } = waitingEndpoint();
  const server = await serve(endpoint, { port: 0, metricsPort: 0 });
  using client = new RawClient(server.address);
  const check = (service: string) =>
    client.call(
      "/grpc.health.v1.Health/Check",
      new Uint8Array([0x0a, service.length, ...new TextEncoder().encode(service)]),
    );
  assertEquals((await check("")).messages, [new Uint8Array([8, 1])].map((b) => asBuffer(b)));
  assertEquals((await check("v5api.BTrDB")).code, 0);
  assertEquals((await check("no.such.Service")).code, 5);
  const watched: number[] = [];
  const watch = client.open("/grpc.health.v1.Health/Watch", new Uint8Array());
  watch.on("data", (bytes: Uint8Array) => watched.push(bytes[1]!));
  watch.on("error", () => {});
  const pages = `http://127.0.0.1:${server.metricsPort}`;
  assertEquals(await status(`${pages}/readyz`), 200);
  assertEquals(await status(`${pages}/healthz`), 200);
  assertEquals(await status(`${pages}/nothing`), 404);
  const pending = client.call(NEAREST, request);
  await until("the calls are where they should be", () => running() === 1 && watched.length === 1);
  const stopped = server.stop();
  await until("the calls are where they should be", () => watched.length === 2);
  assertEquals(watched, [1, 2]);
  assertEquals(await status(`${pages}/readyz`), 503);
  release();
  assertEquals((await pending).code, 0);
  await stopped;
});

async function status(url: string): Promise<number> {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.status;
}

function asBuffer(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes);
}

Deno.test("Server.stop: lets calls finish; without grace it cancels them as UNAVAILABLE", async () => {
  for (const graceful of [true, false]) {
    const { endpoint, release, running, aborted } = waitingEndpoint();
    const server = await serve(endpoint, { port: 0 });
    using client = new RawClient(server.address);
    const pending = client.call(NEAREST, request);
    await until("the calls are where they should be", () => running() === 1);
    const stopped = server.stop({ graceful });
    if (graceful) release();
    const { code } = await pending;
    assertEquals(code, graceful ? 0 : 14);
    await stopped;
    assertEquals(aborted(), graceful ? 0 : 1);
    await assertRejects(() => Deno.connect({ hostname: server.hostname, port: server.port }));
  }
});

Deno.test("Server.stop: waits for calls that end, and for no subscription", async () => {
  const { endpoint, release, running } = waitingEndpoint();
  let subscribers = 0;
  const both = scriptedEndpoint({
    nearest: endpoint.nearest,
    async *subscribe(_uuids, options) {
      subscribers++;
      await new Promise((resolve) => options!.signal!.addEventListener("abort", resolve));
      subscribers--;
      yield* [];
      throw options!.signal!.reason;
    },
  });
  await using server = await serve(both, { port: 0 });
  using client = new RawClient(server.address);
  const subscription = client.call(
    "/v5api.BTrDB/Subscribe",
    new Uint8Array([0x0a, 16, ...new Uint8Array(16)]),
  );
  const call = client.call(NEAREST, request);
  await until("the calls are where they should be", () => running() === 1 && subscribers === 1);
  let stopped = false;
  const stopping = server.stop({ graceMs: 600_000 }).then(() => stopped = true);
  await until("no connection is taken any more", () => isRefused(server.port));
  assertEquals([stopped, subscribers], [false, 1]);
  release();
  assertEquals((await call).code, 0);
  const { code, details } = await subscription;
  assertEquals([code, details], [14, "the server is stopping"]);
  await stopping;
});

Deno.test("serve: an answer that fails when it was long already says why", async () => {
  const columns = { times: new BigInt64Array(5_000), values: new Float64Array(5_000).fill(0.1) };
  let chunks = 0;
  const endpoint = scriptedEndpoint({
    async *rawValues() {
      for (let i = 0; i < chunks; i++) {
        yield { version: { major: 11n, minor: 0n }, columns };
        await Promise.resolve();
      }
      throw new BTrDBError("stream not found", { code: 404 });
    },
  });
  await using server = await serve(endpoint, { port: 0 });
  using client = new RawClient(server.address);
  for (chunks = 0; chunks < 30; chunks++) {
    const { code, messages } = await client.call("/v5api.BTrDB/RawValues", request);
    assertEquals([code, messages.length], [0, chunks + 1]);
    assertEquals(statusOf(messages.at(-1)), [404, "stream not found"]);
  }
});

Deno.test("serve takes a deadline that is further away than any timer", async () => {
  const { endpoint, release, running } = waitingEndpoint();
  await using server = await serve(endpoint, { port: 0 });
  using client = new RawClient(server.address);
  const deadlineMs = Date.now() + 1e12;
  const call = client.call(NEAREST, request, { deadlineMs });
  await until("the call is at the database", () => running() === 1);
  await overflowingTimers();
  release();
  assertEquals((await call).code, 0);
});

Deno.test("Server.stop: is idempotent, by signal too, and leaves the database open", async () => {
  await using db = await connect("memory:");
  const controller = new AbortController();
  const server = await serve(db, { port: 0, signal: controller.signal });
  controller.abort();
  await server.finished;
  await server.stop();
  await server[Symbol.asyncDispose]();
  assertEquals((await db.info()).protocol, "embedded");
});

Deno.test("serve says where it listens and who may come", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0 });
  assertEquals(server.address, `127.0.0.1:${server.port}`);
  assertEquals(
    server.notice,
    `Listening on ${server.address} (BTrDB v4 and v5, plain text, no API keys: this machine only)`,
  );
});

Deno.test("serve counts points and calls", async () => {
  await using db = await connect("memory:");
  await using server = await serve(db, { port: 0 });
  await using remote = await connect(server.address);
  const stream = await remote.create(crypto.randomUUID(), "metrics");
  await stream.insert([[1n, 1], [2n, 2], [3n, 3]]);
  await stream.rawValues(0n, 10n).collect();
  const text = server.metrics();
  assertStringIncludes(text, "btrdb_server_points_inserted_total 3\n");
  assertStringIncludes(text, "btrdb_server_points_read_total 3\n");
  assertStringIncludes(text, 'rpc="Insert",code="OK"} 1\n');
  assertStringIncludes(text, "btrdb_server_connections 1\n");
});
