import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BTrDBError } from "../../../src/core/errors.ts";
import { forgetRows } from "../../../src/engine/file/row_counts.ts";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import {
  build,
  columns,
  files,
  readAll,
  rejection,
  uuid,
  withDirectory,
} from "../../support/database_file.ts";

/** Checks that a file is CORRUPT for readers and writers, for a reason that `verify` reports too. */
async function assertRefused(path: string, problem: string): Promise<void> {
  for (const readOnly of [false, true]) {
    const error = await assertRejects(() => openEngine({ path, readOnly }), BTrDBError);
    assertEquals(error.status, "CORRUPT");
    assertStringIncludes(error.message, problem);
  }
  const report = await verify(path);
  assert(report.problems.some((text) => text.includes(problem)), report.problems.join("\n"));
}

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

// One wrong byte in the header made the file one of another application, for which verify threw: who
// checked many files by the reports lost the rest of them at the first such file.
Deno.test("verify: a damaged header is reported, whatever the file seems to be", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const whole = await Deno.readFile(path);
    for (
      const [offset, problem] of [[3, "is not a database"], [68, "another application"]] as const
    ) {
      const damaged = whole.slice();
      damaged[offset]! ^= 1;
      await Deno.writeFile(path, damaged);
      const { ok, problems } = await verify(path);
      assertEquals([ok, problems.length], [false, 1]);
      assertStringIncludes(problems[0]!, problem);
      assertEquals(await Deno.readFile(path), damaged);
    }
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
      [
        "INSERT INTO setting VALUES ('next_block', 1152921504606846976)",
        'The setting "next_block" is 1152921504606846976, expected 1 to 4503599627370496',
      ],
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
      await assertRefused(path, problem);
    }
  });
});

// A forged schema had the journal begin at the page of the blocks. The file was opened, the points in its
// journal were left out without an error, and the rows of new ones went among the blocks.
Deno.test("openEngine: a file whose tables begin at one page is not opened, and verify names them", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    for (const [table, other] of [["journal", "block"], ["version", "stream"]] as const) {
      for (const name of files(directory)) await Deno.remove(`${directory}/${name}`);
      await build(path);
      const db = new DatabaseSync(path);
      assert("enableDefensive" in db && typeof db.enableDefensive === "function");
      db.enableDefensive(false);
      db.exec(`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage =
        (SELECT rootpage FROM sqlite_schema WHERE name = '${other}') WHERE name = '${table}'`);
      db.close();
      const [one, two] = [table, other].sort();
      const problem = `The table ${two} is at the page of the table ${one}`;
      await assertRefused(path, problem);
    }
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
    forgetRows(db);
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

/** Offsets in a page of SQLite (file format, "B-tree Pages"). */
const [ROWS_AT, RIGHTMOST_AT] = [3, 8];
/** Offset in a file of the first page of its list of free ones, and behind it their number. */
const FREE_LIST_AT = 32;
/** Kinds of pages that have pages below them. */
const INNER: readonly number[] = [2, 5];

/** Has the last page of a table or an index say that it has one row fewer. */
async function hideLastRow(path: string, name: string): Promise<void> {
  const db = new DatabaseSync(path);
  const sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
  let page = Number(db.prepare(sql).get(name)!["rootpage"]);
  db.close();
  const bytes = await Deno.readFile(path);
  const view = new DataView(bytes.buffer);
  const place = () => (page - 1) * view.getUint16(16);
  while (INNER.includes(view.getUint8(place()))) page = view.getUint32(place() + RIGHTMOST_AT);
  const rows = view.getUint16(place() + ROWS_AT);
  assert(rows > 0, `${name} is empty`);
  view.setUint16(place() + ROWS_AT, rows - 1);
  await Deno.writeFile(path, bytes);
}

// A bit of this number hid the points that were inserted last, or the latest version of a stream, from
// every read: SQLite's pages have no checksums, and rows that are out of sight are missed by none of ours.
// A writer then gave the address of a block that was hidden to another one.
Deno.test("openEngine: a row that the count of its page hides is CORRUPT, for readers and writers", async () => {
  const tables = ["journal", "version", "block", "stream", "collection", "property", "key_set"];
  for (const name of [...tables, "sqlite_autoindex_stream_1", "sqlite_autoindex_stream_2"]) {
    await withDirectory(async (directory) => {
      const path = `${directory}/grid.btrdb`;
      await build(path);
      await hideLastRow(path, name);
      const before = await Deno.readFile(path);
      for (const readOnly of [true, false]) {
        const error = await rejection(openEngine({ path, readOnly }));
        assertEquals(error.status, "CORRUPT", name);
        assertStringIncludes(error.message, "when the file was closed");
      }
      assertEquals(await Deno.readFile(path), before);
      const { problems } = await verify(path);
      assertStringIncludes(problems.join("\n"), "when the file was closed");
      const db = new DatabaseSync(path);
      db.exec(/DELETE .* '.*'/.exec((await rejection(openEngine({ path }))).message)![0]);
      db.close();
      await (await openEngine({ path })).close();
    });
  }
});

// To count the rows of a damaged page fails. The file was not closed then, or not opened for the rest of it.
Deno.test("openEngine: a page that cannot be read keeps nobody from the other tables", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const db = new DatabaseSync(path);
    const sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'property'";
    const page = Number(db.prepare(sql).get()!["rootpage"]);
    db.close();
    const bytes = await Deno.readFile(path);
    bytes.fill(0xff, (page - 1) * new DataView(bytes.buffer).getUint16(16), page * 16_384);
    await Deno.writeFile(path, bytes);
    for (const readOnly of [true, false, true]) {
      const engine = await openEngine({ path, readOnly });
      assert((await readAll(engine)).length > 0);
      await engine.close();
    }
    const closed = new DatabaseSync(path, { readOnly: true });
    assertEquals(Number(closed.prepare("PRAGMA user_version").get()!["user_version"]) & 0x10, 0);
    closed.close();
    assert(!(await verify(path)).ok);
  });
});

