/** A database file that an earlier release wrote, for tests of bringing it up to date. */

import { DatabaseSync } from "node:sqlite";
import { assertEquals } from "@std/assert";
import { type Engine, verify } from "../../src/engine/mod.ts";
import { pointsOf, uuidOf } from "./engine.ts";

/**
 * Unpacks a file of an earlier schema. It has streams 1 to 5 with points in tree and journal, of
 * which 2 was pruned, and number 6, whose obliterated versions were being removed.
 */
export async function unpackOldFile(schema: number, path: string): Promise<void> {
  const url = new URL(`files/schema_${schema}.btrdb.gz`, import.meta.url);
  const source = (await Deno.open(url)).readable.pipeThrough(new DecompressionStream("gzip"));
  await source.pipeTo((await Deno.create(path)).writable);
}

/** Checks that everything is there that was in the file. */
export async function assertOldContent(engine: Engine): Promise<void> {
  const counts = new Map([[1, 2850], [2, 2800], [3, 50], [4, 0], [5, 2800]]);
  for (const [stream, count] of counts) {
    const points = await pointsOf(engine, uuidOf(stream));
    assertEquals(points.length, count, `stream ${stream}`);
    for (const [time, value] of points) assertEquals(value, time / 1e6 % 1000);
  }
  assertEquals((await pointsOf(engine, uuidOf(5), 12n)).length, 1400);
  assertEquals((await pointsOf(engine, uuidOf(2), 13n)).length, 2100);
  const found = (await Array.fromAsync(engine.lookupStreams({
    collection: "old",
    isCollectionPrefix: true,
    tags: new Map([["unit", "volts"]]),
    annotations: new Map([["owner", "o1"]]),
  }))).flat();
  assertEquals(found.map(({ uuid }) => uuid[0]), [1]);
  const all = { collection: "", isCollectionPrefix: true, tags: new Map(), annotations: new Map() };
  assertEquals((await Array.fromAsync(engine.lookupStreams(all))).flat().length, 5);
  const { tags, annotations } = await engine.metadataUsage("old");
  assertEquals([...tags], [["name", 5n], ["unit", 5n]]);
  assertEquals([...annotations], [["none", 5n], ["note", 1n], ["owner", 4n]]);
}

/** Waits until nothing is left to be removed from a file that is open. */
export async function untilReclaimed(path: string): Promise<void> {
  for (let left = 3000; left > 0; left--) {
    const db = new DatabaseSync(path, { readOnly: true });
    const row = db.prepare("SELECT 1 FROM reclaim").get();
    db.close();
    if (row === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("versions are still to be removed after a minute");
}

/** Checks a file, which must be without problems; the number of its blocks. */
export async function verifiedBlocks(path: string): Promise<number> {
  const { problems, blocks } = await verify(path);
  assertEquals(problems, []);
  return blocks;
}
