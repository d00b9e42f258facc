import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parquetMetadata } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { RawColumns, StatColumns } from "../../../src/core/columns.ts";
import { openParquet, type OpenParquetOptions, writeParquet } from "../../../src/io/parquet.ts";
import type { TableStream, WriteParquetOptions } from "../../../src/io/parquet.ts";
import { openParquetFile } from "../../../src/io/parquet_file.ts";
import { readHeader } from "../../../src/io/parquet_pages.ts";
import { RangeReader, readRuns } from "../../../src/io/parquet_runs.ts";
import { Random } from "../../support/random.ts";
import { peer } from "../../../bench/support/peers.ts";
import { toRaw } from "../../support/columns_arbitrary.ts";
import { usedCpuMs } from "../../support/cpu_ms.ts";
import { bits } from "../../support/kernel_compare.ts";
import { withFolder } from "../../support/run.ts";

const RAW = toRaw([
  [-(1n << 63n), -0],
  [1_561_953_600_000_000_001n, 5e-324],
  [1_561_953_600_000_000_002n, -1.7976931348623157e308],
  [(1n << 63n) - 1n, 1 / 3],
]);

async function written(
  streams: readonly TableStream[],
  options: WriteParquetOptions = {},
): Promise<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const result = writeParquet(writable, streams, options);
  result.catch(() => {});
  const bytes = new Uint8Array(await new Response(readable).arrayBuffer());
  assertEquals((await result).bytes, bytes.length);
  return bytes;
}

async function read(bytes: Uint8Array, options?: OpenParquetOptions) {
  await using file = await openParquet(bytes, options);
  const batches = await Array.fromAsync(file.batches());
  return { file, batches };
}

Deno.test("writeParquet: points keep every bit with every packing", async () => {
  for (const compression of [undefined, "zstd", "snappy", "none"] as const) {
    const bytes = await written([{ label: "a", columns: RAW }], { compression });
    const { file, batches } = await read(bytes);
    assertEquals([file.time, file.labels, file.rows, file.rowGroups], ["time", ["a"], 4, 1]);
    assertEquals(batches.map(({ rowStart, rows }) => [rowStart, rows]), [[0, 4]]);
    const [a] = batches[0]!.columns;
    assertEquals(a!.times, RAW.times);
    assertEquals(bits(a!.values), bits(RAW.values));
  }
});

Deno.test("writeParquet: several streams side by side: a gap is no point", async () => {
  const a = toRaw([[1n, 1], [2n, 2], [2n, 3]]);
  const b = toRaw([[2n, -1], [9n, -2]]);
  const { batches } = await read(
    await written([{ label: "a", columns: a }, { label: "ü,b", columns: b }]),
  );
  assertEquals(batches[0]!.columns, [{ label: "a", ...a }, { label: "ü,b", ...b }]);
});

Deno.test("writeParquet: row groups have the size asked for, however the points arrive", async () => {
  async function* batches(): AsyncGenerator<RawColumns> {
    for (let b = 0; b < 25; b++) {
      await Promise.resolve();
      yield toRaw(Array.from({ length: b }, (_, i) => [BigInt(b * 100 + i), b]));
    }
  }
  const bytes = await written([{ label: "a", columns: batches() }], { rowGroupRows: 64 });
  const { file, batches: groups } = await read(bytes);
  assertEquals([file.rows, file.rowGroups], [300, 5]);
  assertEquals(groups.map(({ rows }) => rows), [64, 64, 64, 64, 44]);
  const times = groups.flatMap(({ columns }) => [...columns[0]!.times]);
  assertEquals(times, [...times].sort((x, y) => x < y ? -1 : 1));
  assertEquals(times.length, 300);
  await using again = await openParquet(bytes);
  const rest = await Array.fromAsync(again.batches(250));
  assertEquals(rest.map(({ rowStart, rows }) => [rowStart, rows]), [[250, 6], [256, 44]]);
  assertEquals(rest[0]!.columns[0]!.times[0], times[250]);
});