// Such a release raises the epoch, as every writer does, and leaves the numbers as they were.
Deno.test("openEngine: numbers of rows from before another release wrote the file say nothing", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const db = new DatabaseSync(path);
    const { user_version } = db.prepare("PRAGMA user_version").get()!;
    db.exec(`DELETE FROM journal; PRAGMA user_version = ${Number(user_version) + 32}`);
    db.close();
    for (const readOnly of [true, false]) await (await openEngine({ path, readOnly })).close();
    assertEquals(await verify(path).then(({ problems }) => problems), []);
  });
});

// Blocks were written over a page of the journal that a damaged list had among the free ones. Their rows
// were taken for rows of no stream, and 500 to 600 points of four streams were gone without a word.
Deno.test("openEngine: a page of the journal that something else has overwritten is CORRUPT", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    const added = new Uint8Array(16).fill(9);
    const none = new Map<string, string>();
    {
      await using engine = await openEngine({ path });
      await engine.create({ uuid, collection: "a", tags: none, annotations: none });
      for (let i = 0; i < 150; i++) {
        await engine.insert({ uuid, columns: columns(1000 * i, 100) });
      }
    }
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(200000)); DROP TABLE t");
    const leaves = db.prepare(
      "SELECT pageno FROM dbstat WHERE name = 'journal' AND pagetype = 'leaf' ORDER BY path",
    ).all();
    db.close();
    const bytes = await Deno.readFile(path);
    const view = new DataView(bytes.buffer);
    // The first page of the list of free ones has the numbers of the others: one is left.
    const list = (view.getUint32(FREE_LIST_AT) - 1) * view.getUint16(16);
    const free = view.getUint32(FREE_LIST_AT + 4);
    view.setUint32(FREE_LIST_AT + 4, free - view.getUint32(list + 4) + 1);
    view.setUint32(list + 4, 1);
    view.setUint32(list + 8, Number(leaves[1]!["pageno"]));
    await Deno.writeFile(path, bytes);
    assert(!(await verify(path)).ok);
    {
      await using engine = await openEngine({ path });
      await engine.create({ uuid: added, collection: "b", tags: none, annotations: none });
      for (let i = 0; i < 4; i++) {
        await engine.insert({ uuid: added, columns: columns(40_000 * i, 40_000) });
      }
    }
    for (const readOnly of [true, false]) {
      const error = await rejection(openEngine({ path, readOnly }));
      assertEquals(error.status, "CORRUPT");
      assertStringIncludes(error.message, "journal row");
    }
    assert(!(await verify(path)).ok);
  });
});

// What a file keeps of its rows says nothing after a writer was killed; SQLite's own check still does.
Deno.test("verify: a row of the journal that the count of its page hides is found without the numbers of rows", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const db = new DatabaseSync(path);
    forgetRows(db);
    db.close();
    await hideLastRow(path, "journal");
    const { ok, problems } = await verify(path);
    assert(!ok);
    assertStringIncludes(problems.join("\n"), "on page ");
  });
});
