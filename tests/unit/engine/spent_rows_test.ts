import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type Engine, openEngine, verify } from "../../../src/engine/mod.ts";
import { withDirectory } from "../../support/database_file.ts";
import { createStream, pointsOf, regular, rejection, uuidOf } from "../../support/engine.ts";
import { verifiedBlocks } from "../../support/old_file.ts";
import { Random } from "../../support/random.ts";
import { until } from "../../support/until.ts";

const STREAMS = 40;

function withPath(work: (path: string) => Promise<void>): Promise<void> {
  return withDirectory((directory) => work(`${directory}/grid.btrdb`));
}

/** Inserts `points` points into each stream, `rounds` times, so that rows of all lie between each other. */
async function insertRounds(engine: Engine, from: number, rounds: number, points = 120) {
  for (let round = from; round < from + rounds; round++) {
    const { times } = regular(points, BigInt(round * points) * 1_000_000n);
    const columns = { times, values: Float64Array.from(times, (time) => Math.sin(Number(time))) };
    await Promise.all(
      Array.from({ length: STREAMS }, (_, s) => engine.insert({ uuid: uuidOf(s + 1), columns })),
    );
  }
}

/** Pages in the log, and the salt, which is another one when it begins anew (sqlite.org/fileformat2.html). */
function framesIn(path: string): { n: number; salt: bigint } {
  const log = new DataView(Deno.readFileSync(`${path}-wal`).buffer);
  const salt = log.getBigUint64(16);
  const frame = 24 + log.getUint32(8);
  let n = 0;
  for (
    let at = 32;
    at + frame <= log.byteLength && log.getBigUint64(at + 8) === salt;
    at += frame
  ) n++;
  return { n, salt };
}

/** A number in the file. */
function numberIn(path: string, sql: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const [n] = Object.values(db.prepare(sql).get() ?? { none: 0 });
  db.close();
  return Number(n);
}

const rowsIn = (path: string) => numberIn(path, "SELECT count(*) FROM journal");
const spentIn = (path: string) =>
  numberIn(path, "SELECT value FROM setting WHERE key = 'journal_spent'");

// Streams with the same rate are committed one after the other. Each commit wrote almost all pages of
// the journal anew, since each had a row of that stream: five times as much as all else together.
Deno.test("SpentRows: the commit of a stream does not write the pages of the journal that others are in", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path, durability: "relaxed" });
    for (let s = 1; s <= STREAMS; s++) await createStream(engine, s);
    await insertRounds(engine, 0, 60);
    const before = framesIn(path);
    await engine.flush(uuidOf(7));
    const after = framesIn(path);
    const written = after.n - (after.salt === before.salt ? before.n : 0);
    assert(written > 0 && written < 30, `${written} pages for one stream, which has 60 rows`);
    assertEquals(rowsIn(path), 60 * STREAMS);
    assertEquals(spentIn(path), 60);
    assertEquals((await pointsOf(engine, uuidOf(7))).length, 60 * 120);
  });
});

Deno.test("SpentRows: they are removed when they are three of four, also those of an earlier writer", async () => {
  await withPath(async (path) => {
    {
      await using engine = await openEngine({ path, durability: "relaxed" });
      for (let s = 1; s <= STREAMS; s++) await createStream(engine, s);
      await insertRounds(engine, 0, 60, 2);
      for (let s = 1; s <= 20; s++) await engine.flush(uuidOf(s));
      assertEquals([rowsIn(path), spentIn(path)], [60 * STREAMS, 60 * 20]);
      for (let s = 21; s <= 31; s++) await engine.flush(uuidOf(s));
      await until("they are removed", () => spentIn(path) < 60 * 11);
    }
    await verifiedBlocks(path);
    const rows = rowsIn(path);
    {
      await using engine = await openEngine({ path, durability: "relaxed" });
      await insertRounds(engine, 60, 60, 2);
      for (let s = 1; s <= STREAMS; s++) await engine.flush(uuidOf(s));
      await until("they are removed", () => rowsIn(path) < rows);
      await until("all are removed", () => rowsIn(path) < 256 && rowsIn(path) === spentIn(path));
      for (let s = 1; s <= STREAMS; s++) {
        assertEquals((await pointsOf(engine, uuidOf(s))).length, 240, `stream ${s}`);
      }
    }
    await verifiedBlocks(path);
  });
});

