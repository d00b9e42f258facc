import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../../mod.ts";
import { tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { ImportError, importFile, type ImportOptions } from "../../../src/ingest/mod.ts";
import { otherUnit } from "../../../src/ingest/time_unit.ts";

Deno.test("otherUnit: times between 1990 and 2100 in another unit, and no others", () => {
  const cases: [bigint, bigint, string | undefined][] = [
    [631_152_000n, 4_102_444_799n, "s"],
    [631_151_999n, 4_102_444_799n, undefined],
    [631_152_000n, 4_102_444_800n, undefined],
    [631_152_000_000n, 4_102_444_799_999n, "ms"],
    [631_152_000_000_000n, 4_102_444_799_999_999n, "us"],
    [1_700_000_000n, 1_700_000_000_000n, undefined],
    [1_700_000_000_000_000_000n, 1_700_000_000_000_000_001n, undefined],
    [0n, 1n, undefined],
    [-1_700_000_000n, 1_700_000_000n, undefined],
  ];
  for (const [first, last, unit] of cases) {
    const hint = unit && `say --time-format ${unit}, or --time-format ns if they are times of 1970`;
    assertEquals(otherUnit("a.lp", first, last)?.hint, hint);
  }
});

/** Imports a file of some content; returns how many points it stored. */
async function imported(name: string, content: string | Uint8Array, options: ImportOptions = {}) {
  const folder = await Deno.makeTempDir({ prefix: "btrdb-unit-" });
  await using db = await connect("memory:");
  try {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${folder}/${name}`, bytes);
    return (await importFile(db, `${folder}/${name}`, { into: "a", ...options })).points;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// A file of line protocol with times in seconds was stored in the first two seconds of 1970, with a
// remark that the first time is early: its points had to be found there and deleted.
Deno.test("importFile: line protocol in another unit is refused, unless its unit is said", async () => {
  const lines = "w v=1 1700000001\nw v=2 1700000000\n";
  const error = await assertRejects(() => imported("a.lp", lines), ImportError);
  assertEquals(
    error.message.replace(/ \S+\/a\.lp/, " a.lp"),
    "Cannot import a.lp: the earliest time is 1700000000, which is " +
      "1970-01-01T00:00:01.700000000Z in ns, and 2023-11-14T22:13:20.000000000Z in s",
  );
  assertEquals(error.fault, "options");
  assertEquals(await imported("a.lp", lines, { timeFormat: "s" }), 2n);
  assertEquals(await imported("a.lp", lines, { timeFormat: "ns" }), 2n);
  assertEquals(await imported("a.lp", "w v=1 5\nw v=2 1700000000\n"), 2n);
});

// The column's name was believed, although its numbers are times of the years to come in ms.
Deno.test("importFile: a column whose name says ns is refused where its numbers are ms", async () => {
  const rows = "time_ns,v\n2200000000000,1\n2200000001000,2\n";
  const table = tableFromArrays({ time_ns: [2_200_000_000_000n, 2_200_000_001_000n], v: [1, 2] });
  const arrow = tableToIPC(table, { format: "file" })!;
  for (const [name, content] of [["a.csv", rows], ["a.arrow", arrow]] as const) {
    await assertRejects(
      () => imported(name, content),
      ImportError,
      "column time_ns: the earliest time is 2200000000000, which is " +
        "1970-01-01T00:36:40.000000000Z in ns, and 2039-09-18T23:06:40.000000000Z in ms",
    );
    assertEquals(await imported(name, content, { timeFormat: "ms" }), 2n);
  }
  assertEquals(await imported("a.csv", rows, { timeFormat: "ns" }), 2n);
  assertEquals(await imported("a.csv", "time_ns,v\n5,1\n1000,2\n"), 2n);
});
