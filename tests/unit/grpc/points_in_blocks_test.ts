/** Raw points that come in compressed blocks over gRPC-Web: client and server. */

import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { fromBinary } from "@bufbuild/protobuf";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BTrDBError } from "../../../src/core/errors.ts";
import { concatRaw, type RawColumns } from "../../../src/core/columns.ts";
import { frameOf, GRPC_WEB_TYPE, trailersOf } from "../../../src/core/grpc_web.ts";
import { MAX_POINTS_IN_BLOCKS } from "../../../src/core/point_blocks.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { RawValuesParamsSchema as ParamsV4 } from "../../../src/gen/btrdb_v4_pb.ts";
import { RawValuesParamsSchema as ParamsV5 } from "../../../src/gen/btrdb_v5_pb.ts";
import { connectGrpcWeb, type GrpcWebOptions } from "../../../src/grpc/connect_grpc_web.ts";
import { type CallEvent, connectGrpc } from "../../../src/grpc/mod.ts";
import { rawValuesParams } from "../../../src/grpc/wire/messages.ts";
import { encodeBlock } from "../../../src/kernel/encode_block.ts";
import { askForBlocks, asksForBlocks, encodeBlocksResponse } from "../../../src/kernel/wire.ts";
import { serve, type ServeOptions } from "../../../src/server/mod.ts";
import { columnsOf } from "../../support/engine.ts";
import { override } from "../../support/override_endpoint.ts";
import { field } from "../../support/wire_reference.ts";
import { info, raw } from "../../support/grpc/scripted_answers.ts";

const uuid = new Uint8Array(16).fill(6);
const MIN = -(2n ** 60n), MAX = 3n * 2n ** 60n - 1n;
const STEP = 8_333_333n;

/** Values of each way through the codec, and the edges of doubles. */
function valueAt(i: number): number {
  const edges = [-0, 0, 5e-324, -Number.MAX_VALUE, Number.MAX_VALUE, 2 ** 53];
  return i % 5_000 < 6 ? edges[i % 5_000]! : i < 20_000 ? 230 + Math.sin(i) : i / 8;
}

function signal(from: number, n: number, first = 0n): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => first + BigInt(from + i) * STEP),
    values: Float64Array.from({ length: n }, (_, i) => valueAt(from + i)),
  };
}

/** A stream with all there is: several versions, late points, holes, the ends of time, a buffer. */
async function fill(engine: Engine): Promise<void> {
  await engine.create({ uuid, collection: "blocks", tags: new Map(), annotations: new Map() });
  await engine.insert({ uuid, columns: signal(0, 40_000) });
  await engine.flush(uuid);
  await engine.insert({ uuid, columns: columnsOf([[MIN, 1], [MAX - 1n, -0]]) });
  await engine.insert({ uuid, columns: signal(30_000, 3, 1n) });
  await engine.flush(uuid);
  await engine.deleteRange({ uuid, start: 12_000n * STEP, end: 13_001n * STEP });
  await engine.insert({ uuid, columns: signal(60_000, 30_000) });
  await engine.flush(uuid);
  // Equal times, and points in the buffer between those of leaves.
  await engine.insert({ uuid, columns: signal(20_000, 200) });
  await engine.insert({ uuid, columns: signal(95_000, 3_000) });
}

async function read(endpoint: Endpoint, version = 0n, start = MIN, end = MAX): Promise<RawColumns> {
  const chunks = await Array.fromAsync(endpoint.rawValues({ uuid, start, end, version }));
  return concatRaw(chunks.map(({ columns }) => columns));
}

function assertSameBits(actual: RawColumns, expected: RawColumns): void {
  assertEquals(actual.times, expected.times);
  const bits = ({ values }: RawColumns) => new BigUint64Array(values.slice().buffer);
  assertEquals(bits(actual), bits(expected));
}

/** A client over gRPC-Web of a served database, and one over gRPC. */
async function withClients(
  endpoint: Endpoint,
  options: ServeOptions,
  body: (web: Endpoint, grpc: Endpoint, calls: CallEvent[]) => Promise<void>,
  client: Partial<GrpcWebOptions> = {},
): Promise<void> {
  await using server = await serve(endpoint, { port: 0, http: { port: 0 }, ...options });
  const calls: CallEvent[] = [];
  const hooks = { onEnd: (event: CallEvent) => event.rpc === "RawValues" && calls.push(event) };
  const addresses = [`grpc-web://127.0.0.1:${server.httpPort}`];
  const web = await connectGrpcWeb({ addresses, hooks, ...client });
  const grpc = await connectGrpc({ addresses: [server.address], hooks });
  try {
    await body(web, grpc, calls);
  } finally {
    await web.close();
    await grpc.close();
  }
}

