/**
 * Memory of reading Parquet files that claim much in few bytes: 365 bytes of one page once took
 * 550 MiB, and a larger page was refused.
 */

import { assert, assertEquals } from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import {
  type MadeColumn,
  makeParquet,
  plainPage,
  type Thrift,
  varint,
} from "../support/made_parquet.ts";

const SCRIPT = new URL("support/parquet_process.ts", import.meta.url).pathname;
const ROWS = 10_000_000;
/** Most that reading may add, MiB: 234 at most were seen, where it once were 400 and more. */
const MOST = 300;

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

async function assertFileBounded(
  bytes: Uint8Array,
  points: number,
  ...how: readonly "fields"[]
): Promise<void> {
  assert(bytes.length < 3_000_000, `${bytes.length} bytes`);
  const path = await Deno.makeTempFile({ suffix: ".parquet" });
  try {
    await Deno.writeFile(path, bytes);
    const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", SCRIPT, path, ...how],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const said = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(said.points, points);
    assert(said.peak - said.before < MOST, `${bytes.length} bytes: ${JSON.stringify(said)}`);
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
    await assertFileBounded(makeParquet(rows, [time, ...values]), rows * values.length);
  },
});

/** A column of pages of zeros. */
function zeros(name: string, type: number, pages: number, valuesOfPage: number): MadeColumn {
  const [page] = repeated(valuesOfPage, name, type, new Uint8Array(8)).pages;
  return { name, type, codec: 6, pages: Array(pages).fill(page) };
}

// Pages of 16 MiB were left to the collector of garbage, which began late: 40 kB of two columns took
// 307 MiB, and 200 kB of nine columns 557 MiB.
Deno.test({
  name: "openParquet: long pages of nine columns take no more memory than those of one",
  ignore,
  async fn() {
    const [pages, values] = [8, 2 ** 21];
    const rows = pages * values;
    const columns = Array.from(
      { length: 9 },
      (_, i) => zeros(i === 0 ? "time" : `v${i}`, i === 0 ? 2 : 5, pages, values),
    );
    await assertFileBounded(makeParquet(rows, columns), rows * 8);
  },
});

// Two megabytes were kept of each column, however many there are: 150 kB of a thousand took 2.6 GiB.
Deno.test({
  name: "openParquet: pages of hundreds of columns are not all kept",
  ignore,
  async fn() {
    const rows = 2 ** 18;
    const columns = Array.from(
      { length: 150 },
      (_, i) => zeros(i === 0 ? "time" : `v${i}`, i === 0 ? 2 : 5, 1, rows),
    );
    await assertFileBounded(makeParquet(rows, columns), rows * 149);
  },
});

/** A column of one dictionary and one index again and again. */
function ofDictionary(
  rows: number,
  entries: number,
  column: Omit<MadeColumn, "pages">,
  value: Uint8Array,
): MadeColumn {
  const { bytes, unpacked } = repeated(entries, "", 0, value).pages[0]!;
  const head = { 1: { i32: entries }, 2: { i32: 0 } };
  const dictionary = { kind: 2, head, bytes, unpacked: unpacked! };
  const index = Uint8Array.from([21, ...varint(BigInt(rows) * 2n), 0, 0, 0]);
  const page = { ...plainPage(rows, zstdCompressSync(index), 8), unpacked: index.length };
  return { ...column, codec: 6, pages: [dictionary, page] };
}

// Each text of a dictionary was an object, and each dictionary was kept: 7 kB took 600 MiB.
Deno.test({
  name: "openParquet: dictionaries of two million numbers and texts take bounded memory",
  ignore,
  async fn() {
    const [rows, entries] = [2 ** 20, 2 ** 21];
    const numbers = Array.from(
      { length: 8 },
      (_, i) => ofDictionary(rows, entries, { name: `v${i}`, type: 5 }, new Uint8Array(8)),
    );
    const time = ofDictionary(rows, entries, { name: "time", type: 2 }, new Uint8Array(8));
    await assertFileBounded(makeParquet(rows, [time, ...numbers]), rows * 8);
    const text = Uint8Array.from([
      20,
      0,
      0,
      0,
      ...new TextEncoder().encode("2026-01-01T00:00:00Z"),
    ]);
    const texts = { name: "time", type: 6, element: { 6: { i32: 0 } } };
    const value = zeros("v", 5, 1, rows);
    const bytes = makeParquet(rows, [ofDictionary(rows, entries, texts, text), value]);
    await assertFileBounded(bytes, rows, "fields");
  },
});
