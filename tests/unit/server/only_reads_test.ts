/**
 * Servers of a file that another one writes (docs/server.md, "More servers of one file"). Writes at
 * such a server failed as "internal error", and subscriptions waited for ever.
 */

import { fromBinary } from "@bufbuild/protobuf";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type BTrDB, BTrDBError, connect } from "../../../mod.ts";
import { FlushResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { SERVICES } from "../../../src/server/btrdb/service.ts";
import { type ApiKey, serve, type ServeOptions, type Server } from "../../../src/server/mod.ts";
import { isNotImplemented } from "../../../src/web/page/connection.ts";
import { RawClient } from "../../support/grpc_client.ts";

const UUID = "00000000-0000-4000-8000-000000000001";
const TEXT = "this server only reads the database: send writes to the server that writes it";

interface Both {
  readonly path: string;
  readonly writer: BTrDB;
  readonly reader: BTrDB;
  readonly server: Server;
}

/** A database that is open for writing, and a server that has its file open for reading. */
async function withBoth(work: (both: Both) => Promise<void>, options: ServeOptions = {}) {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/grid.btrdb`;
    await using writer = await connect(`file:${path}`);
    const stream = await writer.create(UUID, "pmu/a", { tags: { name: "a" } });
    await stream.insert([[1n, 1], [2n, 2]]);
    await using reader = await connect(`file:${path}`, { embedded: { readOnly: true } });
    await using server = await serve(reader, { port: 0, ...options });
    await work({ path, writer, reader, server });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("serve for reading only: every call that writes is refused with 447, once, and writes nothing", async () => {
  await withBoth(async ({ writer, server }) => {
    using client = new RawClient(server.address);
    let refused = 0;
    for (const [service, table] of Object.entries(SERVICES)) {
      for (const [rpc, { needs }] of Object.entries(table)) {
        if (needs !== "insert" && needs !== "delete" && needs !== "obliterate") continue;
        const { code, messages } = await client.call(`/${service}/${rpc}`, new Uint8Array());
        assertEquals(code, 0, rpc);
        const { stat } = fromBinary(FlushResponseSchema, messages[0]!);
        assertEquals(stat?.code, 447, rpc);
        assertStringIncludes(stat!.msg, TEXT);
        refused++;
      }
    }
    assert(refused >= 15, `${refused}`);
    for (const protocol of ["v4", "v5"] as const) {
      await using db = await connect(server.address, { protocol });
      const stream = db.streamFromUUID(UUID);
      const writes: Record<string, () => Promise<unknown>> = {
        insert: () => stream.insert([[3n, 3]]),
        patch: () => stream.patch([[1n, 3]]),
        delete: () => stream.deleteRange(0n, 10n),
        flush: () => stream.flush(),
        annotate: () => stream.setAnnotations({ a: "b" }),
        create: () => db.create(crypto.randomUUID(), "pmu/b"),
        obliterate: () => stream.obliterate(),
      };
      for (const [name, write] of Object.entries(writes)) {
        const error = await assertRejects(write, BTrDBError, TEXT, name);
        assertEquals([error.code, error.status, error.retryable], [
          447,
          "OperationNotAllowed",
          false,
        ], name);
      }
    }
    const [, inserts] = /rpc="InsertMany",code="447"\} (\d+)/.exec(server.metrics()) ?? [];
    const [, single] = /v5api.BTrDB",rpc="Insert",code="447"\} (\d+)/.exec(server.metrics()) ?? [];
    // One each of the bare calls above, and one each of `insert` and `patch`: nothing is repeated.
    assert(Number(inserts) + Number(single) <= 4, server.metrics());
    const kept = await writer.streamFromUUID(UUID).rawValues(0n, 10n).collect();
    assertEquals([...kept.times], [1n, 2n]);
  });
});

Deno.test("serve for reading only: a missing right is told first, and keys go on to count", async () => {
  const apiKeys: ApiKey[] = [
    { key: "w", capabilities: ["read", "insert"] },
    { key: "r", capabilities: ["read"] },
  ];
  await withBoth(async ({ server }) => {
    for (const [apiKey, status] of [["w", "OperationNotAllowed"], ["r", "PERMISSION_DENIED"]]) {
      await using db = await connect(`127.0.0.1:${server.port}`, { apiKey: apiKey! });
      const stream = db.streamFromUUID(UUID);
      assertEquals((await stream.rawValues(0n, 10n).collect()).times.length, 2);
      const error = await assertRejects(() => stream.insert([[3n, 3]]), BTrDBError);
      assertEquals(error.status, status);
    }
  }, { apiKeys, hostname: "127.0.0.1" });
});

// The plotter took the code for a lost connection, told so, and subscribed again every two seconds, at
// proxies of v4 servers too.
Deno.test("serve for reading only: a subscription is refused with 501, and the plotter looks at versions", async () => {
  await withBoth(async ({ writer, reader, server }) => {
    for (const target of [server.address, `grpc-web://127.0.0.1:${server.httpPort}`]) {
      await using db = await connect(target);
      const subscribe = async () => {
        for await (const _ of db.subscribe([db.streamFromUUID(UUID)])) return;
      };
      const refused = assertRejects(subscribe, BTrDBError, "open for reading only");
      await writer.streamFromUUID(UUID).insert([[3n, 3]]);
      const error = await refused;
      assertEquals([error.code, error.retryable, isNotImplemented(error)], [501, false, true]);
    }
    const here = async () => {
      for await (const _ of reader.subscribe([reader.streamFromUUID(UUID)])) return;
    };
    assert(isNotImplemented(await assertRejects(here, BTrDBError)));
  }, { http: { port: 0 } });
});

