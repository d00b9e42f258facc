import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BTrDBError } from "../../../src/core/errors.ts";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import { build, rejection, uuid, withDirectory } from "../../support/database_file.ts";

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
