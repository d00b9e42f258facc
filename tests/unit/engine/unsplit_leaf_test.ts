/** Very many points at one nanosecond, which are in one leaf. */

import { assertEquals } from "@std/assert";
import { encodeBlock } from "../../../src/kernel/encode_block.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { reduceValues } from "../../../src/engine/tree/stats.ts";
import { longLeaf } from "../../../src/engine/tree/unsplit_leaf.ts";
import { countedSqlite } from "../../support/counting_sqlite.ts";
import { columnsOf, createStream, rejection } from "../../support/engine.ts";

/** As many points as there are values, all of one time. */
const same = (n: number) => ({
  times: new BigInt64Array(n).fill(5n),
  values: Float64Array.from({ length: n }, (_, i) => i % 100),
});

// A message of 4,096 inserts at one nanosecond undid its transaction with the first that was refused, and
// each of the others read the leaf of a quarter of a million points before it was refused: seven
// seconds, in which garbage was collected sixty times.
Deno.test("Engine.insert: inserts that their leaf has no room for do not undo their transaction, and subscribers do not see them", async () => {
  let transactions = 0;
  await using engine = await openEngine({
    openDatabase: countedSqlite({
      rows: (sql) => {
        if (sql === "BEGIN IMMEDIATE") transactions++;
      },
    }),
  });
  const uuid = await createStream(engine, 1), other = await createStream(engine, 2);
  await engine.insert({ uuid, columns: same(262_144) });
  await engine.insert({ uuid, columns: same(32_700) });
  transactions = 0;
  const updates = engine.subscribe([uuid]);
  const update = updates.next();
  const first = engine.insert({ uuid: other, columns: same(3) });
  const refused = Array.from(
    { length: 100 },
    () => rejection(engine.insert({ uuid, columns: same(255) })),
  );
  const last = engine.insert({ uuid, columns: columnsOf([[7, 1]]) });
  assertEquals(new Set((await Promise.all(refused)).map(({ code }) => code)), new Set([403]));
  assertEquals([(await first).minor, (await last).minor], [3n, 32_701n]);
  assertEquals(transactions, 1);
  const { done, value } = await update;
  assertEquals([done, value?.columns], [false, columnsOf([[7, 1]])]);
  await updates.return!();
});

// The statistics, the block and the row of a leaf of a quarter of a million points were made in one turn
// of the event loop, 12 to 24 ms.
Deno.test("longLeaf: statistics and block are made in a step each", () => {
  const points = same(100_000);
  const steps = longLeaf(points, 10, 99_000);
  for (let i = 0; i < 3; i++) assertEquals(steps.next().done, false);
  const { done, value } = steps.next();
  const leaf = done === true ? value.leaf(points, 10, 99_000) : undefined;
  assertEquals(leaf, {
    stats: reduceValues(points.values, 10, 99_000),
    content: encodeBlock(points, 10, 99_000),
  });
});