// Pages had no checksums: of doubles that are not packed every flipped bit was read as another number.
Deno.test("writeParquet: a flipped bit of any page is an error that names column and row group", async () => {
  const a = toRaw(Array.from({ length: 12 }, (_, i) => [BigInt(i * i), 1 / (i + 1)]));
  const b = toRaw([[4n, 0.5], [81n, -2]]);
  for (const compression of ["zstd", "snappy", "none"] as const) {
    const streams = [{ label: "a", columns: a }, { label: "b", columns: b }];
    const bytes = await written(streams, { compression, rowGroupRows: 8 });
    const { row_groups } = parquetMetadata(bytes.slice().buffer);
    assertEquals(row_groups.length, 2);
    for (const [group, { columns }] of row_groups.entries()) {
      for (const { meta_data } of columns) {
        const place = `column "${meta_data!.path_in_schema[0]}" of row group ${group}`;
        const start = Number(meta_data!.data_page_offset);
        const end = start + Number(meta_data!.total_compressed_size);
        const { header, length } = await readHeader(bytes.slice().buffer, start, end);
        assertEquals(header.compressed_page_size, end - start - length, place);
        for (let at = start + length; at < end; at++) {
          const damaged = bytes.slice();
          damaged[at]! ^= 1 << at % 8;
          await assertRejects(() => read(damaged), RangeError, place);
        }
      }
    }
  }
});

Deno.test("writeParquet: windows of one stream and of two, and no rows at all", async () => {
  const stat: StatColumns = {
    times: BigInt64Array.of(0n, 10n),
    min: Float64Array.of(1, 2),
    mean: Float64Array.of(1.5, 2),
    max: Float64Array.of(2, 2),
    count: BigUint64Array.of(2n, 9007199254740993n),
  };
  const one = await read(await written([{ label: "a", columns: stat }]));
  assertEquals(one.file.labels, ["min", "mean", "max", "count"]);
  assertEquals(one.batches[0]!.columns[1]!.values, stat.mean);
  const two = await read(
    await written([{ label: "a", columns: stat }, { label: "b", columns: stat }]),
  );
  assertEquals(two.file.labels[4], "b (Min)");
  const none = await read(await written([{ label: "a", columns: toRaw([]) }]));
  assertEquals([none.file.rows, none.file.labels, none.batches], [0, ["a"], []]);
});

/** A file as other programs write it. */
function foreign(columns: Parameters<typeof parquetWriteBuffer>[0]["columnData"]): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData: columns }));
}

Deno.test("openParquet: files of others: other names, units, nulls and types", async () => {
  const bytes = foreign([
    { name: "n", data: [1, 2, null, 4], type: "INT32", nullable: true },
    { name: "when", data: [0, 1, 2, 3].map((ms) => new Date(ms)), type: "TIMESTAMP" },
    { name: "f", data: [0.5, null, NaN, 4], type: "DOUBLE", nullable: true },
    { name: "note", data: ["a", "b", "c", "d"], type: "STRING" },
    { name: "raw", data: [10n, 20n, 30n, 40n], type: "INT64" },
  ]);
  const { file, batches } = await read(bytes);
  assertEquals([file.time, file.labels], ["when", ["n", "f", "raw"]]);
  const [n, f, raw] = batches[0]!.columns;
  assertEquals([n!.times, n!.values], [
    BigInt64Array.of(0n, 1_000_000n, 3_000_000n),
    Float64Array.of(1, 2, 4),
  ]);
  assertEquals([f!.times.length, [...f!.values]], [2, [0.5, 4]]);
  assertEquals([...raw!.values], [10, 20, 30, 40]);
  const other = await read(bytes, { time: "raw", timeUnit: "us", values: ["f"] });
  assertEquals(other.batches[0]!.columns[0]!.times, BigInt64Array.of(10_000n, 40_000n));
});

Deno.test("openParquet: columns that are not there or hold no times or numbers are named", async () => {
  const bytes = foreign([
    { name: "a", data: [1, 2], type: "DOUBLE" },
    { name: "s", data: ["x", "y"], type: "STRING" },
  ]);
  const cases: [OpenParquetOptions, string][] = [
    [{}, 'there is no column of times, there are "a", "s"'],
    [{ time: "b" }, 'there is no column "b", there are "a", "s"'],
    [{ time: "a" }, 'column "a" is neither a timestamp nor int64'],
  ];
  for (const [options, what] of cases) {
    await assertRejects(() => openParquet(bytes, options), RangeError, what);
  }
  const timed = foreign([{ name: "time", data: [1n], type: "INT64" }, {
    name: "s",
    data: ["x"],
    type: "STRING",
  }]);
  await assertRejects(() => openParquet(timed, { values: ["s"] }), RangeError, "holds no numbers");
  await assertRejects(() => openParquet(timed, { values: ["z"] }), RangeError, 'no column "z"');
  const missing = foreign([{ name: "time", data: [1n, null], type: "INT64", nullable: true }]);
  const file = await openParquet(missing);
  await assertRejects(() => Array.fromAsync(file.batches()), RangeError, "row 1 has no time");
  const far = foreign([{ name: "time", data: [1n << 62n], type: "INT64" }]);
  const late = await openParquet(far, { timeUnit: "s" });
  await assertRejects(() => Array.fromAsync(late.batches()), RangeError, "does not fit");
  for (const bad of [new Uint8Array(0), new Uint8Array(100)]) {
    await assertRejects(() => openParquet(bad), Error);
  }
});

