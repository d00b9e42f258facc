/** Inserts of several streams in one message: client and server. */

import { setImmediate } from "node:timers";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BTrDBError } from "../../../src/core/errors.ts";
import { connect } from "../../../mod.ts";
import type { Endpoint, InsertRequest } from "../../../src/endpoint/endpoint.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import {
  InsertManyParamsSchema,
  InsertManyResponseSchema,
} from "../../../src/gen/btrdb_deno_pb.ts";
import { InfoResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { type CallEvent, connectGrpc, type GrpcOptions } from "../../../src/grpc/mod.ts";
import { encodeInsert } from "../../../src/kernel/wire.ts";
import { serve, type ServeOptions, type Server } from "../../../src/server/mod.ts";
import { columnsAt, columnsOf } from "../../support/engine.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { override } from "../../support/override_endpoint.ts";
import { info, versioned } from "../../support/grpc/scripted_answers.ts";
import { type Script, ScriptedServer, status } from "../../support/grpc/scripted_server.ts";
import { HANG_MS } from "../../support/until.ts";

const PATH = "/btrdbdeno.Batches/InsertMany";

function uuidAt(index: number): Uint8Array {
  const uuid = new Uint8Array(16).fill(7);
  new DataView(uuid.buffer).setUint32(0, index);
  return uuid;
}

async function createStreams(engine: Engine, count: number, collection = "many"): Promise<void> {
  for (let i = 0; i < count; i++) {
    const tags = new Map([["name", `s${i}`]]);
    await engine.create({ uuid: uuidAt(i), collection, tags, annotations: new Map() });
  }
}

interface Bench {
  readonly engine: Engine;
  readonly server: Server;
  readonly client: Endpoint;
  /** Calls that ended, as hooks see them. */
  readonly calls: CallEvent[];
}

async function withServer(
  options: { serve?: ServeOptions; client?: Partial<GrpcOptions>; own?: (e: Engine) => Endpoint },
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  await using engine = await openEngine();
  await using server = await serve(options.own?.(engine) ?? engine, { port: 0, ...options.serve });
  const calls: CallEvent[] = [];
  const client = await connectGrpc({
    addresses: [server.address],
    hooks: { onEnd: (event) => event.rpc === "Insert" && calls.push(event) },
    ...options.client,
  });
  try {
    await body({ engine, server, client, calls });
  } finally {
    await client.close();
  }
}

/** The calls of a method that a server has answered. */
function countOf(server: Server, rpc: string): number {
  const lines = server.metrics().split("\n").filter((line) =>
    line.startsWith("btrdb_server_calls_total{") && line.includes(`rpc="${rpc}"`)
  );
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

function insertOf(index: number, times: number[]): InsertRequest {
  return { uuid: uuidAt(index), columns: columnsOf(times.map((time) => [time, index])) };
}

Deno.test("GrpcEndpoint.insert: what is pending at once shares messages, each with its own version", async () => {
  await withServer({}, async ({ engine, server, client, calls }) => {
    await createStreams(engine, 1_200);
    const all = Array.from({ length: 1_200 }, (_, i) => i);
    for (let round = 1; round <= 3; round++) {
      const versions = await Promise.all(
        all.map((i) =>
          client.insert(insertOf(i, Array.from({ length: i % 5 }, (_, k) => 10 * k + round)))
        ),
      );
      for (const i of all) {
        assertEquals(versions[i], { major: 10n, minor: BigInt(round * (i % 5)) });
      }
    }
    for (const i of all) {
      const { times } = await columnsAt(engine, uuidAt(i));
      assertEquals(times.length, 3 * (i % 5));
    }
    // The first round asks for each stream's version before; the others are 3 messages of 512 at most.
    assert(countOf(server, "InsertMany") >= 6);
    const points = calls.reduce((sum, event) => sum + event.points, 0);
    assertEquals(points, all.reduce((sum, i) => sum + 3 * (i % 5), 0));
    // Streams without points have been asked for nothing so far.
    for (const time of [98, 99]) {
      calls.length = 0;
      await Promise.all(all.map((i) => client.insert(insertOf(i, [time]))));
    }
    assertEquals(calls.map(({ uuid, points }) => [uuid, points]).sort(), [
      [undefined, 176],
      [undefined, 512],
      [undefined, 512],
    ]);
    await client.insert(insertOf(1, [100]));
    assertEquals(calls.at(-1)!.uuid, "00000001-0707-0707-0707-070707070707");
    assertEquals(countOf(server, "Insert") > 0, true);
  });
});

Deno.test("GrpcEndpoint.insert: merge policies and rounding of inserts that share a message are their own", async () => {
  await withServer({}, async ({ engine, client, calls }) => {
    await createStreams(engine, 4);
    for (let i = 0; i < 4; i++) await engine.insert(insertOf(i, [5]));
    const columns = columnsOf([[5, 2.7182818], [6, 2.7182818]]);
    await Promise.all([
      client.insert({ uuid: uuidAt(0), columns, mergePolicy: "retain" }),
      client.insert({ uuid: uuidAt(1), columns, mergePolicy: "replace" }),
      client.insert({ uuid: uuidAt(2), columns, mergePolicy: "equal", roundBits: 4 }),
      client.insert({ uuid: uuidAt(3), columns: columnsOf([]) }),
    ]);
    assertEquals(calls.length, 1);
    const values = await Promise.all([0, 1, 2, 3].map(async (i) => [
      ...(await columnsAt(engine, uuidAt(i))).values,
    ]));
    assertEquals(values, [[0, 2.7182818], [2.7182818, 2.7182818], [2, 2.75, 2.75], [3]]);
  });
});

Deno.test("GrpcEndpoint.insert: of inserts that share a message each fails alone, as if it had come alone", async () => {
  const own = (engine: Engine) =>
    override(engine, {
      insert(request, options) {
        if (request.uuid[3] === 3) throw new Error("disk on fire");
        if (request.uuid[3] === 4) {
          throw new BTrDBError("not today", { status: "FAILED_PRECONDITION" });
        }
        return engine.insert(request, options);
      },
    });
  const reported: unknown[] = [];
  const options = {
    own,
    serve: { onError: (error: unknown) => void reported.push(error) },
    client: { retry: false as const },
  };
  await withServer(options, async ({ engine, client, calls }) => {
    await createStreams(engine, 6);
    const together = await Promise.allSettled(
      [0, 1, 77, 3, 4, 5].map((i) => client.insert(insertOf(i, [1]))),
    );
    assertEquals([calls.length, calls[0]!.error], [1, undefined]);
    const alone: PromiseSettledResult<unknown>[] = [];
    for (const i of [0, 1, 77, 3, 4, 5]) {
      alone.push(...await Promise.allSettled([client.insert(insertOf(i, [1]))]));
    }
    const told = (settled: PromiseSettledResult<unknown>) => {
      if (settled.status === "fulfilled") return "stored";
      const { message, code, status, rpc, uuid, retryable } = settled.reason as BTrDBError;
      return { message, code, status, rpc, uuid, retryable };
    };
    assertEquals(together.map(told), alone.map(told));
    assertEquals(together.map(({ status }) => status === "fulfilled"), [
      ...[true, true, false, false, false, true],
    ]);
    assertEquals(reported.map(String), ["Error: disk on fire", "Error: disk on fire"]);
  });
});

Deno.test("serve: InsertMany refuses only the streams that a key may not write", async () => {
  const apiKeys = [
    { key: "ours", capabilities: ["read", "insert"] as const, collectionPrefixes: ["ours/"] },
    { key: "reader", capabilities: ["read"] as const },
  ];
  await withServer({
    serve: { apiKeys: apiKeys as never },
    client: { apiKey: "ours", retry: false },
  }, async (bench) => {
    const { engine, server, client } = bench;
    await createStreams(engine, 2, "ours/a");
    const tags = new Map([["name", "x"]]);
    await engine.create({ uuid: uuidAt(2), collection: "theirs", tags, annotations: new Map() });
    const settled = await Promise.allSettled([0, 2, 1].map((i) => client.insert(insertOf(i, [1]))));
    assertEquals(settled.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    const { reason } = settled[1] as PromiseRejectedResult;
    assertEquals(reason.status, "PERMISSION_DENIED");
    assertEquals((await columnsAt(engine, uuidAt(2))).times.length, 0);
    using raw = new RawClient(server.address);
    const headers = { authorization: "bearer reader" };
    assertEquals((await raw.call(PATH, new Uint8Array(), { headers })).code, 7);
    assertEquals((await raw.call(PATH, new Uint8Array())).code, 7);
  });
});

Deno.test("GrpcEndpoint.insert: inserts with signals and deadlines of their own keep them", async () => {
  const wait = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const own = (engine: Engine) =>
    override(engine, {
      async insert(request, options) {
        if (request.uuid[3]! < 2) {
          if (request.uuid[3] === 1) begun.resolve();
          await wait.promise;
        }
        return await engine.insert(request, options);
      },
    });
  await withServer({ own, client: { retry: false } }, async ({ engine, client, calls }) => {
    await createStreams(engine, 8);
    const early = AbortSignal.abort(new Error("before"));
    const controller = new AbortController();
    const { signal } = controller;
    const deadlineMs = Date.now() + HANG_MS;
    const results = Promise.allSettled([
      client.insert(insertOf(0, [1]), { signal }),
      client.insert(insertOf(1, [1]), { signal }),
      client.insert(insertOf(2, [1]), { signal: early }),
      client.insert(insertOf(3, [1])),
      client.insert(insertOf(4, [1])),
      client.insert(insertOf(5, [1]), { deadlineMs }),
      client.insert(insertOf(6, [1]), { deadlineMs }),
      client.insert(insertOf(7, [1]), { deadlineMs: Date.now() - 1 }),
    ]);
    await begun.promise;
    controller.abort(new Error("enough"));
    const settled = await results;
    const told = settled.map((one) => one.status === "fulfilled" ? "stored" : one.reason.message);
    assertEquals(told.slice(0, 7), [
      ...["enough", "enough", "before", "stored", "stored", "stored", "stored"],
    ]);
    assertEquals((settled[7] as PromiseRejectedResult).reason.status, "DEADLINE_EXCEEDED");
    assertEquals(calls.filter(({ points }) => points === 2).length, 3);
    wait.resolve();
  });
});

/** A v5 server that announces that it takes inserts together. */
function announcing(answer: Script): Script {
  return (call) => {
    if (call.rpc === "Info") return call.send(info("5.30.0-deno+batches", [], [5, 30]));
    return answer(call);
  };
}

Deno.test("GrpcEndpoint.insert: a server that does not know InsertMany any more gets inserts one by one", async () => {
  const script = announcing((call) => {
    if (call.path === PATH) throw status(12, "unknown service btrdbdeno.Batches");
    return call.send(versioned(10n, 3n));
  });
  await using server = await ScriptedServer.start(script);
  const client = await connectGrpc({ addresses: [server.address], retry: false });
  for (let round = 0; round < 2; round++) {
    const versions = await Promise.all([1, 2, 3].map((i) => client.insert(insertOf(i, [1]))));
    assertEquals(versions.map(({ minor }) => minor), [3n, 3n, 3n]);
  }
  assertEquals([server.count("InsertMany"), server.count("Insert")], [1, 6]);
  await client.close();
});

Deno.test("GrpcEndpoint.insert: an answer with too few outcomes, or garbage, is believed in no insert", async () => {
  const answers = [
    toBinary(InsertManyResponseSchema, create(InsertManyResponseSchema, { outcomes: [{}] })),
    new Uint8Array([0xff, 0xff]),
  ];
  for (const answer of answers) {
    await using server = await ScriptedServer.start(announcing((call) => call.send(answer)));
    const client = await connectGrpc({ addresses: [server.address], retry: false });
    const settled = await Promise.allSettled([1, 2].map((i) => client.insert(insertOf(i, [1]))));
    for (const [i, one] of settled.entries()) {
      const { status, uuid, rpc } = (one as PromiseRejectedResult).reason as BTrDBError;
      assertEquals([status, rpc, uuid?.slice(0, 8)], ["DATA_LOSS", "Insert", `0000000${i + 1}`]);
    }
    await client.close();
  }
});

Deno.test("GrpcEndpoint.insert: a call that is refused as a whole is repeated for each insert", async () => {
  let refusals = 2;
  const script = announcing((call) => {
    if (call.rpc === "StreamInfo") return call.send(versioned(10n));
    if (refusals-- > 0) {
      const stat = { code: 426, msg: "The cluster is overwhelmed and is shedding load." };
      return call.send(
        toBinary(InsertManyResponseSchema, create(InsertManyResponseSchema, { stat })),
      );
    }
    if (call.rpc === "Insert") return call.send(versioned(10n, 1n));
    const { inserts } = fromBinary(InsertManyParamsSchema, call.request);
    const outcomes = inserts.map(() => ({
      response: versioned(10n, 1n) as Uint8Array<ArrayBuffer>,
    }));
    return call.send(
      toBinary(InsertManyResponseSchema, create(InsertManyResponseSchema, { outcomes })),
    );
  });
  await using server = await ScriptedServer.start(script);
  const client = await connectGrpc({ addresses: [server.address], retry: { initialDelayMs: 1 } });
  const request = (i: number) => ({ ...insertOf(i, [1]), mergePolicy: "retain" as const });
  const versions = await Promise.all([1, 2, 3].map((i) => client.insert(request(i))));
  assertEquals(versions.map(({ minor }) => minor), [1n, 1n, 1n]);
  await client.close();
});

Deno.test("GrpcEndpoint.close: inserts that were called before are stored", async () => {
  await withServer({ client: { retry: false } }, async ({ engine, client }) => {
    await createStreams(engine, 2);
    const inserts = [client.insert(insertOf(0, [1])), client.insert(insertOf(1, [1]))];
    await client.close();
    await Promise.all(inserts);
    assertEquals((await columnsAt(engine, uuidAt(1))).times.length, 1);
  });
});

Deno.test("GrpcEndpoint.insert: long inserts go alone, and after those that came before", async () => {
  await withServer({ client: { retry: false } }, async ({ engine, client, calls }) => {
    await createStreams(engine, 3);
    const long = Array.from({ length: 30_000 }, () => 7);
    await Promise.all([
      client.insert(insertOf(0, [7])),
      client.insert(insertOf(1, [7])),
      client.insert({ uuid: uuidAt(0), columns: columnsOf(long.map((time) => [time, 5])) }),
      client.insert(insertOf(2, [7])),
    ]);
    const { values } = await columnsAt(engine, uuidAt(0));
    assertEquals([values.length, values[0]], [30_001, 0]);
    assertEquals(calls.map(({ points }) => points).sort(), [1, 2, 30_000]);
  });
});

Deno.test("serve: InsertMany is announced where messages may be long enough, and bounded", async () => {
  for (
    const [messageBytes, build] of [[1 << 20, "5.30.0-deno+batches"], [
      1 << 19,
      "5.30.0-deno",
    ]] as const
  ) {
    await withServer(
      { serve: { limits: { messageBytes } } },
      async ({ client, server, engine }) => {
        assertEquals((await client.info()).build, build);
        await createStreams(engine, 2);
        await Promise.all(
          [0, 1].map((i) => client.insert({ ...insertOf(i, [1]), mergePolicy: "retain" })),
        );
        assertEquals(countOf(server, "InsertMany"), build.endsWith("batches") ? 1 : 0);
        using raw = new RawClient(server.address);
        const v4 = fromBinary(
          InfoResponseSchema,
          (await raw.call("/grpcinterface.BTrDB/Info", new Uint8Array())).messages[0]!,
        );
        assertEquals(v4.build, "4.15.9-deno");
        const one = encodeInsert({ ...insertOf(0, [2]), protocol: "v5" }) as Uint8Array<
          ArrayBuffer
        >;
        const answer = async (inserts: Uint8Array<ArrayBuffer>[]) => {
          const params = create(InsertManyParamsSchema, { inserts });
          const { code, messages } = await raw.call(PATH, toBinary(InsertManyParamsSchema, params));
          assertEquals(code, 0);
          return fromBinary(InsertManyResponseSchema, messages[0]!);
        };
        assertEquals((await answer(Array(4_097).fill(one))).stat?.code, 421);
        assertEquals((await columnsAt(engine, uuidAt(0))).times.length, 1);
        const { outcomes } = await answer([one, new Uint8Array([0xff]), one]);
        assertEquals(outcomes.map(({ code, response }) => [code, response.length > 0]), [
          ...[[0, true], [13, false], [0, true]],
        ]);
        assertEquals((await answer([])).outcomes, []);
      },
    );
  }
});

Deno.test("connectGrpc: small bounds of answers leave inserts alone", async () => {
  await withServer({ client: { maxMessageBytes: 1 << 20, retry: false } }, async (bench) => {
    await createStreams(bench.engine, 2);
    await Promise.all([0, 1].map((i) => bench.client.insert(insertOf(i, [1]))));
    assertEquals(countOf(bench.server, "InsertMany"), 0);
  });
});

Deno.test("gRPC-Web: inserts that are pending at once share messages", async () => {
  await using engine = await openEngine();
  await using server = await serve(engine, { port: 0, http: { port: 0 } });
  await createStreams(engine, 50);
  await using db = await connect(`grpc-web://127.0.0.1:${server.httpPort}`);
  const streams = Array.from({ length: 50 }, (_, i) => {
    return db.streamFromUUID(uuidAt(i));
  });
  for (let round = 0; round < 2; round++) {
    await Promise.all(streams.map((stream) => stream.insert([[BigInt(round), 1]])));
  }
  const many = countOf(server, "InsertMany");
  assert(many >= 1 && many <= 50, `${many} messages`);
  assertEquals((await columnsAt(engine, uuidAt(49))).times.length, 2);
  await assertRejects(() => db.streamFromUUID(uuidAt(99)).insert([[1n, 1]]), BTrDBError);
});

Deno.test("GrpcEndpoint.insert: few bytes are under way, and what waits for them can be given up", async () => {
  const answers = Promise.withResolvers<void>();
  let arrived = 0;
  const own = (engine: Engine) =>
    override(engine, {
      async insert(request, options) {
        arrived += request.columns.times.length;
        await answers.promise;
        return await engine.insert(request, options);
      },
    });
  await withServer({ own, client: { retry: false } }, async ({ engine, client }) => {
    await createStreams(engine, 100);
    const times = Array.from({ length: 2_000 }, (_, i) => i);
    const inserts = Array.from({ length: 100 }, (_, i) => client.insert(insertOf(i, times)));
    const controller = new AbortController();
    const given = client.insert(insertOf(0, [1]), { signal: controller.signal });
    const late = client.insert(insertOf(0, [1]), { deadlineMs: Date.now() + 50 });
    assertEquals((await assertRejects(() => late, BTrDBError)).status, "DEADLINE_EXCEEDED");
    controller.abort(new Error("enough"));
    await assertRejects(() => given, Error, "enough");
    // 100 inserts of 34 kB; a million bytes and a message more are under way.
    assert(arrived <= 100_000, `${arrived} points have arrived`);
    answers.resolve();
    await Promise.all(inserts);
    assertEquals(arrived, 200_000);
  });
});

// Unknown fields, in inserts that are short each, held the server until the last one was decoded.
Deno.test("InsertMany: a large message gives way while its inserts are decoded", async () => {
  let turn = 0;
  const turns = new Set<number>();
  const own = (engine: Engine) =>
    override(engine, {
      insert(request, options) {
        turns.add(turn);
        return engine.insert(request, options);
      },
    });
  await withServer({ own }, async ({ engine, server }) => {
    await createStreams(engine, 1);
    using raw = new RawClient(server.address);
    const one = encodeInsert({ ...insertOf(0, [2]), protocol: "v5" });
    // Field 2047 with the value 1: three bytes, to be passed over.
    const padded = new Uint8Array(one.length + 3 * 20_000);
    padded.set(one);
    for (let at = one.length; at < padded.length; at += 3) padded.set([0xf8, 0x7f, 1], at);
    const inserts = Array.from({ length: 250 }, () => padded);
    const message = toBinary(InsertManyParamsSchema, create(InsertManyParamsSchema, { inserts }));
    let isOver = false;
    const next = () => {
      turn++;
      if (!isOver) setImmediate(next);
    };
    next();
    const { code, details, messages } = await raw.call(PATH, message);
    isOver = true;
    assertEquals([code, details], [0, "OK"]);
    const { outcomes } = fromBinary(InsertManyResponseSchema, messages[0]!);
    assert(outcomes.every(({ code }) => code === 0));
    assert(turns.size > 5, `${turns.size} turns`);
  });
});
