import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { concatRaw } from "../../../src/core/columns.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { type Engine, openEngine, verify } from "../../../src/engine/mod.ts";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import { CRASH_STREAMS, crashUuid } from "../../support/crash_plan.ts";

const uuid = new Uint8Array(16).fill(5);

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function columns(base: number, n: number) {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(base + i) * 8_333_333n),
    values: Float64Array.from({ length: n }, (_, i) => Math.sin(base + i)),
  };
}

async function build(path: string): Promise<void> {
  await using engine = await openEngine({ path });
  const tags = new Map([["name", "s"]]);
  await engine.create({ uuid, collection: "file", tags, annotations: new Map([["k", "v"]]) });
  for (let i = 0; i < 4; i++) {
    await engine.insert({ uuid, columns: columns(5000 * i, 4000) });
    await engine.flush(uuid);
  }
  await engine.insert({ uuid, columns: columns(100_000, 500) });
}

/** Everything that can be read of the stream, as text. */
async function readAll(engine: Engine): Promise<string> {
  const { version, descriptor } = await engine.streamInfo({
    uuid,
    omitVersion: false,
    omitDescriptor: false,
  });
  const parts = [`${version!.major}.${version!.minor}`, [...descriptor!.annotations].join()];
  for (const major of [0n, 11n, 12n, 13n, 14n]) {
    const range = { uuid, start: 0n, end: 2n ** 61n, version: major };
    const { times, values } = concatRaw(
      (await Array.fromAsync(engine.rawValues(range))).map((c) => c.columns),
    );
    parts.push(times.join(), values.join());
    for (
      const { columns } of await Array.fromAsync(
        engine.alignedWindows({ ...range, pointwidth: 36 }),
      )
    ) {
      parts.push(columns.count.join(), columns.mean.join(), columns.stddev!.join());
    }
  }
  return parts.join("\n");
}

function files(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

async function rejection(promise: Promise<unknown>): Promise<BTrDBError> {
  const error = await promise.then(() => undefined, (error) => error);
  assert(error instanceof BTrDBError, `${error}`);
  return error;
}

Deno.test("openEngine: opening something that is no database says so and leaves everything as it was", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/notes.txt`;
    await Deno.writeTextFile(path, "not a database ".repeat(50));
    for (const readOnly of [false, true]) {
      const error = await rejection(openEngine({ path, readOnly }));
      assertEquals(error.status, "NOT_A_DATABASE");
      assertStringIncludes(error.message, path);
    }
    assertEquals(await Deno.readTextFile(path), "not a database ".repeat(50));
    assertEquals(files(directory), ["notes.txt"]);
  });
});

Deno.test("openEngine: opening a database of another application says so and leaves it as it was", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/other.db`;
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE t (a)");
    db.close();
    const before = await Deno.readFile(path);
    const error = await rejection(openEngine({ path }));
    assertEquals(error.status, "NOT_A_DATABASE");
    assertStringIncludes(error.message, "another application");
    assertEquals(await Deno.readFile(path), before);
  });
});

for (const [version, status] of [[14, "SCHEMA_TOO_NEW"], [0, "SCHEMA_TOO_OLD"]] as const) {
  Deno.test(`openEngine: a schema of version ${version} is refused and left as it was`, async () => {
    await withDirectory(async (directory) => {
      const path = `${directory}/grid.btrdb`;
      await build(path);
      const db = new DatabaseSync(path);
      db.exec(`PRAGMA user_version = ${version}; PRAGMA wal_checkpoint(TRUNCATE)`);
      db.close();
      const before = await Deno.readFile(path);
      for (const readOnly of [false, true]) {
        const error = await rejection(openEngine({ path, readOnly }));
        assertEquals(error.status, status);
        assertStringIncludes(error.message, `version ${version}`);
      }
      assertEquals(await Deno.readFile(path), before);
    });
  });
}

Deno.test("openEngine: a folder that does not exist and a folder instead of a file are clear errors", async () => {
  await withDirectory(async (directory) => {
    for (const path of [`${directory}/none/grid.btrdb`, directory]) {
      const error = await rejection(openEngine({ path }));
      assertStringIncludes(error.message, path);
    }
    const path = `${directory}/none.btrdb`;
    assertEquals((await rejection(openEngine({ path, readOnly: true }))).status, "CANNOT_OPEN");
    assertEquals(files(directory), []);
  });
});

