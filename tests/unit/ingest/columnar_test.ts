/** Parquet and Arrow files of others: every type, every time, as they say it. */

import { assertEquals, assertRejects } from "@std/assert";
import { tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { ImportError, type ImportOptions } from "../../../src/ingest/mod.ts";
import { readArrow } from "../../../src/io/arrow.ts";
import { imported, instant, timesOf, valuesOf } from "../../support/imported.ts";

const FILES = ["types.parquet", "types.feather", "types.arrows"];
const SKIP: ImportOptions = { badRows: "skip", badCells: "skip" };

function file(name: string): URL {
  return new URL(`data/${name}`, import.meta.url);
}

for (const name of FILES) {
  Deno.test(`importFile: ${name} has every number of every type`, async () => {
    const { points, omitted, skipped } = await imported(file(name), {
      ...SKIP,
      time: "ts_ms_local",
    });
    const values = Object.fromEntries(
      Object.keys(points).map((path) => [path.slice(2), valuesOf(points, path)]),
    );
    assertEquals(values, {
      i8: [-1, 3, 4],
      u64: [9223372036854777856, 1, 2],
      i64: [-9007199254740992, 1, 2],
      f16: [1, 2, 3, 4],
      f32: [0.5, 1],
      f64: [0.5, 1e300],
      b: [1, 0, 1],
      dec: [1.25, -0.07, 12345678901234.56],
      dec5: [0.07, 0.07, 0.07, 0.07],
      dec38: Array(4).fill(12345678901234567890123456.78),
      numcat: [1.5, 2.5, 1.5],
      allnull: [],
    });
    assertEquals(skipped, { rows: 0, cells: 1 });
    const reasons = Object.fromEntries(omitted.map(({ name, reason }) => [name, reason]));
    assertEquals(
      [reasons["st"], reasons["ls"], reasons["s"], reasons["dur"], reasons["time64ns"]],
      ["a struct", "a list", "text", "a duration", "a time of day"],
    );
  });

  Deno.test(`importFile: ${name} has times of every type`, async () => {
    const run = async (options: ImportOptions): Promise<string[]> => {
      return timesOf(
        (await imported(file(name), { columns: ["f16"], ...SKIP, ...options })).points,
      );
    };
    const start = BigInt(Date.UTC(2021, 0, 1)) * 1_000_000n;
    assertEquals(await run({ time: "ts_ns_utc", tz: "Europe/Berlin" }), [
      "2020-03-01T00:00:00.000000001Z",
      "2020-03-01T00:00:00.000000002Z",
      "2020-03-01T00:00:00.000000004Z",
    ]);
    assertEquals((await run({ time: "ts_ms_local" }))[1], "2020-03-01T00:00:00.5Z");
    for (const tz of ["Europe/Berlin", "+01:00"]) {
      assertEquals((await run({ time: "ts_ms_local", tz }))[1], "2020-02-29T23:00:00.5Z");
    }
    assertEquals(await run({ time: "date32+time32s" }), [
      "2020-03-01T00:00:01Z",
      "2020-03-01T00:00:02Z",
      "2020-03-02T00:00:04Z",
    ]);
    assertEquals((await run({ time: "date64", tz: "Europe/Berlin" }))[0], "2020-02-29T23:00:00Z");
    assertEquals((await run({ time: "dur", start }))[3], "2021-01-01T00:00:00.004Z");
    assertEquals((await run({ time: "time64ns", start }))[3], "2021-01-01T00:00:00.000000004Z");
  });

  Deno.test(`importFile: ${name} is refused where it is not plain what is meant`, async () => {
    const refused = async (options: ImportOptions, text: string): Promise<void> => {
      await assertRejects(() => imported(file(name), options), Error, text);
    };
    await refused({}, "Cannot tell which column is the time: ts_ns_utc, ts_ms_local");
    await refused({ time: "dur" }, "says how long or at what time of day");
    await refused({ time: "ts_ns_utc", columns: ["i8"] }, "row 3 has no time");
    await refused({ time: "ts_ms_local" }, 'row 4, column "f32": Infinity is no finite number');
    await refused({ time: "ts_ms_local", columns: ["s"] }, "the column is text");
    await refused({ time: "ts_ms_local", start: 0n }, "has times by its type");
    await refused({ time: "ts_ms_local", delimiter: ";" }, "--delimiter");
    await refused({ time: "st" }, "the column is a struct");
    await refused({ time: "s" }, "means as a time");
  });
}

Deno.test("readArrow: LZ4, nulls and dictionaries are read, text is left out", async () => {
  for (const name of ["types.feather", "types.arrows"]) {
    const bytes = await Deno.readFile(file(name));
    await assertRejects(() => Array.fromAsync(readArrow(bytes)), Error, 'no column "time"');
  }
  const ipc = new URL("../../../../shared/field/B22c-nulls.arrows", import.meta.url);
  const bytes = await Deno.readFile(ipc).catch(() => undefined);
  if (bytes === undefined) return console.warn("skipped, there are no inputs from the field");
  for (const piece of [1, 100, bytes.length]) {
    const pieces = Array.from(
      { length: Math.ceil(bytes.length / piece) },
      (_, i) => bytes.subarray(i * piece, (i + 1) * piece),
    );
    const batches = await Array.fromAsync(readArrow(pieces));
    const points = batches.flat().filter(({ label }) => label === "V");
    assertEquals(points.flatMap(({ values }) => [...values]), [1.5, 3.5, 4.5]);
    assertEquals(instant(points[0]!.times[0]!), "2020-03-01T00:00:00.000000001Z");
  }
});

// Every number beyond 2^53 was counted as rounded, also those that a double holds.
Deno.test("importFile: whole numbers that no double holds are counted in a warning", async () => {
  const table = tableFromArrays({
    time: BigInt64Array.of(1n, 2n, 3n, 4n),
    value: BigInt64Array.of(1n, 9_007_199_254_740_993n, -9_007_199_254_740_993n, 1n << 60n),
  });
  const { warnings } = await imported(tableToIPC(table, { format: "stream" })!, {
    time: "time",
    timeFormat: "ns",
  });
  assertEquals(warnings.filter((text) => text.includes("2^53")), [
    "2 whole numbers are beyond 2^53, where a double has not every one: they are rounded to the " +
    'nearest (column "value")',
  ]);
});

Deno.test("readArrow: more rows than the bytes of a column can have are refused at once", async () => {
  // 2 kB that claimed 2^40 rows kept the processor for fifteen seconds.
  const rows = 12_345;
  const time = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i));
  const v = Array.from(time, (_, i) => i % 2 === 0 ? null : i);
  const bytes = tableToIPC(tableFromArrays({ time, v }), { format: "stream" })!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let changed = 0;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    if (view.getBigInt64(at, true) !== BigInt(rows)) continue;
    view.setBigInt64(at, 1n << 40n, true);
    changed++;
  }
  assertEquals(changed >= 2, true);
  await assertRejects(() => Array.fromAsync(readArrow(bytes)), Error, "shorter than it says");
});

// It was "neither text nor Parquet", with advice about UTF-16.
Deno.test("importFile: encrypted Parquet is named", async () => {
  const bytes = await Deno.readFile(file("types.parquet"));
  const mark = new TextEncoder().encode("PARE");
  bytes.set(mark);
  bytes.set(mark, bytes.length - 4);
  const said = "the Parquet file cannot be read: the file is encrypted, and no keys are taken";
  await assertRejects(() => imported(bytes), ImportError, said);
});
