/** Tests of `serve` with worker threads. */

import { create, toBinary } from "@bufbuild/protobuf";
import { assertEquals, assertRejects } from "@std/assert";
import { type BTrDB, BTrDBError, connect } from "../../../mod.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { ReaderPool } from "../../../src/engine/readers/reader_pool.ts";
import { ReaderThread } from "../../../src/engine/readers/reader_thread.ts";
import { frameOf, GRPC_WEB_TYPE } from "../../../src/core/grpc_web.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { askForBlocks } from "../../../src/kernel/wire.ts";
import { serve } from "../../../src/server/mod.ts";
import { createStream } from "../../support/engine.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { override } from "../../support/override_endpoint.ts";

async function withFile(work: (engine: Engine, path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/workers.btrdb`;
    await using engine = await openEngine({ path });
    await work(engine, path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function points(from: number, n: number) {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(from + i)),
    values: new Float64Array(n).fill(1),
  };
}

Deno.test("serve: workers are for databases in a file, 0 to 64", async () => {
  await using memory = await openEngine();
  const text = "Cannot serve: workers is 2, expected 0 for what is not in a file here";
  await assertRejects(() => serve(memory, { port: 0, workers: 2 }), TypeError, text);
  await using served = await serve(memory, { port: 0 });
  await using proxied = await connect(served.address);
  await assertRejects(() => serve(proxied, { port: 0, workers: 2 }), TypeError, text);
  for (const workers of [-1, 65, 1.5, NaN, "2" as unknown as number]) {
    const range = `Cannot serve: workers is ${JSON.stringify(workers) ?? workers}`
      .replace("null", "NaN");
    await assertRejects(() => serve(memory, { port: 0, workers }), RangeError, range);
  }
});

Deno.test("serve with workers: every client sees what any client was acknowledged", async () => {
  await withFile(async (engine) => {
    await using server = await serve(engine, { port: 0, workers: 2 });
    await using writer = await connect(server.address);
    const readers = [await connect(server.address), await connect(server.address)];
    const streams = await Promise.all(Array.from({ length: 4 }, (_, i) => {
      const uuid = `00000000-0000-4000-8000-00000000000${i}`;
      return writer.create(uuid, "workers", { tags: { name: `s${i}` } });
    }));
    const countAt = async (db: BTrDB, uuid: string) => {
      const stream = db.streamFromUUID(uuid);
      const raw = await stream.rawValues(0n, 1n << 40n).collect();
      const windows = await stream.windows(0n, 4096n, 1024n).collect();
      return [raw.times.length, Number(windows.count.reduce((sum, n) => sum + n, 0n))];
    };
    await Promise.all(streams.map(async (stream) => {
      for (let i = 0; i < 25; i++) {
        await stream.insert(points(i * 100, 100));
        if (i % 5 === 4) await stream.flush();
        for (const db of readers) {
          const n = 100 * (i + 1);
          assertEquals(await countAt(db, stream.uuid), [n, Math.min(n, 4096)]);
        }
      }
    }));
    for (const db of readers) await db.close();
  });
});

Deno.test("serve with workers: answers are those of a server without, byte for byte", async () => {
  await withFile(async (engine) => {
    const uuid = await createStream(engine);
    await engine.insert({ uuid, columns: points(0, 123_456) });
    await engine.flush(uuid);
    await engine.insert({ uuid, columns: points(200_000, 100) });
    const range = { uuid, start: 0n, end: 1n << 18n };
    const raw = toBinary(pb.RawValuesParamsSchema, create(pb.RawValuesParamsSchema, range));
    const windows = (width: bigint) => {
      const params = create(pb.WindowsParamsSchema, { ...range, width, depth: 0 });
      return toBinary(pb.WindowsParamsSchema, params);
    };
    const aligned = create(pb.AlignedWindowsParamsSchema, { ...range, pointWidth: 3 });
    const calls: [rpc: string, request: Uint8Array][] = [
      ["RawValues", raw],
      ["RawValues", askForBlocks(raw)],
      ["RawValues", toBinary(pb.RawValuesParamsSchema, create(pb.RawValuesParamsSchema, { uuid }))],
      ["Windows", windows(5n)],
      ["Windows", windows(1n << 17n)],
      ["AlignedWindows", toBinary(pb.AlignedWindowsParamsSchema, aligned)],
    ];
    const answers = async (workers: number): Promise<[string, Uint8Array[]][]> => {
      await using server = await serve(engine, { port: 0, workers, http: { port: 0 } });
      using client = new RawClient(server.address);
      const all: [string, Uint8Array[]][] = [];
      for (const service of ["grpcinterface.BTrDB", "v5api.BTrDB"]) {
        for (const [rpc, request] of calls) {
          const { code, messages } = await client.call(`/${service}/${rpc}`, request);
          all.push([`${service} ${rpc} ${code}`, messages]);
          const url = `http://127.0.0.1:${server.httpPort}/${service}/${rpc}`;
          const headers = { "content-type": GRPC_WEB_TYPE };
          const reply = await fetch(url, { method: "POST", headers, body: frameOf(request) });
          all.push([`web ${service} ${rpc}`, [await reply.bytes()]]);
        }
      }
      return all;
    };
    const expected = await answers(0);
    assertEquals(expected.filter(([name]) => name.includes("RawValues 0")).length, 6);
    assertEquals(await answers(2), expected);
  });
});

Deno.test("serve with workers: calls of a thread that ends are UNAVAILABLE, the next one is answered", async () => {
  await withFile(async (engine, path) => {
    const file = { path, cacheBytes: 1 << 20, cacheStreams: 100 };
    const started: ReaderThread[] = [];
    const openReaders = () =>
      Promise.resolve(
        new ReaderPool(1, file, () => {
          started.push(new ReaderThread(file));
          return started.at(-1)!;
        }),
      );
    const watched = override(engine, { openReaders });
    await using server = await serve(watched, { port: 0, workers: 1 });
    await using db = await connect(server.address, { retry: false });
    const stream = await db.create("00000000-0000-4000-8000-000000000001", "workers");
    // More than all buffers between the thread and a client that does not read.
    for (let i = 0; i < 40; i++) await stream.insert(points(i * 100_000, 100_000));
    const chunks = stream.rawValues(0n, 1n << 40n)[Symbol.asyncIterator]();
    await chunks.next();
    await started[0]!.end();
    const error = await assertRejects(async () => {
      while (!(await chunks.next()).done);
    }, BTrDBError);
    assertEquals(error.status, "UNAVAILABLE");
    const { times } = await stream.rawValues(0n, 10n).collect();
    assertEquals([times.length, started.length], [10, 2]);
  });
});

Deno.test("Server.stop: ends the worker threads, with reads under way", async () => {
  await withFile(async (engine) => {
    const server = await serve(engine, { port: 0, workers: 2 });
    await using db = await connect(server.address, { retry: false });
    const stream = await db.create("00000000-0000-4000-8000-000000000001", "workers");
    for (let i = 0; i < 20; i++) await stream.insert(points(i * 100_000, 100_000));
    const chunks = stream.rawValues(0n, 1n << 40n)[Symbol.asyncIterator]();
    await chunks.next();
    await server.stop({ graceful: false });
    await assertRejects(async () => {
      while (!(await chunks.next()).done);
    }, BTrDBError);
    // The database is whole and open.
    const uuid = new Uint8Array(16);
    uuid.set([0x40, 0, 0x80], 6);
    uuid[15] = 1;
    await engine.flush(uuid);
  });
});