Deno.test("openEngine: durability decides when SQLite syncs its log", async () => {
  for (const [durability, synchronous] of [[undefined, 2], ["full", 2], ["relaxed", 1]] as const) {
    let actual: unknown;
    const engine = await openEngine({
      durability,
      openDatabase: (path, options) => {
        const db = openSqlite(path, options);
        return {
          exec: (sql) => db.exec(sql),
          prepare: (sql) => db.prepare(sql),
          close() {
            actual = db.prepare("PRAGMA synchronous").get()!["synchronous"];
            db.close();
          },
        };
      },
    });
    await engine.close();
    assertEquals(actual, synchronous);
  }
});

Deno.test("openEngine: a second writer is refused, in this process and in another", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    const first = await openEngine({ path });
    const error = await rejection(openEngine({ path }));
    assertEquals(error.status, "LOCKED");
    assertStringIncludes(error.message, "another writer has it open");
    await Deno.symlink(path, `${directory}/link.btrdb`);
    assertEquals(
      (await rejection(openEngine({ path: `${directory}/link.btrdb` }))).status,
      "LOCKED",
    );
    const url = new URL("../../../src/engine/mod.ts", import.meta.url).href;
    const code = `import { openEngine } from ${JSON.stringify(url)};
      await openEngine({ path: ${JSON.stringify(path)} }).then(() => console.log("open"),
        (error) => console.log(error.status));`;
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
    assertEquals(new TextDecoder().decode(stdout).trim(), "LOCKED");
    await first.close();
    await (await openEngine({ path })).close();
  });
});

Deno.test("openEngine: a reader beside the writer sees what was committed and cannot write", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    await using writer = await openEngine({ path });
    await using reader = await openEngine({ path, readOnly: true });
    assertEquals(await readAll(reader), await readAll(writer));
    await writer.insert({ uuid, columns: columns(200_000, 70) });
    assertEquals(await readAll(reader), await readAll(writer));
    await writer.flush(uuid);
    assertEquals(await readAll(reader), await readAll(writer));
    const request = { uuid, time: 50_000_000n, version: 0n, backward: false };
    assertEquals(await reader.nearest(request), await writer.nearest(request));
    const none = new Map<string, string>();
    const all = { collection: "", isCollectionPrefix: true, tags: none, annotations: none };
    assertEquals(
      await Array.fromAsync(reader.lookupStreams(all)),
      await Array.fromAsync(writer.lookupStreams(all)),
    );
    const query = { query: "SELECT name FROM streams", params: [] };
    assertEquals(await Array.fromAsync(reader.sqlQuery(query)), [['{"name":"s"}']]);
    const since = { uuid, from: 11n, to: 0n, resolution: 30 };
    assertEquals(
      await Array.fromAsync(reader.changes(since)),
      await Array.fromAsync(writer.changes(since)),
    );
    const error = await rejection(reader.insert({ uuid, columns: columns(0, 1) }));
    assertEquals(error.status, "READ_ONLY");
    assertEquals((await verify(path)).problems, []);
  });
});

Deno.test("openEngine: a reader beside a busy writer in another process always sees one state", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    const engine = await openEngine({ path });
    for (let stream = 0; stream < CRASH_STREAMS; stream++) {
      const tags = new Map([["name", `s${stream}`]]);
      const annotations = new Map();
      await engine.create({ uuid: crashUuid(stream), collection: "busy", tags, annotations });
    }
    await engine.close();
    const writer = new URL("../../support/crash_writer.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--no-check", writer, path, "-1", ...Array(CRASH_STREAMS).fill("0")];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "null" }).spawn();
    try {
      await using reader = await openEngine({ path, readOnly: true });
      let last = 0n;
      for (let i = 0; i < 400 || last < 20n; i++) {
        const range = { uuid: crashUuid(i % 4), start: 0n, end: 2n ** 61n, version: 0n };
        const chunks = await Array.fromAsync(reader.rawValues({ ...range, end: range.start + 1n }));
        const { major } = chunks[0]!.version;
        if (i % 4 === 0) {
          assert(major >= last);
          last = major;
        }
        if (i % 50 === 0) await Array.fromAsync(reader.rawValues(range));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
    assertEquals((await verify(path)).problems, []);
  });
});

Deno.test("openEngine: a truncated file gives an error or is found by verify, never other points", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const whole = await Deno.readFile(path);
    const expected = await readWhole(path);
    for (const share of [0.1, 0.35, 0.6, 0.85, 0.99]) {
      await Deno.writeFile(path, whole.subarray(0, Math.floor(whole.length * share)));
      await assertHarmless(path, expected);
    }
  });
});