Deno.test("writeParquet: mistakes in options are refused and nothing is left", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/x.parquet`;
    const one = { label: "a", columns: RAW };
    const cases: [readonly TableStream[], WriteParquetOptions, string][] = [
      [[one], { compression: "lz4" as "zstd" }, 'compression is "lz4"'],
      [[one], { rowGroupRows: 0 }, "rowGroupRows is 0"],
      [[one, one], {}, 'two columns are called "a"'],
      [[{ label: "time", columns: RAW }], {}, 'two columns are called "time"'],
    ];
    for (const [streams, options, what] of cases) {
      await assertRejects(() => writeParquet(path, streams, options), RangeError, what);
    }
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(() => writeParquet(path, [one], { signal }), Error, "enough");
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("openParquet: a path is read slice by slice and closed", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/x.parquet`;
    await writeParquet(path, [{ label: "a", columns: RAW }]);
    const file = await openParquet(path);
    const [batch] = await Array.fromAsync(file.batches());
    assertEquals(batch!.columns[0]!.times, RAW.times);
    await file.close();
    await file.close();
    await assertRejects(() => openParquet(`${folder}/none.parquet`), Error);
  });
});

Deno.test({
  name: "writeParquet: DuckDB, which has microseconds, reads the same times and values",
  ignore: peer("@duckdb/node-api") === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await withFolder(async (folder) => {
      const path = `${folder}/x.parquet`;
      const columns = toRaw([[1_561_953_600_000_001_000n, 0.1], [1_561_953_600_000_003_000n, 3]]);
      await writeParquet(path, [{ label: "a", columns }]);
      const db = await (await peer("@duckdb/node-api").DuckDBInstance.create(":memory:")).connect();
      const sql = `SELECT typeof("time"), epoch_ns("time"), a FROM '${path}'`;
      const rows = (await db.runAndReadAll(sql)).getRows();
      assertEquals(rows.map((row: unknown[]) => [row[1], row[2]]), [
        [1_561_953_600_000_001_000n, 0.1],
        [1_561_953_600_000_003_000n, 3],
      ]);
      assert(String(rows[0][0]).startsWith("TIMESTAMP"), rows[0][0]);
      db.closeSync();
    });
  },
});

Deno.test("openParquet: a damaged footer is an error, and never a file with fewer rows", async () => {
  const times = BigInt64Array.from({ length: 5000 }, (_, i) => BigInt(i) * 8_333_333n);
  const values = Float64Array.from(times, (_, i) => i);
  const bytes = await written([{ label: "a", columns: { times, values } }], { rowGroupRows: 1000 });
  const footer = new DataView(bytes.buffer).getUint32(bytes.length - 8, true) + 8;
  const begin = bytes.length - footer;
  let refused = 0;
  for (let at = begin; at < bytes.length; at++) {
    for (const mask of [0x01, 0x04, 0x80]) {
      const damaged = bytes.slice();
      damaged[at]! ^= mask;
      let rows = 0;
      try {
        for (const { rows: n, columns } of (await read(damaged)).batches) {
          rows += columns.length * n;
        }
      } catch (error) {
        assert(error instanceof Error);
        refused++;
        continue;
      }
      // Parquet has no checksum of its footer: other names and types are believed.
      assertEquals(rows, 5000, `byte ${at - begin} of the footer, ^ ${mask}`);
    }
  }
  assert(refused > 100, `${refused}`);
});

Deno.test("openParquet: a row group that packs many rows into few bytes is read in pieces", async () => {
  const rows = 300_000;
  const column = (name: string, data: BigInt64Array | Float64Array) => ({ name, data });
  const bytes = new Uint8Array(parquetWriteBuffer({
    columnData: [
      { ...column("time", new BigInt64Array(rows).fill(7n)), type: "INT64" },
      { ...column("a", new Float64Array(rows).fill(1.5)), type: "DOUBLE" },
    ],
    rowGroupSize: rows,
  }));
  assert(bytes.length < rows, `${bytes.length}`);
  const { batches } = await read(bytes);
  assertEquals(batches.map((batch) => batch.rows), [131_072, 131_072, 37_856]);
  for (const { columns } of batches) {
    assert(columns[0]!.times.every((time) => time === 7n));
    assert(columns[0]!.values.every((value) => value === 1.5));
  }
  await using file = await openParquet(bytes);
  const rest = await Array.fromAsync(file.batches(131_072));
  assertEquals(rest.map(({ rowStart }) => rowStart), [131_072, 262_144]);
});

