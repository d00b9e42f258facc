/**
 * A server whose database cannot be used any more. `/readyz` and the health service said that all was
 * well after the file had been moved or the disk had broken, so that every insert failed and no
 * orchestrator started the server again; nothing was counted, and the operator heard of it only where
 * `onError` was set.
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import type { Database, OpenDatabase } from "../../../src/engine/file/sqlite.ts";
import { Readiness } from "../../../src/server/readiness.ts";
import { serve, type Server } from "../../../src/server/mod.ts";
import { columnsOf, createStream, pointsOf, regular } from "../../support/engine.ts";
import { FAULTS } from "../../support/faulty_sqlite.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { until } from "../../support/until.ts";

const CHECK = "/grpc.health.v1.Health/Check";
const [SERVING, NOT_SERVING] = [1, 2];

/** Statements of the server about itself, by both ports. */
async function said(server: Server): Promise<[status: number, text: string, health: number]> {
  const reply = await fetch(`http://127.0.0.1:${server.metricsPort}/readyz`);
  using client = new RawClient(server.address);
  const { messages } = await client.call(CHECK, new Uint8Array(0));
  return [reply.status, (await reply.text()).trim(), messages[0]![1]!];
}

const READY: Awaited<ReturnType<typeof said>> = [200, "ready", SERVING];

/** Waits until the server says something else than before. */
async function saidNext(server: Server, is: (status: number) => boolean): Promise<typeof READY> {
  let last = READY;
  await until("the server says so", async () => is((last = await said(server))[0]));
  return last;
}