Deno.test("serve for reading only: line protocol is refused when the server starts", async () => {
  await withBoth(async ({ reader }) => {
    const http = { port: 0, write: true };
    await assertRejects(() => serve(reader, { port: 0, http }), TypeError, "http.write is set");
  });
});

Deno.test("serve for reading only: SQL, data by URL, pages, probes and metrics are those of any server", async () => {
  await withBoth(async ({ writer, server }) => {
    await using db = await connect(server.address);
    await writer.streamFromUUID(UUID).setAnnotations({ seen: "at once" });
    const rows = await Array.fromAsync(db.sql("SELECT name FROM streams"));
    assertEquals(rows, [{ name: "a" }]);
    assertEquals((await db.streamFromUUID(UUID).annotations())[0], { seen: "at once" });
    const at = `http://127.0.0.1:${server.httpPort}`;
    const csv = await (await fetch(`${at}/api/v1/data.csv?stream=${UUID}`)).text();
    assertEquals(csv.trim().split("\n").length, 3, csv);
    for (const url of [at, `http://127.0.0.1:${server.metricsPort}/readyz`]) {
      const { ok, body } = await fetch(url);
      await body?.cancel();
      assert(ok, url);
    }
    const written = await fetch(`${at}/write?db=x`, { method: "POST", body: "m v=1" });
    assertEquals([written.status, await written.text() === ""], [404, false]);
  }, { http: { port: 0 }, metricsPort: 0 });
});

for (const workers of [0, 1]) {
  // A server whose file had been replaced by a restored backup went on to answer from the old one.
  Deno.test(`serve for reading only: a replaced file is told to clients and operator, ${workers} workers`, async () => {
    const told: unknown[] = [];
    const onError = (error: unknown) => told.push(error);
    await withBoth(async ({ path, server }) => {
      await using db = await connect(server.address);
      const stream = db.streamFromUUID(UUID);
      await stream.rawValues(0n, 10n).collect();
      await Deno.copyFile(path, `${path}-new`);
      await Deno.rename(`${path}-new`, path);
      for (const read of [() => stream.rawValues(0n, 10n).collect(), () => stream.nearest(0n)]) {
        const error = await assertRejects(read, BTrDBError, "must be started again");
        assertEquals([error.status, error.retryable], ["FAILED_PRECONDITION", false]);
        assert(!error.message.includes(path));
      }
      const url = `http://127.0.0.1:${server.httpPort}/api/v1/data.csv?stream=${UUID}`;
      const reply = await fetch(url);
      assertEquals(reply.status, 500);
      assertStringIncludes(await reply.text(), "must be started again");
      assertEquals(told.map((error) => (error as BTrDBError).status), Array(3).fill("MOVED"));
    }, { workers, http: { port: 0 }, onError }).catch((error) => {
      // The writer's own database says the same at its end.
      if (!(error instanceof BTrDBError) || error.status !== "MOVED") throw error;
    });
    assertEquals(told.length, 3);
  });
}
