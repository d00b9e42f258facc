/** Work that expiry and compaction do in one turn of the event loop (docs/retention.md). */

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { countedSqlite } from "../../support/counting_sqlite.ts";
import { CountedTurns } from "../../support/counted_turns.ts";
import { columnsOf, createStream, regular } from "../../support/engine.ts";

const SECOND = 1_000_000_000n;

/** Time of a statement on the clock of these tests, ms. */
const STATEMENT_MS = 0.05;

/** Statements in 10 ms of it. */
const MOST_STATEMENTS = 200;

Deno.test("expire: no turn of the event loop has more than 10 ms of statements, however many streams there are", async () => {
  let add = (_units: number): void => {};
  await using engine = await openEngine({
    now: () => 1_000_000,
    // Nearly all are read again.
    cacheStreams: 10,
    openDatabase: countedSqlite({
      exec: () => add(1),
      run: () => add(1),
      rows: () => add(1),
    }),
  });
  const streams = 300;
  for (let i = 0; i < streams; i++) {
    const uuid = crypto.getRandomValues(new Uint8Array(16));
    const tags = new Map([["name", `s${i}`]]);
    await engine.create({ uuid, collection: `pmu/${i % 7}`, tags, annotations: new Map() });
    await engine.insert({ uuid, columns: columnsOf([[1, 1], [2, 2]]) });
  }
  await engine.setRetention("pmu", SECOND);
  using turns = new CountedTurns(STATEMENT_MS);
  add = (units) => turns.add(units);
  const report = await engine.expire();
  add = () => {};
  assertEquals([report.streams, report.points], [streams, BigInt(2 * streams)]);
  const all = turns.work.reduce((sum, n) => sum + n, 0);
  assert(all > 10 * MOST_STATEMENTS, `${all} statements`);
  assertLessOrEqual(Math.max(...turns.work), MOST_STATEMENTS, `${turns.work}`);
});

Deno.test("compact: no turn of the event loop moves more than 64 pages, however fast they are", async () => {
  const directory = await Deno.makeTempDir();
  try {
    let add = (_units: number): void => {};
    await using engine = await openEngine({
      path: `${directory}/grid.btrdb`,
      durability: "relaxed",
      openDatabase: countedSqlite({
        exec: (sql) => {
          const [, pages] = /^PRAGMA incremental_vacuum\((\d+)\)$/.exec(sql) ?? [];
          if (pages !== undefined) add(Number(pages));
        },
      }),
    });
    const uuid = await createStream(engine, 1);
    for (let i = 0n; i < 8n; i++) {
      await engine.insert({ uuid, columns: regular(100_000, i * 10n ** 12n) });
    }
    await engine.obliterate(uuid);
    using turns = new CountedTurns(0.001);
    add = (units) => turns.add(units);
    const report = await engine.compact();
    add = () => {};
    assertEquals(report.free, 0);
    assert(turns.work.length > 5, `${turns.work}`);
    assertEquals(Math.max(...turns.work), 64, `${turns.work}`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
