import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BTrDBError } from "../../../src/core/errors.ts";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import { SCHEMA_VERSION } from "../../../src/engine/file/schema.ts";
import { COMPRESSED_INNER } from "../../../src/engine/tree/block_frame.ts";
import { INNER, LEAF } from "../../../src/engine/tree/node.ts";
import { columnsOf, pointsOf, uuidOf } from "../../support/engine.ts";
import {
  assertOldContent,
  unpackOldFile,
  untilReclaimed,
  verifiedBlocks,
} from "../../support/old_file.ts";

async function withOldFile(schema: number, work: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/grid.btrdb`;
    await unpackOldFile(schema, path);
    await work(path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Version of the schema and names of the tables. */
function schemaOf(path: string): [number, number] {
  const db = new DatabaseSync(path, { readOnly: true });
  const version = Number(db.prepare("PRAGMA user_version").get()!["user_version"]);
  const tables = Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!["n"]);
  db.close();
  return [version & 0xf, tables];
}

/** Schemas that released or widely used files have. */
for (const schema of [1, 4, 5, 6, 7]) {
  Deno.test(`openEngine: a file of schema ${schema} is brought up to date with all that is in it`, async () => {
    await withOldFile(schema, async (path) => {
      {
        await using engine = await openEngine({ path });
        await assertOldContent(engine);
        await untilReclaimed(path);
      }
      assertEquals(schemaOf(path)[0], SCHEMA_VERSION);
      const blocks = await verifiedBlocks(path);
      await using again = await openEngine({ path });
      await assertOldContent(again);
      assertEquals(await verifiedBlocks(path), blocks);
    });
  });

  Deno.test(`openEngine: a reader leaves a file of schema ${schema} as it is`, async () => {
    await withOldFile(schema, async (path) => {
      const before = schemaOf(path);
      const error = await assertRejects(() => openEngine({ path, readOnly: true }), BTrDBError);
      assertEquals(error.status, "SCHEMA_TOO_OLD");
      assertEquals((await verify(path).catch((e) => e)).status, "SCHEMA_TOO_OLD");
      assertEquals(schemaOf(path), before);
    });
  });

  Deno.test(`openEngine: a trigger in a file of schema ${schema} does not run while it is brought up to date`, async () => {
    await withOldFile(schema, async (path) => {
      const db = new DatabaseSync(path);
      db.exec("CREATE TRIGGER evil AFTER INSERT ON setting BEGIN DELETE FROM stream; END");
      db.close();
      const error = await assertRejects(() => openEngine({ path }), BTrDBError);
      assertEquals(error.status, "CORRUPT");
      assertEquals(schemaOf(path)[0], schema);
    });
  });
}

/** Bytes 4 of the blocks of a file, which tell their kinds. */
function kindsOf(path: string): Set<number> {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare("SELECT DISTINCT unicode(CAST(substr(data, 5, 1) AS TEXT)) k FROM block");
  const kinds = new Set(rows.all().map(({ k }) => Number(k)));
  db.close();
  return kinds;
}

Deno.test("openEngine: plain inner nodes of schema 7 and compressed ones are in one tree", async () => {
  await withOldFile(7, async (path) => {
    assertEquals(kindsOf(path), new Set([INNER, LEAF]));
    const uuid = uuidOf(5);
    const before = await (async () => {
      await using engine = await openEngine({ path });
      const before = await pointsOf(engine, uuid);
      const end = before.at(-1)![0];
      const more = Array.from({ length: 3000 }, (_, i): [number, number] => [end + 1e6 * i, i]);
      await engine.insert({ uuid, columns: columnsOf(more) });
      await engine.flush(uuid);
      assertEquals(await pointsOf(engine, uuid), [...before, ...more]);
      return before;
    })();
    assertEquals(kindsOf(path), new Set([INNER, LEAF, COMPRESSED_INNER]));
    await verifiedBlocks(path);
    await using reader = await openEngine({ path, readOnly: true });
    assertEquals((await pointsOf(reader, uuid, 12n)).length, 1400);
    assertEquals((await pointsOf(reader, uuid)).slice(0, before.length), before);
  });
});
