/** Answers that are not read, on both ports, beside callers who wait for their places. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import { connect as connectTcp } from "node:net";
import { BTrDBError, connect } from "@btrdb/btrdb";
import { frameOf } from "../../../src/core/grpc_web.ts";
import { uuidText } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { rawValuesParams } from "../../../src/grpc/wire/messages.ts";
import { type Limits, serve, type Server } from "../../../src/server/mod.ts";
import { laterOnMonotonicClock } from "../../support/clock.ts";
import { createFilled } from "../../support/engine.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { override } from "../../support/override_endpoint.ts";
import { HANG_MS, settled, until } from "../../support/until.ts";

const RAW = "/v5api.BTrDB/RawValues";
const MULTI = "/v5api.BTrDB/MultiRawValues";
const LIST = "/v5api.BTrDB/ListCollections";

/** End of ranges that have points without end. */
const ENDLESS = 1n << 60n;
const CHUNK = 8_192;

/** A server of streams of a point each, which have points without end up to {@linkcode ENDLESS}. */
interface Endless {
  readonly server: Server;
  readonly uuids: readonly Uint8Array[];
  /** Queries without end that have begun and ended, and their chunks. */
  readonly seen: { begun: number; ended: number; chunks: number };
  /** Waits until the server waits for its readers. */
  stalled(): Promise<void>;
  /** Answers that were ended. */
  ended(): number;
}

async function withEndless(limits: Limits, use: (endless: Endless) => Promise<void>) {
  await using engine = await openEngine();
  const uuids = await createFilled(engine, 4);
  const seen = { begun: 0, ended: 0, chunks: 0 };
  const endpoint = override(engine, {
    async *rawValues(request, options) {
      if (request.end !== ENDLESS) return yield* engine.rawValues(request, options);
      seen.begun++;
      try {
        for (let at = request.start;; at += BigInt(CHUNK)) {
          const times = BigInt64Array.from({ length: CHUNK }, (_, i) => at + BigInt(i));
          const values = Float64Array.from(times, () => Math.random());
          seen.chunks++;
          yield { version: { major: 11n, minor: 0n }, columns: { times, values } };
        }
      } finally {
        seen.ended++;
      }
    },
  });
  await using server = await serve(endpoint, {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0 },
    limits,
  });
  const stalled = async () => {
    await until("a query has begun", () => seen.chunks > 0);
    await settled(() => seen.chunks);
  };
  const ended = () =>
    Number(/^btrdb_server_unread_answers_total (\d+)$/m.exec(server.metrics())![1]);
  await use({ server, uuids, seen, stalled, ended });
}

/** A call that needs a place, by a caller of its own. */
async function list({ server }: Endless): Promise<number> {
  using client = new RawClient(server.address);
  const request = toBinary(pb.ListCollectionsParamsSchema, create(pb.ListCollectionsParamsSchema));
  return (await client.call(LIST, request, { deadlineMs: Date.now() + HANG_MS })).code;
}

function multi(uuids: readonly Uint8Array[], end: bigint): Uint8Array {
  const fields = { uuid: [...uuids], start: 0n, end };
  return toBinary(pb.MultiRawValuesParamsSchema, create(pb.MultiRawValuesParamsSchema, fields));
}

/** Sends a request of HTTP/1.1 and reads nothing of the answer; tells what came once it is closed. */
function unread(port: number, head: string, body = new Uint8Array(0)): () => Promise<string> {
  const socket = connectTcp(port, "127.0.0.1", () => {
    socket.pause();
    socket.write(`${head} HTTP/1.1\r\nhost: localhost\r\n`);
    socket.write(`content-length: ${body.length}\r\n`);
    socket.write("content-type: application/grpc-web+proto\r\n\r\n");
    socket.write(body);
  });
  socket.on("error", () => {});
  return () =>
    new Promise((resolve) => {
      let end = "";
      socket.on("data", (bytes: Uint8Array) =>
        end = Buffer.from(bytes.slice(-20)).toString("latin1"));
      socket.once("close", () =>
        resolve(end));
      socket.resume();
    });
}