// Rows of slow streams, of one point each, kept those of fast streams in the journal until they were
// committed too: a file was twice as large after 2,000 rounds, and went on to grow for as long as
// buffers may wait.
Deno.test("SpentRows: many small rows do not keep large ones that are spent", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path, durability: "relaxed" });
    for (let s = 1; s <= 10; s++) await createStream(engine, s);
    for (let round = 0; round < 40; round++) {
      await Promise.all(Array.from({ length: 10 }, (_, s) => {
        const columns = s < 4 ? regular(500, BigInt(round * 500) * 1_000_000n) : regular(1);
        return engine.insert({ uuid: uuidOf(s + 1), columns });
      }));
    }
    for (let s = 1; s <= 4; s++) await engine.flush(uuidOf(s));
    await until("large rows are removed", () => rowsIn(path) === 40 * 6);
    // The code before takes a setting of 0 for damage, and would refuse the file.
    assertEquals(numberIn(path, "SELECT count(*) FROM setting WHERE key = 'journal_spent'"), 0);
    await verifiedBlocks(path);
  });
});

// Spent rows that were less than three of four stayed in a file that was compacted, also after a new
// start: the file kept the room of points that it has in the tree, and of streams that are gone.
Deno.test("SpentRows: compact removes all of them, also those of an earlier writer", async () => {
  await withPath(async (path) => {
    for (const isAgain of [false, true]) {
      let engine = await openEngine({ path, durability: "relaxed" });
      if (!isAgain) { for (let s = 1; s <= STREAMS; s++) await createStream(engine, s); }
      await insertRounds(engine, isAgain ? 60 : 0, 60, 2);
      for (let s = 1; s <= 4; s++) await engine.flush(uuidOf(s));
      if (isAgain) {
        await engine.close();
        engine = await openEngine({ path, durability: "relaxed" });
      }
      assertEquals(spentIn(path), 60 * 4);
      await engine.compact({});
      assertEquals([rowsIn(path), spentIn(path)], [60 * 36 * (isAgain ? 2 : 1), 0]);
      for (let s = 1; s <= STREAMS; s++) {
        assertEquals(
          (await pointsOf(engine, uuidOf(s))).length,
          isAgain ? 240 : 120,
          `stream ${s}`,
        );
      }
      await engine.close();
      await verifiedBlocks(path);
    }
  });
});

// A task in the background had 512 rows after each transaction, which may have 4,096 inserts: while a
// writer was busy the journal grew without bound, to five times the points that were not committed.
Deno.test("SpentRows: they are removed as quickly as rows come, however many a transaction has", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path, durability: "relaxed" });
    const streams = Array.from({ length: 200 }, (_, s) => uuidOf(s + 1));
    for (let s = 1; s <= streams.length; s++) await createStream(engine, s);
    for (let round = 0; round < 12; round++) {
      await Promise.all(
        Array.from(
          { length: 18 },
          (_, i) =>
            streams.map((uuid) =>
              engine.insert({ uuid, columns: regular(1, BigInt(18 * round + i) * 1_000_000n) })
            ),
        ).flat(),
      );
      await Promise.all(streams.map((uuid) => engine.flush(uuid)));
    }
    const rows = rowsIn(path);
    assert(rows < 3 * 18 * streams.length, `${rows} rows, of which none is to be kept`);
  });
});

