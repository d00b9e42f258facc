import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../../mod.ts";
import { importFile } from "../../../src/ingest/mod.ts";

/** Lines of a table with the same number of bytes, whatever the values are. */
function table(rows: number, value: (i: number) => number): string {
  const lines = Array.from({ length: rows }, (_, i) => `${1_700_000_000 + i},${value(i)}\n`);
  return `time (s),v\n${lines.join("")}`;
}

// `cp -p`, rsync and tar give a file the time of another one: if the size was the same too, there was nothing
// to do, or an interrupted import went on in the middle of another file.
Deno.test("importFile: a file that was replaced by one of the same size and time is not resumed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/day.csv`;
    const when = new Date(1_700_000_000_000);
    const put = async (text: string) => {
      await Deno.writeTextFile(path, text);
      await Deno.utime(path, when, when);
    };
    await using db = await connect(`file:${folder}/grid.btrdb`);
    const run = () =>
      importFile(db, path, { stateFolder: `${folder}/state`, threads: false, resume: true });
    const rows = table(50_000, (i) => i % 10);
    await put(rows);
    assertEquals((await run()).points, 50_000n);
    await put(table(50_000, (i) => 9 - i % 10));
    await assertRejects(run, Error, "was changed since the import");
    await put(rows);
    assertEquals((await run()).fresh, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