/** A Parquet file of one column of values that are all the same, in pages as large as they get. */
function constant(rows: number): Uint8Array {
  const time = new BigInt64Array(rows);
  const value = new Float64Array(rows).fill(1.5);
  return new Uint8Array(parquetWriteBuffer({
    columnData: [
      { name: "time", data: time, type: "INT64" },
      { name: "value", data: value, type: "DOUBLE" },
    ],
    rowGroupSize: rows,
    pageSize: 1 << 30,
  }));
}

Deno.test("openParquet: a page of more values than are unpacked at once is read in pieces", async () => {
  // It was refused for a while, and one of 2,097,152 took 550 MiB.
  await using file = await openParquet(constant(3_000_000));
  let rows = 0;
  for await (const { columns } of file.batches()) {
    rows += columns[0]!.values.length;
    assert(columns[0]!.values.every((value) => value === 1.5));
    assert(columns[0]!.times.every((time) => time === 0n));
  }
  assertEquals(rows, 3_000_000);
});

Deno.test("openParquet: a page of too many values that are no numbers is refused", async () => {
  const rows = 2 ** 21 + 1;
  const bytes = new Uint8Array(parquetWriteBuffer({
    columnData: [
      { name: "time", data: new Array(rows).fill("2026-01-01"), type: "STRING" },
      { name: "value", data: new Float64Array(rows), type: "DOUBLE" },
    ],
    rowGroupSize: rows,
    pageSize: 1 << 30,
  }));
  await using file = await openParquetFile(bytes);
  await assertRejects(
    () => Array.fromAsync(file.read(["time"])),
    RangeError,
    `a page has ${rows} values`,
  );
});

Deno.test("readRuns: runs that are too long, too short or of other values are refused", () => {
  const runs = (...bytes: number[]) => new RangeReader(Uint8Array.from(bytes), 0, bytes.length);
  assertEquals(readRuns(runs(20, 1), 1, 10, 2), { ones: 10 });
  assertEquals(readRuns(runs(3, 0b0101_0101), 1, 6, 2), { ones: 3 });
  // DuckDB fills its last block of 256 values up: such files were refused for a while.
  assertEquals(readRuns(runs(65, ...new Array(32).fill(0b0101_0101)), 1, 226, 2), { ones: 113 });
  // A run of 2^30 values in six bytes once filled the memory.
  assertThrows(
    () => readRuns(runs(0xfe, 0xff, 0xff, 0xff, 7, 1), 1, 10, 2),
    RangeError,
    "a run of",
  );
  assertThrows(() => readRuns(runs(0xff, 0xff, 0xff, 0xff, 7), 0, 10, 1), RangeError, "a run of");
  assertThrows(() => readRuns(runs(0, 1), 1, 10, 2), RangeError, "a run of 0");
  assertThrows(() => readRuns(runs(10, 1), 1, 10, 2), RangeError, "ends too early");
  assertThrows(() => readRuns(runs(3), 1, 6, 2), RangeError, "ends too early");
  assertThrows(() => readRuns(runs(20, 7), 3, 10, 7), RangeError, "7 among values below 7");
});

Deno.test("openParquet: flipped bits of pages end in an error or as many points, soon and in little memory", async () => {
  const random = new Random(Number(Deno.env.get("FUZZ_SEED") ?? 11));
  const values = Float64Array.from({ length: 3000 }, (_, i) => i % 40);
  const times = BigInt64Array.from({ length: 3000 }, (_, i) => BigInt(i));
  for (const compression of ["none", "snappy", "zstd"] as const) {
    const whole = await written([{ label: "a", columns: { times, values } }], { compression });
    for (let i = 0; i < 300; i++) {
      const bytes = whole.slice();
      const flips = random.int(1, 3);
      for (let k = 0; k < flips; k++) {
        bytes[random.int(4, bytes.length - 9)]! ^= 1 << random.int(0, 7);
      }
      const began = usedCpuMs();
      try {
        const { batches } = await read(bytes);
        assertEquals(batches.reduce((n, { rows }) => n + rows, 0), 3000);
      } catch (error) {
        assert(error instanceof Error && error.name !== "AssertionError", `${error}`);
      }
      assert(usedCpuMs() - began < 10_000);
    }
  }
});