Deno.test("openEngine: a flipped bit gives an error or is found by verify, never other points", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const whole = await Deno.readFile(path);
    const expected = await readWhole(path);
    let noticed = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const damaged = whole.slice();
      let bit = (seed * 2654435761) % (8 * whole.length);
      while (whole[bit >> 3] === 0) bit += 8; // Most of what is zero is room that nothing uses.
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await Deno.writeFile(path, damaged);
      if (await assertHarmless(path, expected)) noticed++;
    }
    assert(noticed > 20, `${noticed} of 60 flipped bits were noticed`);
  });
});

async function readWhole(path: string): Promise<string> {
  await using engine = await openEngine({ path, readOnly: true });
  return await readAll(engine);
}

/**
 * Resolves to true if the damage was reported; it must be reported if anything reads differently.
 */
async function assertHarmless(path: string, expected: string): Promise<boolean> {
  try {
    if (await readWhole(path) === expected) return false;
  } catch (error) {
    assert(error instanceof BTrDBError, `${error}`);
    return true;
  }
  const report = await verify(path);
  assert(!report.ok, "points differ and verify finds nothing");
  return true;
}

Deno.test("verify: finds a damaged block, a wrong statistic and a lost version", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    const damages: [sql: string, problem: string][] = [
      ["UPDATE block SET data = zeroblob(length(data)) WHERE id = 3", "block 3: its checksum"],
      ["DELETE FROM block WHERE id = 2", "block 2 is missing"],
      ["DELETE FROM version WHERE major = 12", "expected version 12"],
      ["UPDATE version SET root = root + 1 WHERE major = 11", "version 11: its checksum"],
      ["UPDATE stream SET annotations = '{}'", "the metadata of stream"],
      ["UPDATE journal SET data = x'0102'", "journal row"],
      ["INSERT INTO block SELECT 9999, data FROM block WHERE id = 1", "belongs to no version"],
      ["UPDATE block SET data = x''", "too short"],
      ["UPDATE journal SET stream = stream + 1", "belongs to no stream"],
      ["UPDATE journal SET points = points + 1", "journal row"],
      ["UPDATE version SET stream = stream + 1 WHERE major = 14", "its checksum does not fit"],
      ["UPDATE stream SET pruned_below = 9", "cannot have been pruned"],
      ["UPDATE stream SET pruned_below = 13", "expected version 13"],
      ["UPDATE stream SET sort_key = x'00'", "the sort key of stream"],
      ["UPDATE collection SET sort_key = CAST('fale/' AS BLOB)", '"file" is not listed'],
      ["UPDATE collection SET sort_key = CAST('fale/' AS BLOB)", '"fale" is listed'],
      ["INSERT INTO tombstone SELECT uuid FROM stream", "was obliterated and has a stream"],
      ["INSERT INTO tombstone VALUES (x'01')", "has 1 bytes"],
      ["INSERT INTO setting VALUES ('next_black', 1)", "is not known"],
      ["INSERT INTO setting VALUES ('next_block', 1152921504606846976)", "its content is damaged"],
      ["ALTER TABLE collection RENAME COLUMN sort_key TO sort_kez", "its content is damaged"],
    ];
    for (const [sql, problem] of damages) {
      for (const name of files(directory)) await Deno.remove(`${directory}/${name}`);
      await build(path);
      assertEquals((await verify(path)).problems, []);
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
      const report = await verify(path);
      assertEquals(report.ok, false);
      assert(report.problems.some((text) => text.includes(problem)), report.problems.join("\n"));
    }
  });
});

Deno.test("openEngine: a file with triggers, views, indexes or tables of another program is not opened, and verify names them", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    const additions: [sql: string, problem: string][] = [
      [
        "CREATE TRIGGER evil AFTER INSERT ON journal BEGIN DELETE FROM version; END",
        'The trigger "evil" is not known',
      ],
      [
        "CREATE VIEW evil AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT x FROM c",
        'The view "evil" is not known',
      ],
      ["CREATE INDEX evil ON stream (abs(id))", 'The index "evil" is not known'],
      ['CREATE TABLE "a \u001b[2Jb" (x)', 'The table "a \\u001b[2Jb" is not known'],
      ["DROP VIEW streams; CREATE VIEW streams AS SELECT 1", 'The view "streams" is not as this'],
      ["DROP VIEW streams", 'The view "streams" is missing'],
    ];
    for (const [sql, problem] of additions) {
      for (const name of files(directory)) await Deno.remove(`${directory}/${name}`);
      await build(path);
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
      for (const readOnly of [false, true]) {
        const error = await assertRejects(() => openEngine({ path, readOnly }), BTrDBError);
        assertEquals(error.status, "CORRUPT");
        assertStringIncludes(error.message, problem);
      }
      const report = await verify(path);
      assert(report.problems.some((text) => text.includes(problem)), report.problems.join("\n"));
    }
  });
});