// Whoever asked for data by URL and read nothing kept a place for as long as the connection was open.
Deno.test("serve http: data by URL that are not read make room for who waits, and break off", () =>
  withEndless({ concurrentCalls: 1, sendTimeoutMs: 50 }, async (endless) => {
    const { server, uuids, seen } = endless;
    const name = uuidText(uuids[0]!);
    const path = `/api/v1/data.csv?stream=${name}&start=0&end=${ENDLESS}`;
    const closed = unread(server.httpPort!, `GET ${path}`);
    await endless.stalled();
    assertEquals([endless.ended(), seen.ended], [0, 0]);
    assertEquals(await list(endless), 0);
    assertEquals([endless.ended(), seen.ended], [1, 1]);
    // The chunk that says that the body is complete does not come.
    assert(!(await closed()).endsWith("\r\n0\r\n\r\n"));
    assert(/rpc="csv",code="426"\} 1\n/.test(server.metrics()), server.metrics());
  }));

Deno.test("serve http: a call over gRPC-Web that is not read makes room for one that waits", () =>
  withEndless({ concurrentCalls: 1, sendTimeoutMs: 50 }, async (endless) => {
    const { server, uuids, seen } = endless;
    const request = rawValuesParams({ uuid: uuids[0]!, start: 0n, end: ENDLESS, version: 0n });
    const closed = unread(server.httpPort!, `POST ${RAW}`, frameOf(request));
    await endless.stalled();
    assertEquals(await list(endless), 0);
    assertEquals([endless.ended(), seen.ended], [1, 1]);
    assert(!(await closed()).includes("grpc-status"));
  }));

// The streams of calls that nobody read were open as long as their clients were connected. Who takes
// only little keeps them.
Deno.test("serve: of two calls that wait for their readers, the one that is read now and then stays", () =>
  withEndless({ openStreams: 4, sendTimeoutMs: 3_600_000 }, async (endless) => {
    const { server, uuids, seen } = endless;
    const [silent, slow] = [new SlowReader(server.address), new SlowReader(server.address)];
    using _silent = silent;
    using _slow = slow;
    silent.call(MULTI, multi(uuids.slice(0, 2), ENDLESS));
    slow.call(MULTI, multi(uuids.slice(2), ENDLESS));
    await until("all queries have begun", () => seen.begun === 4);
    await endless.stalled();
    using _later = laterOnMonotonicClock(7_200_000);
    slow.take(600_000);
    await until("some of it was read", () => slow.bytes >= 600_000);
    await endless.stalled();
    using client = new RawClient(server.address);
    const waiting = client.call(MULTI, multi(uuids, 9n));
    await until("the silent one is ended", () => silent.resets.length === 1);
    assertEquals([silent.resets, slow.resets, endless.ended()], [[11], [], 1]);
    slow[Symbol.dispose]();
    assertEquals((await waiting).code, 0);
  }));

/** A connection that lets as many bytes come as it is told. */
class SlowReader implements Disposable {
  readonly #session: http2.ClientHttp2Session;
  readonly #streams: http2.ClientHttp2Stream[] = [];
  /** Bytes of answers that have come. */
  bytes = 0;
  /** Codes with which its calls were reset. */
  readonly resets: number[] = [];

  constructor(address: string) {
    this.#session = http2.connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    this.#session.on("error", () => {});
  }

  call(path: string, request: Uint8Array): void {
    const stream = this.#session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {});
    this.#streams.push(stream);
    stream.on("close", () => this.resets.push(stream.rstCode!));
    stream.end(Buffer.from(frameOf(request)));
  }

  /** Reads so many bytes of the answers, and then no more. */
  take(bytes: number): void {
    for (const stream of this.#streams) {
      stream.on("data", (piece: Uint8Array) => {
        this.bytes += piece.length;
        if (this.bytes >= bytes) stream.pause();
      });
    }
    this.#session.settings({ initialWindowSize: bytes });
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

// The client must not ask for the same answer again on its own: it would take the next place.
Deno.test("connect: a read that was ended because it was not read fails, and is not repeated", () =>
  withEndless({ concurrentCalls: 1, sendTimeoutMs: 50 }, async (endless) => {
    const { server, uuids, seen } = endless;
    await using db = await connect(server.address);
    const stream = db.streamFromUUID(uuidText(uuids[0]!));
    const chunks = stream.rawValues(0n, ENDLESS)[Symbol.asyncIterator]();
    await chunks.next();
    await endless.stalled();
    assertEquals(await list(endless), 0);
    const error = await assertRejects(async () => {
      while (!(await chunks.next()).done);
    }, BTrDBError);
    assertEquals([error.status, error.code, seen.begun], ["RESOURCE_EXHAUSTED", 0, 1]);
    assertMatch(
      error.message,
      /^RawValues failed at [\d.:]+: the server has ended the call to make room for others, as it does /,
    );
  }));