for (const protocol of ["v4", "v5"] as const) {
  for (const workers of [0, 2]) {
    Deno.test(`rawValues: the same bits over gRPC-Web ${protocol} as from the database, with ${workers} workers`, async () => {
      const folder = await Deno.makeTempDir();
      try {
        await using engine = await openEngine({ path: `${folder}/blocks.btrdb` });
        await fill(engine);
        const { version } = await engine.streamInfo({
          uuid,
          omitVersion: false,
          omitDescriptor: true,
        });
        await withClients(engine, { workers }, async (web, grpc, calls) => {
          for (let at = 11n; at <= version!.major; at++) {
            assertSameBits(await read(web, at), await read(engine, at));
          }
          const expected = await read(engine);
          calls.length = 0;
          assertSameBits(await read(web), expected);
          assertSameBits(await read(grpc), expected);
          const [inBlocks, inPoints] = calls.map((call) => call.responseBytes);
          assertLess(inBlocks!, inPoints! / 2);
          assertEquals(calls.map((call) => call.points), [
            expected.times.length,
            expected.times.length,
          ]);
          // Ranges whose ends are within leaves.
          for (const [from, to] of [[5, 39_000], [11_990, 20_100], [20_050, 90_001], [7, 8]]) {
            const [start, end] = [BigInt(from!) * STEP + 1n, BigInt(to!) * STEP + 1n];
            assertSameBits(
              await read(web, 0n, start, end),
              await read(engine, 0n, start, end),
            );
          }
        }, { protocol });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
}

Deno.test("rawValues: a database without blocks sends points over gRPC-Web", async () => {
  await using engine = await openEngine();
  await fill(engine);
  const asked: unknown[] = [];
  const plain = override(engine, {
    rawValues: (request, options) => {
      asked.push(request.takesBlocks);
      return engine.rawValues({ ...request, takesBlocks: false }, options);
    },
  });
  await withClients(plain, {}, async (web, grpc) => {
    const expected = await read(engine);
    assertSameBits(await read(web), expected);
    assertSameBits(await read(grpc), expected);
  });
  // Only gRPC-Web asks for them.
  assertEquals(asked, [true, false]);
});

Deno.test("askForBlocks: the request is the same for servers that do not know of it", () => {
  const params = rawValuesParams({ uuid, start: -5n, end: 7n, version: 3n });
  const asking = askForBlocks(params);
  assert(asksForBlocks(asking) && !asksForBlocks(params));
  for (const schema of [ParamsV4, ParamsV5]) {
    const { $unknown, ...known } = fromBinary(schema, asking);
    const { $unknown: none, ...plain } = fromBinary(schema, params);
    assertEquals({ ...known }, { ...plain });
    assertEquals([$unknown?.map(({ no }) => no), none], [[1000], undefined]);
  }
});

Deno.test("rawValues: noise over the whole of a double takes no more bytes in blocks than in points", async () => {
  await using engine = await openEngine();
  await engine.create({ uuid, collection: "noise", tags: new Map(), annotations: new Map() });
  const words = crypto.getRandomValues(new Uint32Array(2 * 30_000 / 4));
  const bits = new Uint32Array(2 * 30_000);
  for (let i = 0; i < bits.length; i++) {
    // Exponents below the largest: neither infinite nor NaN.
    bits[i] = Math.imul(words[i % words.length]! ^ i, 2_654_435_761) &
      (i % 2 === 1 ? 0xbfff_ffff : -1);
  }
  const { times } = signal(0, 30_000);
  await engine.insert({ uuid, columns: { times, values: new Float64Array(bits.buffer) } });
  await engine.flush(uuid);
  await withClients(engine, {}, async (web, grpc, calls) => {
    assertSameBits(await read(web), await read(grpc));
    assertLess(calls[0]!.responseBytes, calls[1]!.responseBytes);
  });
});

Deno.test("rawValues: leaves of few points go as points, which take fewer bytes", async () => {
  await using engine = await openEngine();
  await engine.create({ uuid, collection: "sparse", tags: new Map(), annotations: new Map() });
  // A leaf for each: 2^50 ns apart.
  const times = BigInt64Array.from({ length: 3_000 }, (_, i) => BigInt(i) << 50n);
  const values = Float64Array.from(times, (_, i) => Math.sin(i) * 10 ** (i % 300));
  await engine.insert({ uuid, columns: { times, values } });
  await engine.flush(uuid);
  await withClients(engine, {}, async (web, grpc, calls) => {
    assertSameBits(await read(web), await read(grpc));
    assertLess(calls[0]!.responseBytes, calls[1]!.responseBytes + 1);
  });
});

const memory = (bytes: number) => new Uint8Array(bytes);

/** A response of blocks that says it has so many points. */
function response(points: number, ...blocks: Uint8Array[]): Uint8Array {
  return encodeBlocksResponse({ points, blocks }, 11n, 0n, memory);
}

function blockOf(...points: [bigint, number][]): Uint8Array {
  return encodeBlock(columnsOf(points), 0, points.length);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A block of a constant: so many points in few bytes. */
function constant(n: number): Uint8Array {
  const times = new BigInt64Array(n).fill(150n), values = new Float64Array(n).fill(1);
  return encodeBlock({ times, values }, 0, n);
}

const good = blockOf([110n, 1], [120n, 2]);
const most = constant(MAX_POINTS_IN_BLOCKS);
const HUGE = 2 ** 32 - 1;

/** A block that claims more points than it has, in its own head. */
function claiming(points: number): Uint8Array {
  const block = good.slice();
  new DataView(block.buffer).setUint32(0, points, true);
  return block;
}

/** The field that says how many points are in blocks, and what stands behind it. */
function announcing(points: bigint, ...behind: number[][]): Uint8Array {
  return Uint8Array.from([field(1001, 0, points), ...behind].flat());
}

const BLOCKS = field(1002, 2, [...good]);

const HOSTILE: [string, Uint8Array, string, string][] = [
  ["fewer points than it says", response(3, good), "INTERNAL", "a block is malformed"],
  ["more points than it says", response(1, good), "INTERNAL", "a block is malformed"],
  ["no points", response(0, good), "INTERNAL", "blocks have 0 points"],
  ["too many points", response(65_537, most, good), "INTERNAL", "65537 points"],
  ["a giant claim", response(HUGE, good), "INTERNAL", `blocks have ${HUGE} points`],
  ["a giant claim in a block", response(2, claiming(HUGE)), "INTERNAL", "a block is malformed"],
  ["a block of no points", response(2, claiming(0)), "INTERNAL", "a block is malformed"],
  ["half a block", response(2, good.subarray(0, 9)), "INTERNAL", "a block is malformed"],
  ["bytes behind", response(2, good, Uint8Array.of(1)), "INTERNAL", "a block is malformed"],
  ["blocks twice", joined(response(2, good), response(2, good)), "INTERNAL", "blocks come twice"],
  ["2^32 points more", announcing(2n ** 32n + 2n, BLOCKS), "INTERNAL", "4294967298 points"],
  ["points and no blocks", announcing(2n), "INTERNAL", "blocks of 2 points are missing"],
  ["points behind the blocks", announcing(2n, BLOCKS, field(1001, 0, 2n)), "INTERNAL", "missing"],
  ["blocks as a number", announcing(2n, field(1002, 0, 9n)), "INTERNAL", "missing"],
  ["blocks before their number", Uint8Array.from(BLOCKS), "INTERNAL", "blocks have 0 points"],
  ["points backwards", response(2, blockOf([120n, 1], [110n, 2])), "INTERNAL", "malformed"],
  ["blocks backwards", response(4, blockOf([130n, 1], [140n, 1]), good), "INTERNAL", "malformed"],
  ["NaN", response(2, blockOf([110n, 1], [120n, NaN])), "INTERNAL", "malformed"],
  ["an infinity", response(1, blockOf([110n, -Infinity])), "INTERNAL", "malformed"],
  ["a point before the range", response(1, blockOf([99n, 1])), "DATA_LOSS", "outside 100 to 200"],
  ["a point at its end", response(1, blockOf([200n, 1])), "DATA_LOSS", "outside 100 to 200"],
];

/** A server that answers `RawValues` with messages. */
async function answering(
  messages: readonly Uint8Array[],
  use: (endpoint: Endpoint) => Promise<void>,
): Promise<void> {
  const server = createServer((request, reply) => {
    request.resume();
    const isInfo = request.url!.endsWith("/Info");
    reply.writeHead(200, { "content-type": GRPC_WEB_TYPE });
    for (const message of isInfo ? [info("4.15.9-deno")] : messages) reply.write(frameOf(message));
    reply.end(trailersOf({ code: 0, details: "" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = await connectGrpcWeb({
    addresses: [`grpc-web://127.0.0.1:${port}`],
    protocol: "v4",
    retry: false,
  });
  try {
    await use(endpoint);
  } finally {
    await endpoint.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

for (const [name, message, status, text] of HOSTILE) {
  Deno.test(`rawValues: ${name} in blocks is ${status}`, async () => {
    await answering([message], async (endpoint) => {
      const error = await assertRejects(() => read(endpoint, 11n, 100n, 200n), BTrDBError, text);
      assertEquals(error.status, status);
    });
  });
}

Deno.test("rawValues: points and blocks may alternate, within a message too", async () => {
  const messages = [
    raw([[101n, 7]]),
    joined(raw([[105n, 8]]), response(2, good)),
    response(3, blockOf([130n, 3]), blockOf([140n, 4], [140n, 5])),
    raw([[150n, -0]]),
  ];
  await answering(messages, async (endpoint) => {
    const times = [101n, 105n, 110n, 120n, 130n, 140n, 140n, 150n];
    const values = [7, 8, 1, 2, 3, 4, 5, -0];
    assertSameBits(await read(endpoint, 11n, 100n, 200n), {
      times: BigInt64Array.from(times),
      values: Float64Array.from(values),
    });
  });
});

Deno.test("rawValues: the most points of a message come from few bytes", async () => {
  assertLess(most.length, 8_192);
  await answering([response(MAX_POINTS_IN_BLOCKS, most)], async (endpoint) => {
    const { times } = await read(endpoint, 11n, 100n, 200n);
    assertEquals(times.length, MAX_POINTS_IN_BLOCKS);
    assertGreater(times.length, 0);
  });
});
