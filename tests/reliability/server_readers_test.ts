/**
 * Clients that read slowly, vanish, or ask for very much, at a server of its own process: its memory
 * stays where it was, their queries end with them, and others are served meanwhile. The points are
 * random: what compresses well would hide what is buffered.
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { delay } from "../../src/core/call.ts";
import { type BTrDB, connect, type Stream } from "@btrdb/btrdb";
import { RawValuesParamsSchema, WindowsParamsSchema } from "../../src/gen/btrdb_v5_pb.ts";
import { RawClient } from "../support/grpc_client.ts";
import { Random } from "../support/random.ts";
import { HANG_MS, until } from "../support/until.ts";
import { ServedDatabase } from "./support/served_database.ts";

/** 48 MB as messages: more than windows and buffers of both sides hold. */
const POINTS = 2_400_000;

const READERS = 8;

/** Most memory that a server may gain while its readers sleep, MB: their windows, and garbage. */
const GROWTH_MB = 150;

async function withServer(
  use: (server: ServedDatabase, db: BTrDB, stream: Stream) => Promise<void>,
): Promise<void> {
  const server = await ServedDatabase.start("memory:");
  try {
    await using db = await connect(server.address);
    await use(server, db, await db.create(crypto.randomUUID(), "readers"));
  } finally {
    const { code, errors } = await server.stop();
    assertEquals([code, errors], [0, ""]);
  }
}

/** Inserts points that do not compress. */
async function fill(stream: Stream): Promise<void> {
  const random = new Random(3);
  const batch = 100_000;
  for (let from = 0; from < POINTS; from += batch) {
    await stream.insert({
      times: BigInt64Array.from({ length: batch }, (_, i) => BigInt(from + i) * 1_000_003n),
      values: Float64Array.from({ length: batch }, () => random.next() * 2 ** random.int(-60, 60)),
    });
  }
  await stream.flush();
}

/** Waits until nobody's call is worked on. */
function idle(server: ServedDatabase): Promise<void> {
  return until(
    "the queries of clients that are gone end",
    async () => await server.metric("btrdb_server_calls_running") === 0,
  );
}

const uuidOf = (stream: Stream) => Uint8Array.fromHex(stream.uuid.replaceAll("-", ""));

const allOf = (stream: Stream) =>
  toBinary(
    RawValuesParamsSchema,
    create(RawValuesParamsSchema, { uuid: uuidOf(stream), start: 0n, end: 1n << 60n }),
  );

Deno.test("serve: readers that stop reading do not make the server grow", () =>
  withServer(async (server, _db, stream) => {
    await fill(stream);
    assertEquals((await stream.rawValues(0n, 1n << 60n).collect()).length, POINTS);
    const before = (await server.memory())!;
    const clients = Array.from({ length: READERS }, () => new RawClient(server.address));
    const calls = clients.map((client) => client.open("/v5api.BTrDB/RawValues", allOf(stream)));
    const first = calls.map((call) =>
      new Promise<void>((resolve) => {
        call.on("error", () => {});
        call.once("data", () => {
          call.pause();
          resolve();
        });
      })
    );
    await Promise.all(first);
    let most = 0;
    for (let i = 0; i < 15; i++) {
      await delay(100);
      most = Math.max(most, (await server.memory())!.resident);
    }
    assertEquals(await server.metric("btrdb_server_calls_running"), READERS);
    assert(most - before.resident < GROWTH_MB, `grew from ${before.resident} to ${most} MB`);
    for (const client of clients) client[Symbol.dispose]();
    for (const call of calls) call.cancel();
    await idle(server);
  }));

Deno.test("serve: a client that is killed frees its queries", () =>
  withServer(async (server, _db, stream) => {
    await fill(stream);
    const program = `
      import { RawClient } from ${
      JSON.stringify(new URL("../support/grpc_client.ts", import.meta.url).href)
    };
      const client = new RawClient(${JSON.stringify(server.address)});
      const request = Uint8Array.fromHex("${allOf(stream).toHex()}");
      for (let i = 0; i < 5; i++) {
        const call = client.open("/grpcinterface.BTrDB/RawValues", request);
        call.once("data", () => call.pause());
        call.on("error", () => {});
      }
      setInterval(() => {}, 1000);`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--ext=ts", "-"],
      cwd: new URL("../../", import.meta.url),
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(program));
    await writer.close();
    await until(
      "five queries run",
      async () => await server.metric("btrdb_server_calls_running") === 5,
    );
    child.kill("SIGKILL");
    await child.status;
    await idle(server);
  }));

Deno.test("serve: queries for more than anybody can read do not starve others", () =>
  withServer(async (server, _db, stream) => {
    await stream.insert([[1n, 1], [1n << 50n, 2]]);
    await stream.flush();
    const windows = toBinary(
      WindowsParamsSchema,
      create(WindowsParamsSchema, {
        uuid: uuidOf(stream),
        start: -(1n << 59n),
        end: 1n << 61n,
        width: 1n,
      }),
    );
    const before = (await server.memory())!;
    let messages = 0;
    const clients = Array.from({ length: READERS }, () => new RawClient(server.address));
    const calls = clients.map((client) => client.open("/v5api.BTrDB/Windows", windows));
    for (const call of calls) {
      call.on("error", () => {});
      call.on("data", () => messages++);
    }
    const waits: number[] = [];
    for (let i = 0; i < 60; i++) {
      const before = messages;
      assertEquals((await stream.nearest(1n << 50n, { timeoutMs: HANG_MS }))?.value, 2);
      waits.push(messages - before);
      await delay(5);
    }
    const grown = (await server.memory())!.resident - before.resident;
    for (const client of clients) client[Symbol.dispose]();
    for (const call of calls) call.cancel();
    await idle(server);
    waits.sort((a, b) => a - b);
    // Ten messages of the eight queries, as measured: they take turns.
    assert(waits[30]! < 200, `half of the small reads took over ${waits[30]} messages`);
    assert(grown < GROWTH_MB, `grew by ${grown} MB`);
  }));
