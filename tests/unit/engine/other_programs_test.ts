/** Database files that another program of SQLite has changed or copied. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import { build, rejection, withDirectory } from "../../support/database_file.ts";

function run(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

// `ANALYZE` in the shell of SQLite, or `PRAGMA optimize`, which some programs run whenever they close a
// file, made a table by which the file was no longer opened. The error said only that the table was not
// known, and people had to guess that their points were whole.
Deno.test("openEngine, verify: statistics of another program are refused with what removes them", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    run(path, "ANALYZE");
    const advice = "DROP TABLE sqlite_stat1 in the sqlite3 shell removes it, and loses nothing";
    for (const readOnly of [false, true]) {
      const error = await rejection(openEngine({ path, readOnly }));
      assertEquals(error.status, "CORRUPT");
      assertStringIncludes(error.message, advice);
    }
    const { ok, problems } = await verify(path);
    assert(!ok);
    assertStringIncludes(problems.join(), advice);
    // Builds of SQLite differ in how many such tables they make; each is named.
    for (const [sql] of problems.join().matchAll(/DROP TABLE \w+/g)) run(path, sql);
    assertEquals((await verify(path)).problems, []);
    await (await openEngine({ path })).close();
  });
});

Deno.test("openEngine: a copy made by a dump is named as one, and is whole with its two numbers", async () => {
  // It was called a database of another application.
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    run(path, "PRAGMA application_id = 0; PRAGMA user_version = 0");
    const error = await rejection(openEngine({ path }));
    assertEquals(error.status, "NOT_A_DATABASE");
    for (const [sql] of error.message.matchAll(/PRAGMA \w+ = \d+/g)) run(path, sql);
    assertEquals((await verify(path)).problems, []);
    await (await openEngine({ path })).close();
  });
});

Deno.test("openEngine: an empty database that is opened for reading is called empty", async () => {
  // Its schema was said to have version 0, which no release has ever written.
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    run(path, "VACUUM");
    const error = await rejection(openEngine({ path, readOnly: true }));
    assertStringIncludes(error.message, "it is an empty database; open it for writing once");
  });
});

Deno.test("openEngine, verify: other page sizes, journal modes and copies of VACUUM INTO are whole", async () => {
  await withDirectory(async (directory) => {
    const base = `${directory}/grid.btrdb`;
    await build(base);
    const { points } = await verify(base);
    const changes = [
      "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM",
      "PRAGMA journal_mode = DELETE; PRAGMA page_size = 65536; VACUUM",
      "PRAGMA journal_mode = PERSIST; PRAGMA auto_vacuum = NONE; VACUUM",
    ];
    for (const [i, sql] of changes.entries()) {
      const path = `${directory}/copy${i}.btrdb`;
      run(base, `VACUUM INTO '${path}'`);
      run(path, sql);
      for (let round = 0; round < 2; round++) {
        const report = await verify(path);
        assertEquals([report.problems, report.points], [[], points], sql);
        await (await openEngine({ path })).close();
      }
    }
  });
});
