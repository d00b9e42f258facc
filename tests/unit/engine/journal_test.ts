import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { TAIL_ROWS } from "../../../src/engine/stream/journal.ts";
import { countedSqlite } from "../../support/counting_sqlite.ts";
import { columnsOf, createStream, pointsOf, uuidOf } from "../../support/engine.ts";
import { verifiedBlocks } from "../../support/old_file.ts";
import { until } from "../../support/until.ts";

async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(`${directory}/grid.btrdb`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const STREAMS = 10;

/** Inserts single points into all streams, many at a time. */
async function insertSingles(engine: Engine, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 2000) {
    await Promise.all(
      Array.from(
        { length: Math.min(2000, to - at) },
        (_, i) =>
          engine.insert({
            uuid: uuidOf((at + i) % STREAMS + 1),
            columns: columnsOf([[at + i, at]]),
          }),
      ),
    );
  }
}

async function assertSingles(engine: Engine, stream: number, total: number): Promise<void> {
  const times = (await pointsOf(engine, uuidOf(stream))).map(([time]) => time);
  const expected = Array.from({ length: total }, (_, i) => i)
    .filter((i) => i % STREAMS + 1 === stream);
  assertEquals(times, expected, `stream ${stream}`);
}

Deno.test("Journal: a database opens with as few rows of a long journal as of a short one, and finds all of them", async () => {
  await withPath(async (path) => {
    const total = 5 * TAIL_ROWS;
    {
      await using engine = await openEngine({ path, durability: "relaxed" });
      for (let s = 1; s <= STREAMS; s++) await createStream(engine, s);
      await insertSingles(engine, 0, total);
    }
    await verifiedBlocks(path);
    const counts = { rows: 0 };
    await using engine = await openEngine({
      path,
      openDatabase: countedSqlite({ rows: (_, n) => counts.rows += n }),
    });
    assert(counts.rows < TAIL_ROWS + 100, `${counts.rows} rows to open`);
    await assertSingles(engine, 3, total);
    await insertSingles(engine, total, total + 20);
    for (let s = 1; s <= STREAMS; s++) await assertSingles(engine, s, total + 20);
    await engine.flush(uuidOf(4));
    await assertSingles(engine, 4, total + 20);
    await verifiedBlocks(path);
  });
});

Deno.test("Journal: a reader beside the writer reads what is new, however long the journal is", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path, durability: "relaxed" });
    for (let s = 1; s <= STREAMS; s++) await createStream(engine, s);
    const other = await createStream(engine, 99);
    await engine.insert({ uuid: other, columns: columnsOf([[1, 1]]) });
    await insertSingles(engine, 0, 3 * TAIL_ROWS);
    const counts = { rows: 0 };
    await using reader = await openEngine({
      path,
      readOnly: true,
      openDatabase: countedSqlite({ rows: (_, n) => counts.rows += n }),
    });
    assertEquals((await pointsOf(reader, other)).length, 1);
    for (let round = 0; round < 5; round++) {
      await insertSingles(engine, 3 * TAIL_ROWS + 20 * round, 3 * TAIL_ROWS + 20 * (round + 1));
      counts.rows = 0;
      assertEquals((await pointsOf(reader, other)).length, 1);
      assert(counts.rows < 50, `${counts.rows} rows for 20 new ones`);
    }
    await assertSingles(reader, 7, 3 * TAIL_ROWS + 100);
    // What the writer commits or removes is gone for the reader, and what it has no longer is not missed.
    await engine.flush(uuidOf(7));
    await engine.obliterate(uuidOf(8));
    await assertSingles(reader, 7, 3 * TAIL_ROWS + 100);
    await assertSingles(reader, 9, 3 * TAIL_ROWS + 100);
  });
});

Deno.test("Journal: a reader is not misled by a writer that opens the file again", async () => {
  await withPath(async (path) => {
    const first = await openEngine({ path });
    for (let s = 1; s <= STREAMS; s++) await createStream(first, s);
    await insertSingles(first, 0, 40);
    await using reader = await openEngine({ path, readOnly: true });
    await assertSingles(reader, 1, 40);
    for (let s = 1; s <= STREAMS; s++) await first.flush(uuidOf(s));
    await first.close();
    for (const total of [80, 120]) {
      await using again = await openEngine({ path });
      await insertSingles(again, total - 40, total);
      for (let s = 1; s <= STREAMS; s++) await assertSingles(reader, s, total);
    }
  });
});

Deno.test("Journal: buffers that are too old are committed, also of streams that nobody has asked for", async () => {
  await withPath(async (path) => {
    {
      await using engine = await openEngine({ path });
      for (let s = 1; s <= STREAMS; s++) await createStream(engine, s);
      await insertSingles(engine, 0, 600);
    }
    await using _engine = await openEngine({ path, maxBufferAgeMs: 20 });
    const db = new DatabaseSync(path, { readOnly: true });
    const count = (table: string) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()!["n"];
    await until("the journal is empty", () => count("journal") === 0);
    assertEquals([count("journal"), count("journal_index"), count("version")], [0, 0, STREAMS]);
    db.close();
  });
});
