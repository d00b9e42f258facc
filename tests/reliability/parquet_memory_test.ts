/**
 * Memory of reading Parquet files that claim much in few bytes: 365 bytes of one page once took
 * 550 MiB, and a larger page was refused.
 */

import { assert, assertEquals } from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { type MadeColumn, makeParquet, plainPage, type Thrift } from "../support/made_parquet.ts";

const SCRIPT = new URL("support/parquet_process.ts", import.meta.url).pathname;
const ROWS = 10_000_000;
/** Most that reading may add, MiB: of numbers, and of values that are objects. */
const MOST = 200, MOST_OBJECTS = 450;

interface Column {
  name: string;
  data: ArrayLike<unknown>;
  type: "INT64" | "DOUBLE" | "BOOLEAN" | "INT32";
  encoding?: "DELTA_BINARY_PACKED";
  nullable?: boolean;
}

async function assertBounded(columns: readonly Column[], points: number): Promise<void> {
  const bytes = new Uint8Array(parquetWriteBuffer({
    // deno-lint-ignore no-explicit-any
    columnData: columns as any,
    rowGroupSize: ROWS,
    pageSize: 1 << 30,
  }));
  await assertFileBounded(bytes, points);
}

async function assertFileBounded(bytes: Uint8Array, points: number, most = MOST): Promise<void> {
  assert(bytes.length < 3_000_000, `${bytes.length} bytes`);
  const path = await Deno.makeTempFile({ suffix: ".parquet" });
  try {
    await Deno.writeFile(path, bytes);
    const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", SCRIPT, path],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const said = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(said.points, points);
    assert(said.peak - said.before < most, `${bytes.length} bytes: ${JSON.stringify(said)}`);
    if (Deno.env.has("MEMORY_PRINT")) console.log(bytes.length, JSON.stringify(said));
  } finally {
    await Deno.remove(path);
  }
}

const ignore = Deno.build.os !== "linux";
const constant = new Float64Array(ROWS).fill(1.5);

Deno.test({
  name: "openParquet: pages of ten million equal values take bounded memory",
  ignore,
  async fn() {
    await assertBounded([
      { name: "time", data: new BigInt64Array(ROWS).fill(7n), type: "INT64" },
      { name: "a", data: constant, type: "DOUBLE" },
    ], ROWS);
  },
});

Deno.test({
  name: "openParquet: pages of ten million equal differences take bounded memory",
  ignore,
  async fn() {
    const data = BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(i) * 8_333_333n);
    await assertBounded([
      { name: "time", data, type: "INT64", encoding: "DELTA_BINARY_PACKED" },
      { name: "a", data: constant, type: "DOUBLE" },
    ], ROWS);
  },
});

/** A column of one page of one value again and again, compressed. */
function repeated(
  rows: number,
  name: string,
  type: number,
  value: Uint8Array,
  element: Readonly<Record<number, Thrift>> = {},
): MadeColumn {
  const unpacked = rows * value.length;
  const bytes = new Uint8Array(unpacked);
  for (let at = 0; at < unpacked; at += value.length) bytes.set(value, at);
  const page = plainPage(rows, zstdCompressSync(bytes));
  return { name, type, element, codec: 6, pages: [{ ...page, unpacked }] };
}

Deno.test({
  name: "openParquet: pages of millions of decimals and times of 96 bits take bounded memory",
  ignore,
  async fn() {
    // They once took more than a gigabyte and minutes, the more the more columns.
    const rows = 1_000_000;
    const decimal = { 2: { i32: 16 }, 6: { i32: 5 }, 7: { i32: 2 }, 8: { i32: 38 } };
    // The first nanosecond of 1970, which is Julian day 2440588.
    const midnight = new Uint8Array(12);
    new DataView(midnight.buffer).setInt32(8, 2_440_588, true);
    const time = repeated(rows, "time", 3, midnight);
    const zero = new Uint8Array(16);
    const values = Array.from(
      { length: 10 },
      (_, i) => repeated(rows, `d${i}`, 7, zero, decimal),
    );
    await assertFileBounded(
      makeParquet(rows, [time, ...values]),
      rows * values.length,
      MOST_OBJECTS,
    );
  },
});