Deno.test("SpentRows: no more rows are removed than were spent, and verify counts those that the index has lost", async () => {
  await withPath(async (path) => {
    {
      await using engine = await openEngine({ path, durability: "relaxed" });
      for (let s = 1; s <= STREAMS; s++) await createStream(engine, s);
      await insertRounds(engine, 0, 120, 2);
    }
    const sql = "SELECT count(*) FROM journal_index WHERE stream = 3";
    const lost = numberIn(path, sql);
    assert(lost > 100);
    const db = new DatabaseSync(path);
    db.exec(
      "DELETE FROM journal_index WHERE stream = 3; DELETE FROM setting WHERE key LIKE 'rows %'",
    );
    db.close();
    const isReported = async () => {
      const [problem] = (await verify(path)).problems;
      const spent = spentIn(path);
      const text = `${spent + lost} rows of the journal are not in its index, and ${spent} of them`;
      assert(problem?.startsWith(text), `${problem}, expected ${text}`);
    };
    await isReported();
    {
      await using engine = await openEngine({ path, durability: "relaxed" });
      for (let s = 4; s <= STREAMS; s++) await engine.flush(uuidOf(s));
      await until("spent rows are removed", () => spentIn(path) < 36 * lost);
    }
    await isReported();
  });
});

// With a smaller number of the first row of the tail, or none, spent rows would be read a second time.
Deno.test("SpentRows: a tail that begins too early is CORRUPT", async () => {
  await withPath(async (path) => {
    {
      await using engine = await openEngine({ path, durability: "relaxed" });
      for (let s = 1; s <= STREAMS; s++) await createStream(engine, s);
      await insertRounds(engine, 0, 150, 2);
      await engine.flush(uuidOf(3));
      await insertRounds(engine, 150, 2, 2);
    }
    const tail = numberIn(path, "SELECT value FROM setting WHERE key = 'journal_tail'");
    for (const value of [undefined, tail - 4096, tail - 1]) {
      const db = new DatabaseSync(path);
      db.exec("DELETE FROM setting WHERE key LIKE 'rows %' OR key = 'journal_tail'");
      if (value !== undefined) db.exec(`INSERT INTO setting VALUES ('journal_tail', ${value})`);
      db.close();
      const read = async () => {
        await using engine = await openEngine({ path, readOnly: true });
        for (let s = 1; s <= STREAMS; s++) await pointsOf(engine, uuidOf(s));
      };
      const error = await rejection(read());
      assertEquals(error.message, "The database is damaged: the setting journal_tail");
      assertEquals(error.status, "CORRUPT");
    }
  });
});

Deno.test("SpentRows: whatever is committed, obliterated and opened again, all points are there once", async () => {
  await withPath(async (path) => {
    const random = new Random(20261130);
    // Inserts by stream; one that was obliterated has no number.
    const inserts = new Map(Array.from({ length: STREAMS }, (_, s) => [s + 1, 0]));
    const anyStream = () => random.pick([...inserts.keys()]);
    const assertAll = async (engine: Engine) => {
      for (const [s, n] of inserts) {
        const times = (await pointsOf(engine, uuidOf(s))).map(([time]) => time);
        assertEquals(times, Array.from({ length: 2 * n }, (_, i) => i * 1_000_000), `stream ${s}`);
      }
      await verifiedBlocks(path);
    };
    let engine = await openEngine({ path, durability: "relaxed" });
    for (const s of inserts.keys()) await createStream(engine, s);
    let spent = 0;
    for (let step = 0; step < 30; step++) {
      for (let round = random.int(0, 40); round > 0; round--) {
        await Promise.all([...inserts].map(([s, n]) => {
          if (random.chance(0.2)) return undefined;
          inserts.set(s, n + 1);
          return engine.insert({ uuid: uuidOf(s), columns: regular(2, BigInt(n) * 2_000_000n) });
        }));
      }
      for (let flushes = random.int(0, 25); flushes > 0; flushes--) {
        await engine.flush(uuidOf(anyStream()));
      }
      spent = Math.max(spent, spentIn(path));
      const event = random.int(0, 9);
      if (event === 0) {
        const s = anyStream();
        inserts.delete(s);
        await engine.obliterate(uuidOf(s));
      } else if (event < 3) {
        await engine.close();
        await verifiedBlocks(path);
        engine = await openEngine({ path, durability: "relaxed" });
      } else if (event < 5) {
        await using reader = await openEngine({ path, readOnly: true });
        await assertAll(reader);
      }
    }
    assert(spent > 500, `${spent} rows were spent at once, at most`);
    await assertAll(engine);
    await engine.close();
    await verifiedBlocks(path);
  });
});
