/** Imports of one file at the same time. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../support/until.ts";
import { btrdb, serveTarget, start, workspace } from "./support.ts";

/** Rows that take seconds, so that an import of them can be stopped in the middle. */
const ROWS = 1_500_000;

// Two of 400,000 rows into a server, the second a second after the first, stored 800,000 points in a
// stream, and both said that all was well.
Deno.test("import: a file that another process imports with the same options is refused", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  const rows = Array.from({ length: ROWS }, (_, i) => `${1_000_000 + i},${i % 7}\n`).join("");
  await Deno.writeTextFile(`${path}/in.csv`, `time (ns),v\n${rows}`);
  await using server = await serveTarget("memory:");
  const args = ["-d", server.address, "import", `${path}/in.csv`, "-i", "c"];
  const locks = () =>
    Array.fromAsync(Deno.readDir(env["BTRDB_STATE_DIR"]!)).catch(() => [])
      .then((entries) => entries.filter(({ name }) => name.endsWith(".lock")));
  const child = start(args, { env });
  let isOver = false;
  const output = child.output().finally(() => isOver = true);
  await until("the import is under way", async () => isOver || (await locks()).length > 0);
  assert(!isOver, "the import was not stopped in the middle");
  child.kill("SIGSTOP");
  for (const more of [[], ["--resume"], ["--restart"]]) {
    const { code, stderr } = await btrdb([...args, ...more], { env });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "another import of it into this database");
  }
  child.kill("SIGCONT");
  const { code, stderr } = await output;
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertEquals(await locks(), []);
  const { stdout } = await btrdb(["-d", server.address, "show", "c/v", "--json"], { env });
  assertStringIncludes(stdout, `"count":"${ROWS}"`);
});

// They ended with the system's words alone, `Not a directory (os error 20): mkdir …`, and no hint.
Deno.test("import: what is in the place of the folder of locks is named, with a hint", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  await Deno.writeTextFile(`${path}/in.csv`, "time (ns),v\n1,1\n2,2\n");
  await using server = await serveTarget("memory:");
  const args = ["-d", server.address, "import", `${path}/in.csv`, "-i", "c"];
  for (const folder of [`${path}/in.csv`, `${path}/in.csv/inner`]) {
    const { code, stderr } = await btrdb(args, { env: { ...env, BTRDB_STATE_DIR: folder } });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Cannot keep the record of the import: ");
    assertStringIncludes(stderr, "$BTRDB_STATE_DIR");
  }
});
