/** Long tables: a column of text says whose row it is. */

import { assertEquals, assertRejects } from "@std/assert";
import { explain } from "../../../src/ingest/mod.ts";
import { imported, importedText, timesOf, valuesOf } from "../../support/imported.ts";

const LONG = "ts,signal,value\n" +
  "2020-03-01T00:00:00Z,V,1\n2020-03-01T00:00:00Z,I,10\n" +
  "2020-03-01T00:00:01Z,V,2\n2020-03-01T00:00:01Z,I,\n" +
  '2020-03-01T00:00:02Z,"V",3\n2020-03-01T00:00:02Z,"a, ""b""",30\n';

Deno.test("importFile: --by makes a stream of each name, with its own rows", async () => {
  const { points } = await importedText(LONG, { by: "signal" });
  assertEquals(Object.keys(points).sort(), ["f/I", "f/V", 'f/a, "b"']);
  assertEquals(valuesOf(points, "f/V"), [1, 2, 3]);
  assertEquals(valuesOf(points, "f/I"), [10]);
  assertEquals(timesOf(points, 'f/a, "b"'), ["2020-03-01T00:00:02Z"]);
});

Deno.test("importFile: a long table is refused unsaid, with the option in the hint", async () => {
  const error = await assertRejects(() => importedText(LONG), Error, "this is a long table");
  assertEquals((error as { hint?: string }).hint, '--by "signal" makes a stream of each');
});

Deno.test("importFile: --by with several columns of values names them both", async () => {
  const text = "ts;meter;u;i\n1583020800;m1;1,5;2\n1583020800;m2;3;4\n1583020801;m1;5;6\n";
  const { points } = await importedText(text, { by: "meter", decimal: "," });
  assertEquals(Object.fromEntries(Object.keys(points).map((key) => [key, valuesOf(points, key)])), {
    "f/m1/u": [1.5, 5],
    "f/m1/i": [2, 6],
    "f/m2/u": [3],
    "f/m2/i": [4],
  });
});

Deno.test("importFile: errors in long tables say the line of the file", async () => {
  const bad = LONG.replace(",V,2\n", ",V,two\n").replace(",V,1\n", ",V,1\n\n");
  await assertRejects(
    () => importedText(bad, { by: "signal" }),
    Error,
    'line 5, column 3 ("value"): "two"',
  );
  const unnamed = LONG.replace(",I,10\n", ",,10\n");
  await assertRejects(
    () => importedText(unnamed, { by: "signal" }),
    Error,
    'line 3 has nothing in column "signal"',
  );
  const { skipped } = await importedText(unnamed, { by: "signal", badRows: "skip" });
  assertEquals(skipped, { rows: 1, cells: 0 });
  await assertRejects(() => importedText(LONG, { by: "ts" }), Error, "the column is the time");
  await assertRejects(() => importedText(LONG, { by: "sig" }), Error, "there is no such column");
});

Deno.test("importFile: --by from a pipe, and each stream's own hour that comes twice", async () => {
  const rows = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"].flatMap((clock, i) =>
    ["a", "b"].map((name) => `2020-10-25 ${clock}:00,${name},${i}\n`)
  );
  async function* pipe(): AsyncGenerator<Uint8Array> {
    for (const text of ["time,name,v\n", ...rows]) yield new TextEncoder().encode(text);
  }
  const { points, warnings } = await imported(pipe(), { by: "name", tz: "Europe/Berlin" });
  const expected = ["23:30", "00:00", "00:30", "01:00", "01:30", "02:00"];
  for (const path of ["f/a", "f/b"]) {
    assertEquals(timesOf(points, path).map((time) => time.slice(11, 16)), expected);
  }
  assertEquals(warnings, []);
});

Deno.test("explain: a long table's streams are listed", async () => {
  const plan = await explain(new TextEncoder().encode(LONG), { by: "signal", into: "x" });
  assertEquals(plan.columns.map(({ stream }) => stream), ["x/V", "x/I", 'x/a, "b"']);
});