/** Serves a file. */
async function withServer(
  openDatabase: OpenDatabase,
  work: (parts: { engine: Engine; server: Server; path: string; told: unknown[] }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/grid.btrdb`;
  const told: unknown[] = [];
  try {
    await using engine = await openEngine({ path, openDatabase });
    const onError = (error: unknown) => void told.push(error);
    await using server = await serve(engine, { port: 0, metricsPort: 0, onError });
    await work({ engine, server, path, told });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("serve: a file that is not where it was is told by /readyz and the health service, until it is back", async () => {
  await withServer(openSqlite, async ({ engine, server, path, told }) => {
    const uuid = await createStream(engine);
    assertEquals(await said(server), READY);
    await Deno.rename(path, `${path}-elsewhere`);
    const [status, text, health] = await saidNext(server, (status) => status !== 200);
    assertEquals([status, health], [503, NOT_SERVING]);
    assertEquals(
      text,
      "the file of the database was moved, replaced or removed: the server must be started again",
    );
    assertEquals(told.map((error) => (error as BTrDBError).status), ["MOVED"]);
    const metrics = server.metrics();
    assertStringIncludes(metrics, 'btrdb_server_errors_total{status="MOVED"} 1\n');
    assertStringIncludes(metrics, "btrdb_server_ready 0\n");
    // To look does no harm: nothing was written meanwhile.
    await Deno.rename(`${path}-elsewhere`, path);
    await saidNext(server, (status) => status === 200);
    await engine.insert({ uuid, columns: columnsOf([[1, 2]]) });
    assertEquals(await pointsOf(engine, uuid), [[1, 2]]);
    assertEquals(await said(server), READY);
    assertStringIncludes(server.metrics(), "btrdb_server_ready 1\n");
  });
});

for (const { errcode, text: ofSqlite, status: name } of FAULTS) {
  Deno.test(`serve: a disk that takes nothing (${name}) is told by /readyz until it takes a page again`, async () => {
    let isBroken = false;
    const open: OpenDatabase = (path, options) => {
      const db = openSqlite(path, options);
      const prepare = db.prepare.bind(db);
      db.prepare = (sql) => {
        const statement = prepare(sql);
        if (sql !== "COMMIT") return statement;
        const get = statement.get.bind(statement);
        statement.get = () => {
          if (!isBroken) return get();
          throw Object.assign(new Error(ofSqlite), { code: "ERR_SQLITE_ERROR", errcode });
        };
        return statement;
      };
      return db;
    };
    await withServer(open, async ({ engine, server, told, path }) => {
      const uuid = await createStream(engine);
      isBroken = true;
      const insert = () => engine.insert({ uuid, columns: columnsOf([[1, 2]]) });
      assertEquals((await assertRejects(insert, BTrDBError)).status, name);
      const [status, text, health] = await saidNext(server, (status) => status !== 200);
      assertEquals([status, health], [503, NOT_SERVING]);
      assert(/disk|cannot be written/.test(text) && !text.includes(path), text);
      assertEquals(told.map((error) => (error as BTrDBError).status), [name]);
      // Nobody writes to a server that is not ready: it has to find out by itself that it is again.
      isBroken = false;
      assertEquals(await saidNext(server, (status) => status === 200), READY);
      await insert();
      assertEquals(await pointsOf(engine, uuid), [[1, 2]]);
    });
  });
}

/** Opens files that may be made as large as a disk with so much room would let them be. */
function smallDisk() {
  const opened: Database[] = [];
  const disk = {
    /** Trials to write as much as failed. */
    trials: 0,
    open: ((path, options) => {
      const db = openSqlite(path, options);
      const prepare = db.prepare.bind(db);
      db.prepare = (sql) => {
        if (sql.includes("zeroblob")) disk.trials++;
        return prepare(sql);
      };
      opened.push(db);
      return db;
    }) satisfies OpenDatabase,
    /** Lets files have so many pages more than now. */
    leave(pages: number): void {
      for (const db of opened) {
        const now = Number(db.prepare("PRAGMA page_count").get()!["page_count"]);
        db.exec(`PRAGMA max_page_count = ${now + pages}`);
      }
    },
  };
  return disk;
}

// A page could be written again although no insert could: each second a server said that it was ready, got an
// insert, refused it and was not ready, so that an orchestrator sent it calls in vain all day.
Deno.test("serve: a disk too full for an insert is told by /readyz until it has room for as much", async () => {
  const disk = smallDisk();
  await withServer(disk.open, async ({ engine, server }) => {
    const uuid = await createStream(engine);
    disk.leave(10);
    const insert = () => engine.insert({ uuid, columns: regular(500_000) });
    assertEquals((await assertRejects(insert, BTrDBError)).status, "DISK_FULL");
    // A point fits, and is no proof that more does.
    await engine.insert({ uuid, columns: columnsOf([[1, 2]]) });
    await until("it has been tried twice", async () => {
      assertEquals(await said(server), [503, "the disk of the database is full", NOT_SERVING]);
      return disk.trials >= 2;
    });
    disk.leave(100_000);
    assertEquals(await saidNext(server, (status) => status === 200), READY);
    await insert();
    assertEquals((await pointsOf(engine, uuid)).length, 500_001);
    assertEquals(await said(server), READY);
  });
});

Deno.test("serve: a disk that has room again is found out by smaller inserts, without a look at /readyz", async () => {
  const disk = smallDisk();
  await withServer(disk.open, async ({ engine, server }) => {
    const uuid = await createStream(engine);
    disk.leave(10);
    const insert = () => engine.insert({ uuid, columns: regular(500_000) });
    assertEquals((await assertRejects(insert, BTrDBError)).status, "DISK_FULL");
    disk.leave(100_000);
    for (let time = 1; disk.trials === 0; time++) {
      assert(time < 100, "nothing is tried");
      await engine.insert({ uuid, columns: columnsOf([[time, 2]]) });
    }
    // Whatever is queued behind the trial is done after it.
    await engine.insert({ uuid, columns: columnsOf([[0, 2]]) });
    await engine.insert({ uuid, columns: columnsOf([[0, 2]]) });
    assertEquals(await said(server), READY);
  });
});

Deno.test("serve: a database that was closed under a server is told by /readyz", async () => {
  await using engine = await openEngine();
  await using server = await serve(engine, { port: 0, metricsPort: 0 });
  assertEquals(await said(server), READY);
  await engine.close();
  const [status, text, health] = await saidNext(server, (status) => status !== 200);
  assertEquals([status, text, health], [503, "the database is closed", NOT_SERVING]);
});

Deno.test("Readiness: databases that cannot tell are ready, and an error of another kind is reported too", async () => {
  assertEquals(new Readiness({}, () => {}).obstacle(), undefined);
  const told: unknown[] = [];
  let trouble: BTrDBError | undefined;
  const readiness = new Readiness({ trouble: () => trouble }, (error) => told.push(error));
  const next = async (status: string | undefined, reason: string | undefined): Promise<void> => {
    trouble = status === undefined ? undefined : new BTrDBError(`Cannot use /secret`, { status });
    await until("it looks again", () => readiness.obstacle() === reason);
  };
  await next("DISK_FULL", "the disk of the database is full");
  await next("CORRUPT", "the database cannot be used");
  await next(undefined, undefined);
  await next("DISK_FULL", "the disk of the database is full");
  assertEquals(told.length, 3);
  readiness.stopping = true;
  assertEquals(readiness.obstacle(), "stopping");
});
