import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { uuidText } from "../../../src/core/uuid.ts";
import { type Engine, openEngine, verify } from "../../../src/engine/mod.ts";
import { forgetRows } from "../../../src/engine/file/row_counts.ts";
import { untilReclaimed } from "../../support/old_file.ts";
import { build, columns, rejection, uuid, withDirectory } from "../../support/database_file.ts";

const RANGE = { uuid, start: 0n, end: 2n ** 61n, version: 0n };

/** Reads of the latest version, each by another way through the tree. */
const READS: [name: string, read: (engine: Engine) => Promise<unknown>][] = [
  ["rawValues", (engine) => Array.fromAsync(engine.rawValues(RANGE))],
  ["one chunk", (engine) => Array.fromAsync(engine.rawValues({ ...RANGE, chunk: Infinity }))],
  ["small chunks", (engine) => Array.fromAsync(engine.rawValues({ ...RANGE, chunk: 10 }))],
  ["blocks", (engine) => Array.fromAsync(engine.rawValues({ ...RANGE, takesBlocks: true }))],
  [
    "alignedWindows",
    (engine) => Array.fromAsync(engine.alignedWindows({ ...RANGE, pointwidth: 20 })),
  ],
  [
    "windows",
    (engine) => Array.fromAsync(engine.windows({ ...RANGE, width: 10_000_000n, depth: 0 })),
  ],
  ["nearest", (engine) => engine.nearest({ ...RANGE, time: 0n, backward: false })],
  ["explicit version", (engine) => Array.fromAsync(engine.rawValues({ ...RANGE, version: 14n }))],
];

/** Removes blocks of a file, as a fault of the disk might. */
function removeBlocks(path: string, condition: string): void {
  const db = new DatabaseSync(path);
  db.exec(`DELETE FROM block WHERE ${condition}`);
  forgetRows(db);
  db.close();
}

// A block that the disk had lost was reported as code 450: who read it was told that somebody had pruned
// the version and that a later one was there, and did not look after the file.
Deno.test("rawValues, windows, nearest, insert: a block that is missing is CORRUPT, and named with its stream", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const whole = await Deno.readFile(path);
    const roots = "id IN (SELECT root FROM version)";
    for (const condition of [roots, `NOT ${roots}`, "TRUE"]) {
      await Deno.writeFile(path, whole);
      removeBlocks(path, condition);
      for (const readOnly of [true, false]) {
        await using engine = await openEngine({ path, readOnly });
        for (const [name, read] of READS) {
          const error = await rejection(read(engine));
          assertEquals([name, error.status, error.uuid], [name, "CORRUPT", uuidText(uuid)]);
          assert(/block \d+ of stream .* is missing/.test(error.message), error.message);
        }
        if (readOnly) continue;
        for (const n of [40_000, 100]) {
          const insert = engine.insert({ uuid, columns: columns(3, n) })
            .then(() => engine.flush(uuid));
          assertEquals((await rejection(insert)).status, "CORRUPT");
        }
      }
      const { problems } = await verify(path);
      assert(problems.some((text) => /^Stream .* block \d+ is missing/.test(text)), `${problems}`);
    }
  });
});

Deno.test("rawValues: a version that is pruned or obliterated while it is read gives code 450, not CORRUPT", async () => {
  for (const end of ["prune", "obliterate"] as const) {
    await withDirectory(async (directory) => {
      const path = `${directory}/grid.btrdb`;
      await build(path);
      await using writer = await openEngine({ path });
      await using reader = await openEngine({ path, readOnly: true });
      const reads = [writer, reader].map((engine) =>
        engine.rawValues({ ...RANGE, version: 13n, chunk: 10 })
      );
      for (const read of reads) assert((await read.next()).value !== undefined);
      if (end === "prune") {
        await writer.deleteRange(RANGE);
        await writer.prune(uuid, 16n);
      } else {
        await writer.obliterate(uuid);
        await untilReclaimed(path);
      }
      for (const read of reads) {
        const error = await rejection(Array.fromAsync(read));
        assertEquals([error.code, error.uuid], [450, uuidText(uuid)]);
        assertEquals(error.message, "the version is no longer available");
      }
    });
  }
});
