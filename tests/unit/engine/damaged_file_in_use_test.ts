/**
 * Damage to a database file while its writer has it open, by another program.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { columnsOf, createStream, pointsOf, rejection } from "../../support/engine.ts";
import { withDirectory } from "../../support/database_file.ts";

/** The names and sizes are looked at every 100 ms. */
const LOOK_MS = 150;

function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

/** Inserts points until the file itself has some pages. */
async function grow(engine: Engine, uuid: Uint8Array, path: string): Promise<number> {
  let time = 0;
  while ((await Deno.stat(path)).size < 30 * 16_384) {
    const points = Array.from({ length: 4000 }, (): [number, number] => [++time, Math.random()]);
    await engine.insert({ uuid, columns: columnsOf(points) });
  }
  return time;
}

// A writer whose file was cut off beside it acknowledged 59 more inserts; the next copy of the log made the
// file as long as before, with a hole in which nothing could be found.
for (const isSeenBefore of [false, true]) {
  const when = isSeenBefore ? "also if its health was asked for" : "once the file is cut off";
  Deno.test(`Engine.insert: nothing is acknowledged for long, ${when}`, async () => {
    await withDirectory(async (directory) => {
      const path = `${directory}/grid`;
      const engine = await openEngine({ path });
      const uuid = await createStream(engine);
      const time = await grow(engine, uuid, path);
      await later();
      await engine.insert({ uuid, columns: columnsOf([[time + 1, 1]]) });
      const { size } = await Deno.stat(path);
      await Deno.truncate(path, size - 10 * 16_384);
      await later();
      if (isSeenBefore) assertEquals(engine.trouble()?.status, "MOVED");
      const error = await rejection(engine.insert({ uuid, columns: columnsOf([[time + 2, 2]]) }));
      assertEquals(error.status, "MOVED", error.message);
      assertStringIncludes(error.message, "truncated");
      assertEquals((await rejection(engine.close())).status, "MOVED");
      assertEquals((await Deno.stat(path)).size, size - 10 * 16_384);
    });
  });
}

Deno.test("Engine.insert: a file that SQLite itself makes shorter is no cut one", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid`;
    await using engine = await openEngine({ path });
    const uuid = await createStream(engine);
    const time = await grow(engine, uuid, path);
    await later();
    await engine.insert({ uuid, columns: columnsOf([[time + 1, 1]]) });
    const { size } = await Deno.stat(path);
    await engine.obliterate(uuid);
    await engine.compact();
    assert((await Deno.stat(path)).size < size);
    await later();
    const other = await createStream(engine, 2);
    await engine.insert({ uuid: other, columns: columnsOf([[1, 2]]) });
    assertEquals(await pointsOf(engine, other), [[1, 2]]);
  });
});
