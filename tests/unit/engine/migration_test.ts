import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BTrDBError } from "../../../src/core/errors.ts";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import { SCHEMA_VERSION } from "../../../src/engine/file/schema.ts";
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
