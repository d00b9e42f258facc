import { assert, assertEquals } from "@std/assert";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import type { OpenDatabase } from "../../../src/engine/file/sqlite.ts";
import { countedSqlite } from "../../support/counting_sqlite.ts";
import { nextTurn } from "../../../src/core/event_loop.ts";
import { createStream, pointsOf, regular, rejection, uuidOf } from "../../support/engine.ts";
import { untilReclaimed, verifiedBlocks } from "../../support/old_file.ts";

async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(`${directory}/grid.btrdb`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Makes versions of a stream, 50 points each at the end of it. */
async function makeVersions(engine: Engine, uuid: Uint8Array, n: number): Promise<void> {
  for (let v = 0; v < n; v++) {
    await engine.insert({ uuid, columns: regular(50, BigInt(v) * 50_000_000n) });
    await engine.flush(uuid);
  }
}

/** Work that SQLite is asked to do. */
interface Counts {
  versionRows: number;
  blocksInTransaction: number;
  mostBlocks: number;
}

/** Counts the rows read from the table of versions, and the blocks removed in one transaction. */
function counting(counts: Counts): OpenDatabase {
  return countedSqlite({
    run(sql) {
      if (!sql.startsWith("DELETE FROM block")) return;
      counts.mostBlocks = Math.max(counts.mostBlocks, ++counts.blocksInTransaction);
    },
    rows(sql, n) {
      if (sql === "BEGIN IMMEDIATE") counts.blocksInTransaction = 0;
      if (sql.includes("FROM version")) counts.versionRows += n;
    },
  });
}

Deno.test("obliterate: the rows that are read to give back its room grow with the versions, not with their square", async () => {
  // Every version that was removed once read the rows of all others: 10,000 took 160 s.
  await withPath(async (path) => {
    const counts: Counts = { versionRows: 0, blocksInTransaction: 0, mostBlocks: 0 };
    await using engine = await openEngine({
      path,
      durability: "relaxed",
      openDatabase: counting(counts),
    });
    for (const versions of [50, 200]) {
      const uuid = await createStream(engine, versions);
      await makeVersions(engine, uuid, versions);
      counts.versionRows = 0;
      await engine.obliterate(uuid);
      await untilReclaimed(path);
      assert(counts.versionRows <= 2 * versions + 10, `${counts.versionRows} rows`);
    }
    assertEquals(await verifiedBlocks(path), 0);
  });
});

Deno.test("prune: ends also when it shares the transaction of the last step of what ran before", async () => {
  // The order came too late for that step, and whoever waited for it began nothing: it never ended.
  await using engine = await openEngine();
  for (let turns = 0; turns < 40; turns++) {
    const [old, pruned] = [
      await createStream(engine, 2 * turns),
      await createStream(engine, 2 * turns + 1),
    ];
    for (const uuid of [old, pruned]) await makeVersions(engine, uuid, 3);
    await engine.obliterate(old);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    let isOver = false;
    const pruning = engine.prune(pruned, 13n).then(() => isOver = true);
    for (let i = 0; i < 2_000 && !isOver; i++) await nextTurn();
    assert(isOver, `${turns} turns`);
    await pruning;
  }
});

Deno.test("obliterate, prune: no transaction removes more than a few hundred blocks", async () => {
  await withPath(async (path) => {
    const counts: Counts = { versionRows: 0, blocksInTransaction: 0, mostBlocks: 0 };
    await using engine = await openEngine({ path, openDatabase: counting(counts) });
    const uuid = await createStream(engine, 1);
    // One version that has everything, then one that has nothing, then another.
    await engine.insert({ uuid, columns: regular(1_000_000) });
    await engine.deleteRange({ uuid, start: 0n, end: 2n ** 60n });
    await engine.insert({ uuid, columns: regular(1_000_000) });
    const { versions, blocks } = await engine.prune(uuid, 13n);
    assertEquals(versions, 2);
    assert(blocks > 900, `${blocks} blocks`);
    assertEquals((await pointsOf(engine, uuid)).length, 1_000_000);
    await engine.obliterate(uuid);
    await untilReclaimed(path);
    assertEquals(await verifiedBlocks(path), 0);
    assert(counts.mostBlocks > 0 && counts.mostBlocks <= 256, `${counts.mostBlocks} blocks`);
  });
});

Deno.test("Reclaimer: prune: inserts, deletes and other prunes meanwhile find what they need", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path, durability: "relaxed" });
    const uuid = await createStream(engine, 1);
    const other = await createStream(engine, 2);
    await makeVersions(engine, uuid, 300);
    // One that is ordered before this has ended would count with it what both of them remove.
    assertEquals((await engine.prune(uuid, 200n)).versions, 189);
    assertEquals((await rejection(pointsOf(engine, uuid, 150n))).code, 450);
    const second = engine.prune(uuid, 300n);
    await engine.deleteRange({ uuid, start: 0n, end: 1_000_000_000n });
    await makeVersions(engine, other, 20);
    const third = engine.prune(other, 20n);
    await engine.insert({ uuid, columns: regular(10, 10n ** 12n) });
    assertEquals((await second).versions, 100);
    assertEquals((await third).versions, 9);
    assertEquals((await pointsOf(engine, uuid, 300n)).length, 290 * 50);
    assertEquals((await pointsOf(engine, uuid)).length, 300 * 50 - 1000 + 10);
    assertEquals((await pointsOf(engine, other)).length, 1000);
    await verifiedBlocks(path);
  });
});

Deno.test("Reclaimer: prune: a call that is aborted leaves the removing to the background", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path, durability: "relaxed" });
    const uuid = await createStream(engine, 1);
    await makeVersions(engine, uuid, 100);
    const controller = new AbortController();
    const pruned = engine.prune(uuid, 100n, { signal: controller.signal });
    await engine.insert({ uuid: await createStream(engine, 2), columns: regular(1) });
    controller.abort(new Error("not that long"));
    const result = await pruned.then(() => "done", (error) => error.message);
    assert(result === "done" || result === "not that long", `${result}`);
    await untilReclaimed(path);
    assertEquals((await rejection(pointsOf(engine, uuidOf(1), 99n))).code, 450);
    await verifiedBlocks(path);
  });
});

Deno.test("Reclaimer: prune: a stream that is obliterated meanwhile is removed wholly", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path, durability: "relaxed" });
    const uuid = await createStream(engine, 1);
    await makeVersions(engine, uuid, 200);
    const pruned = engine.prune(uuid, 150n);
    await engine.obliterate(uuid);
    await pruned;
    await untilReclaimed(path);
    assertEquals(await verifiedBlocks(path), 0);
  });
});