Deno.test("openEngine: a path that begins with file: is the name of a file, without options of SQLite", async () => {
  await withDirectory(async (directory) => {
    const name = "file:grid.btrdb?mode=memory";
    const program = `
      import { openEngine } from ${
      JSON.stringify(import.meta.resolve("../../../src/engine/mod.ts"))
    };
      await (await openEngine({ path: ${JSON.stringify(name)} })).close();`;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--quiet",
        `data:application/typescript,${encodeURIComponent(program)}`,
      ],
      cwd: directory,
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(code, 0);
    assert(files(directory).includes(name), `${files(directory)}`);
  });
});

Deno.test("openEngine: versions that damage has moved to another stream are not taken for obliterated ones", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const db = new DatabaseSync(path);
    const blocks = () => db.prepare("SELECT count(*) AS n FROM block").get()!["n"];
    const before = blocks();
    db.exec("UPDATE version SET stream = stream + 1 WHERE major > 12");
    const engine = await openEngine({ path });
    await engine.flush(uuid).catch(() => {});
    // Waits until everything is removed that is taken for removable.
    await engine.expire().catch(() => {});
    await engine.close();
    assert(Number(blocks()) >= Number(before));
    db.close();
  });
});

Deno.test("openEngine: an error of SQLite amid a long list is an error, not the end of the list", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    const none = new Map<string, string>();
    {
      await using engine = await openEngine({ path });
      await Promise.all(Array.from({ length: 1500 }, (_, i) =>
        engine.create({
          uuid: Uint8Array.from({ length: 16 }, (_, k) => k < 2 ? i >> (8 * k) : 1),
          collection: `c${i}`,
          tags: new Map([["name", "x".repeat(200)]]),
          annotations: none,
        })));
    }
    const whole = await Deno.readFile(path);
    const all = { collection: "", isCollectionPrefix: true, tags: none, annotations: none };
    let errors = 0;
    for (let page = 2; page < whole.length / 16_384; page += 3) {
      const damaged = whole.slice();
      damaged.fill(0xff, page * 16_384, page * 16_384 + 12);
      await Deno.writeFile(path, damaged);
      try {
        await using engine = await openEngine({ path, readOnly: true });
        const found = (await Array.fromAsync(engine.lookupStreams(all))).flat();
        assertEquals(found.length, 1500);
      } catch (error) {
        assert(error instanceof BTrDBError && error.status === "CORRUPT", `${error}`);
        errors++;
      }
      assertEquals((await verify(path)).ok, false, `page ${page}`);
    }
    assert(errors > 0);
  });
});

Deno.test("openEngine: an older version that was pruned says so, the others answer as before", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    await using engine = await openEngine({ path });
    const count = async (version: bigint) =>
      (await Array.fromAsync(engine.rawValues({ uuid, start: 0n, end: 2n ** 61n, version })))
        .reduce((sum, chunk) => sum + chunk.columns.times.length, 0);
    assertEquals(await engine.prune(uuid, 11n), { versions: 0, blocks: 0 });
    const { versions, blocks } = await engine.prune(uuid, 13n);
    assertEquals(versions, 2);
    assert(blocks > 0);
    for (const version of [11n, 12n]) {
      await assertRejects(
        () => count(version),
        BTrDBError,
        "was pruned, the oldest one left is 13",
      );
    }
    assertEquals([await count(13n), await count(14n), await count(0n)], [12_000, 16_000, 16_500]);
    assertEquals((await rejection(engine.prune(uuid, 15n))).code, 427);
    assertEquals((await verify(path)).problems, []);
  });
});

Deno.test("openEngine: an obliterated stream gives back its room", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const engine = await openEngine({ path });
    await engine.obliterate(uuid);
    await engine.close();
    await (await openEngine({ path })).close();
    for (let i = 0; i < 50; i++) {
      const { ok, problems } = await verify(path);
      assertEquals(problems, []);
      assert(ok);
      const db = new DatabaseSync(path, { readOnly: true });
      const left = db.prepare("SELECT count(*) AS n FROM block").get()!["n"];
      db.close();
      if (left === 0) return;
      await (await openEngine({ path })).close();
    }
    throw new Error("blocks are left");
  });
});
