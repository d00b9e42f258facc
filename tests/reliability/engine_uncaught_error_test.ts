/** Database files of programs that an error ends which nobody catches (docs/engine.md, "One writer"). */

import { assertEquals, assertRejects } from "@std/assert";
import { type BTrDB, BTrDBError, connect } from "../../mod.ts";

const WRITER = new URL("../support/uncaught_writer.ts", import.meta.url).pathname;

/** Runs a writer to its end; its exit code. */
async function write(path: string, how: string): Promise<number> {
  const writer = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", WRITER, path, how],
    stderr: "null",
  });
  return (await writer.output()).code;
}

async function timesOf(db: BTrDB): Promise<bigint[]> {
  const stream = db.streamFromUUID("00000000-0000-4000-8000-000000000001");
  return [...(await stream.rawValues(0n, 100n).collect()).times];
}

// An error in a program that had a file open for writing left a file that could not be opened any more,
// CORRUPT: Deno closes SQLite's connections at such an end, which removes the log, and the mark of the
// writer said that there was one.
for (const how of ["throw", "reject", "timer"]) {
  Deno.test(`openEngine: a file whose writer ended by an error is opened, ${how}`, async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/grid.btrdb`;
    assertEquals(await write(path, how), 1);
    {
      await using db = await connect(`file:${path}`, { embedded: { readOnly: true } });
      assertEquals(await timesOf(db), [1n]);
    }
    {
      await using db = await connect(`file:${path}`);
      assertEquals(await timesOf(db), [1n]);
    }
    await Deno.remove(folder, { recursive: true });
  });
}

Deno.test("openEngine: a writer that goes on after an error has its mark again", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/grid.btrdb`;
  assertEquals(await write(path, "prevented"), 3);
  await Deno.rename(`${path}-wal`, `${path}-moved`);
  const error = await assertRejects(() => connect(`file:${path}`), BTrDBError);
  assertEquals(error.status, "CORRUPT");
  await Deno.rename(`${path}-moved`, `${path}-wal`);
  {
    await using db = await connect(`file:${path}`);
    assertEquals(await timesOf(db), [1n, 2n]);
  }
  await Deno.remove(folder, { recursive: true });
});
