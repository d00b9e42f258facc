import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { delay } from "../../../src/core/call.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { DatabaseSync } from "node:sqlite";
import { compactFile, openEngine, verify } from "../../../src/engine/mod.ts";
import { APPLICATION_ID, migrate } from "../../../src/engine/file/schema.ts";
import { columnsOf, createStream, pointsOf, rejection } from "../../support/engine.ts";
import { locksOn } from "../../support/file_locks.ts";

async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(`${directory}/grid.btrdb`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test({
  name:
    "openEngine: whatever else opens and closes the file in this process, its writer keeps SQLite's locks",
  // Without them, the next program that looks into the file removes the log when it goes, and what
  // the writer writes from then on is lost with the process.
  ignore: Deno.build.os !== "linux",
  async fn() {
    await withFile(async (path) => {
      await using engine = await openEngine({ path });
      const uuid = await createStream(engine);
      await engine.insert({ uuid, columns: columnsOf([[1, 1]]) });
      const locks = locksOn(path);
      assert(locks.length > 0);
      assertEquals((await rejection(openEngine({ path }))).status, "LOCKED");
      assertEquals(locksOn(path), locks);
      await (await openEngine({ path, readOnly: true })).close();
      assertEquals(locksOn(path), locks);
      assertEquals((await verify(path)).problems, []);
      assertEquals(locksOn(path), locks);
    });
  },
});

Deno.test({
  name:
    "openEngine: whatever else opens and closes the file in this process, its readers keep SQLite's locks",
  // Without them, the next program that looks into the file removes its log and the index of that. The
  // reader never saw a commit again, and read pages of the file by an index that was not theirs.
  ignore: Deno.build.os !== "linux",
  async fn() {
    await withFile(async (path) => {
      const uuid = new Uint8Array(16).fill(1);
      const none = new Map<string, string>();
      const insert = async (time: number) => {
        await using writer = await openEngine({ path });
        if (time === 1) {
          await writer.create({ uuid, collection: "c", tags: none, annotations: none });
        }
        await writer.insert({ uuid, columns: columnsOf([[time, 1]]) });
      };
      await insert(1);
      await using reader = await openEngine({ path, readOnly: true });
      assertEquals((await pointsOf(reader, uuid)).length, 1);
      const locks = locksOn(path);
      assert(locks.length > 0);
      await (await openEngine({ path, readOnly: true })).close();
      assertEquals(locksOn(path), locks);
      assertEquals((await verify(path)).problems, []);
      assertEquals(locksOn(path), locks);
      await compactFile(path);
      await insert(2);
      assertEquals(locksOn(path), locks);
      assertEquals((await pointsOf(reader, uuid)).length, 2);
    });
  },
});

Deno.test("openEngine: a link to a file that is not there yet leads to the same lock", async () => {
  await withFile(async (path) => {
    await Deno.symlink(path, `${path}-link`);
    await Deno.symlink(`${path}-link`, `${path}-link-link`);
    await using _first = await openEngine({ path: `${path}-link-link` });
    for (const other of [path, `${path}-link`]) {
      assertEquals((await rejection(openEngine({ path: other }))).status, "LOCKED");
    }
  });
});

Deno.test("openEngine: two processes that make a file at the same time: one has it, the other is told", async () => {
  await withFile(async (path) => {
    const url = new URL("../../../src/engine/mod.ts", import.meta.url).href;
    const code = `import { openEngine } from ${JSON.stringify(url)};
      const engine = await openEngine({ path: ${JSON.stringify(path)} }).catch((e) => e);
      console.log(engine.status ?? (engine instanceof Error ? String(engine) : "open"));
      await new Response(Deno.stdin.readable).text();
      await engine.close?.();`;
    const children = Array.from({ length: 4 }, () =>
      new Deno.Command(Deno.execPath(), {
        args: ["eval", code],
        stdin: "piped",
        stdout: "piped",
      }).spawn());
    const outputs = await Promise.all(children.map(async ({ stdout }) => {
      const reader = stdout.getReader();
      const { value } = await reader.read();
      await reader.cancel();
      return new TextDecoder().decode(value).trim();
    }));
    await Promise.all(children.map(async ({ stdin, status }) => {
      await stdin.close();
      await status;
    }));
    assertEquals(outputs.sort(), ["LOCKED", "LOCKED", "LOCKED", "open"]);
    assertEquals((await verify(path)).problems, []);
  });
});

Deno.test("openEngine: options that make no sense are named", async () => {
  const open = (options: Record<string, unknown>) => () => openEngine(options);
  await assertRejects(open({ durability: "relaxd" }), TypeError, 'durability is "relaxd"');
  await assertRejects(open({ readOnly: 1 }), TypeError, "readOnly is 1");
  await assertRejects(open({ cacheBytes: NaN }), RangeError, "cacheBytes is NaN");
  await assertRejects(open({ cacheBytes: "1" }), TypeError, 'cacheBytes is "1"');
  await assertRejects(open({ maxBufferAgeMs: -1 }), RangeError, "expected at least 0");
  await assertRejects(open({ maxInsertPoints: 0 }), RangeError, "expected at least 1");
});

Deno.test("migrate: a step to the next schema that fails leaves the file as it was, and is done again", () => {
  const db = new DatabaseSync(":memory:");
  db.exec(`CREATE TABLE t (a); INSERT INTO t VALUES (1);
    PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1`);
  const state = () => [
    db.prepare("PRAGMA user_version").get()!["user_version"],
    db.prepare("SELECT * FROM t").all().map((row) => ({ ...row })),
  ];
  let fails = true;
  const steps = [
    () => db.exec("ALTER TABLE t ADD COLUMN b DEFAULT 2"),
    () => {
      db.exec("UPDATE t SET b = 3");
      if (fails) throw new Error("the power is gone");
    },
  ];
  let failed = false;
  try {
    migrate(db, 1, steps);
  } catch {
    failed = true;
  }
  assert(failed);
  assertEquals(state(), [2, [{ a: 1, b: 2 }]]);
  fails = false;
  migrate(db, 2, steps);
  assertEquals(state(), [3, [{ a: 1, b: 3 }]]);
  db.close();
});

Deno.test("openEngine: a log that was left behind while the file was written by another path is refused", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [path, other] = [`${folder}/grid.btrdb`, `${folder}/other.btrdb`];
    await (await openEngine({ path })).close();
    const left = await openEngine({ path });
    const uuid = new Uint8Array(16).fill(1);
    const none = new Map<string, string>();
    await left.create({ uuid, collection: "c", tags: none, annotations: none });
    // So many points that the file grows, and its first page is in the log.
    const times = BigInt64Array.from({ length: 50_000 }, (_, i) => BigInt(i * i));
    await left.insert({ uuid, columns: { times, values: Float64Array.from(times, Number) } });
    await Deno.copyFile(`${path}-wal`, `${folder}/old-wal`);
    await left.close();
    await Deno.link(path, other);
    await (await openEngine({ path: other })).close();
    await Deno.copyFile(`${folder}/old-wal`, `${path}-wal`);
    const error = await assertRejects(() => openEngine({ path }), BTrDBError);
    assertEquals(error.status, "CORRUPT");
    assertStringIncludes(error.message, "is older than the file");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const isIdle of [false, true]) {
  const what = isIdle ? "acknowledges and writes nothing after a pause" : "acknowledges nothing";
  Deno.test(`openEngine: a writer whose file was taken ${what}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/grid.btrdb`;
      const engine = await openEngine({ path });
      const uuid = new Uint8Array(16).fill(1);
      const none = new Map<string, string>();
      await engine.create({ uuid, collection: "c", tags: none, annotations: none });
      if (isIdle) await delay(50);
      // As if another writer had raised the epoch in the file itself.
      const file = await Deno.open(path, { read: true, write: true });
      await file.seek(60, Deno.SeekMode.Start);
      await file.write(Uint8Array.of(1, 2, 3, 0x11));
      const log = await Deno.readFile(`${path}-wal`);
      const columns = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };
      const error = await assertRejects(() => engine.insert({ uuid, columns }), BTrDBError);
      assertEquals(error.status, "LOCKED");
      assertStringIncludes(error.message, "another writer has taken the file");
      if (isIdle) assertEquals(await Deno.readFile(`${path}-wal`), log);
      await assertRejects(() => engine.close(), BTrDBError);
      file.close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
