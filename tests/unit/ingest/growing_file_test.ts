/** Files that grow, and files that are changed between two imports. */

import { assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { connect } from "../../../mod.ts";
import {
  explain,
  importFile,
  type ImportOptions,
  type ImportSummary,
} from "../../../src/ingest/mod.ts";
import { valuesOf } from "../../support/imported.ts";
import { imported } from "../../support/imported.ts";

const ROWS = "time,v\n2020-03-01T00:00:00Z,1.5\n2020-03-01T00:00:01Z,12";

/** A file that is imported several times into the same database. */
async function growing(
  use: (
    write: (text: string) => Promise<void>,
    run: (options?: ImportOptions) => Promise<ImportSummary>,
    path: string,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await using db = await connect("memory:");
  const path = `${folder}/log.csv`;
  try {
    await use(
      (text) => Deno.writeTextFile(path, text),
      (options) => importFile(db, path, { stateFolder: folder, ...options }),
      path,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("importFile: a last line without an end is not half a number, and comes when it is whole", async () => {
  await growing(async (write, run) => {
    await write(ROWS);
    const first = await run();
    assertEquals([first.points, first.warnings.length], [1n, 1]);
    assertEquals(first.warnings[0]!.startsWith("The last line, 3, has no line end"), true);
    await write(`${ROWS}.5\n2020-03-01T00:00:02Z,3\n`);
    const second = await run({ resume: true, changed: true });
    assertEquals([second.points, second.fresh, second.warnings], [3n, 2, []]);
  });
});

Deno.test("importFile: --changed takes rows behind the place recorded, and no change before it", async () => {
  await growing(async (write, run) => {
    const long = Array.from({ length: 5000 }, (_, i) => `${1_600_000_000 + i},${i}\n`).join("");
    await write(`time,v\n${long}`);
    await run();
    await write(`time,v\n${long.replace(",4999\n", ",4998\n")}1700000000,1\n`);
    await assertRejects(() => run({ resume: true, changed: true }), Error, "was changed");
    await write(`time,v\n${long.replace(",1\n", ",2\n")}1700000000,1\n`);
    await assertRejects(() => run({ resume: true, changed: true }), Error, "was changed");
    await write(`time,v\n${long}1700000000,1\n`);
    await assertRejects(() => run({ resume: true }), Error, "was changed");
    assertEquals((await run({ resume: true, changed: true })).fresh, 1);
  });
});

Deno.test("importFile: the last line of compressed text is whole, since the compression says its end", async () => {
  const { points } = await imported(gzipSync(`${ROWS}.5`));
  assertEquals(valuesOf(points), [1.5, 12.5]);
});

Deno.test("explain: a last line without an end is named", async () => {
  await growing(async (write, _run, path) => {
    await write(ROWS);
    const { warnings, last } = await explain(path);
    assertEquals(warnings.length, 1);
    assertEquals(warnings[0]!.startsWith("The last line has no line end and is not stored"), true);
    assertEquals(last, BigInt(Date.UTC(2020, 2, 1)) * 1_000_000n);
  });
});

Deno.test("importFile: a header alone without a line end may be half a header", async () => {
  await growing(async (write, run) => {
    await write("time,v");
    await assertRejects(() => run(), Error, "its only line has no line end");
  });
});
