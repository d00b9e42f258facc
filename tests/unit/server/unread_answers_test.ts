/** Answers that wait for clients that do not read. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import { frameOf } from "../../../src/core/grpc_web.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { rawValuesParams } from "../../../src/grpc/wire/messages.ts";
import { type Limits, serve, type Server } from "../../../src/server/mod.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { until } from "../../support/until.ts";

const PATH = "/v5api.BTrDB/RawValues";
const UUID = new Uint8Array(16).fill(1);

/** 400 kB as messages: less than a call may have waiting, so that its work ends at once. */
const POINTS = 20_000;

const REQUEST = rawValuesParams({ uuid: UUID, start: 0n, end: 1n << 40n, version: 0n });

/** Runs a server that has two places, and one stream. */
async function withServer(
  use: (address: string, client: RawClient, server: Server) => Promise<void>,
  more: Limits = {},
) {
  await using engine = await openEngine();
  const tags = new Map([["name", "s"]]);
  await engine.create({ uuid: UUID, collection: "c", tags, annotations: new Map() });
  const times = BigInt64Array.from({ length: POINTS }, (_, i) => BigInt(i) * 1_000_003n);
  const values = Float64Array.from(times, () => Math.random());
  await engine.insert({ uuid: UUID, columns: { times, values } });
  const limits = { concurrentCalls: 2, ...more };
  await using server = await serve(engine, { port: 0, hostname: "127.0.0.1", limits });
  using client = new RawClient(server.address);
  await use(server.address, client, server);
}

/** A connection that lets no byte of an answer come. */
class Unreader implements Disposable {
  readonly #session: http2.ClientHttp2Session;
  /** Codes with which its calls were reset. */
  readonly resets: number[] = [];

  constructor(address: string) {
    this.#session = http2.connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    this.#session.on("error", () => {});
  }

  /** Makes a call; resolves, to its stream, when its answer has begun. */
  call(headers: Record<string, string> = {}): Promise<http2.ClientHttp2Stream> {
    const stream = this.#session.request({
      ":method": "POST",
      ":path": PATH,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.on("error", () => {});
    stream.on("close", () => this.resets.push(stream.rstCode!));
    stream.end(Buffer.from(frameOf(REQUEST)));
    return new Promise((resolve) => stream.once("response", () => resolve(stream)));
  }

  /** Lets so many bytes come of each answer, from its beginning. */
  take(bytes: number): void {
    this.#session.settings({ initialWindowSize: bytes });
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

// The place was free once the last message was handed to the library: any number of answers could wait
// in memory, up to 1 MiB each, beside the calls that counted.
Deno.test("serve: an answer keeps its place until the client has taken it", () =>
  withServer(async (address, client) => {
    {
      using unreader = new Unreader(address);
      await Promise.all([unreader.call(), unreader.call()]);
      const late = await client.call(PATH, REQUEST, { deadlineMs: Date.now() + 1_000 });
      assertEquals(late.code, 4);
    }
    const { code, messages } = await client.call(PATH, REQUEST);
    assertEquals([code, messages.length > 0], [0, true]);
  }));

// The status waited behind the answer, and both for as long as the connection stayed open.
Deno.test("serve: an answer that is not taken before the deadline is dropped", () =>
  withServer(async (address, client) => {
    using unreader = new Unreader(address);
    const timeout = { "grpc-timeout": "500m" };
    await Promise.all([unreader.call(timeout), unreader.call(timeout)]);
    await until("both calls are reset", () => unreader.resets.length === 2);
    assertEquals(unreader.resets, [8, 8]);
    assertEquals((await client.call(PATH, REQUEST)).code, 0);
  }));

/** Answers that were ended because they were not read. */
function endedOf(server: Server): number {
  const found = /^btrdb_server_unread_answers_total (\d+)$/m.exec(server.metrics());
  return Number(found![1]);
}

// Callers who read nothing kept all places for as long as they stayed connected: everybody else waited,
// and was refused once the queue was full.
Deno.test("serve: an answer that is not read makes room for a call that waits for its place", () =>
  withServer(async (address, client, server) => {
    using unreader = new Unreader(address);
    await Promise.all([unreader.call(), unreader.call()]);
    const { code, messages } = await client.call(PATH, REQUEST);
    assertEquals([code, messages.length > 0], [0, true]);
    await until("the client knows", () => unreader.resets.length === 1);
    // ENHANCE_YOUR_CALM, which gRPC libraries take for RESOURCE_EXHAUSTED.
    assertEquals(unreader.resets, [11]);
    assertEquals(endedOf(server), 1);
    assertStringIncludes(server.metrics(), `rpc="RawValues",code="RESOURCE_EXHAUSTED"} 1\n`);
  }, { sendTimeoutMs: 20 }));

Deno.test("serve: an answer that is not read keeps its place while nobody waits for it", () =>
  withServer(async (address, client, server) => {
    using unreader = new Unreader(address);
    const stream = await unreader.call();
    for (let i = 0; i < 5; i++) {
      assertEquals((await client.call(PATH, REQUEST)).code, 0);
    }
    assertEquals([unreader.resets, endedOf(server)], [[], 0]);
    stream.resume();
    unreader.take(1 << 30);
    await until("the answer is complete", () => unreader.resets.length === 1);
    assertEquals(unreader.resets, [0]);
  }, { sendTimeoutMs: 1 }));
