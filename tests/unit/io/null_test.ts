/** Rows in which a stream or a window has nothing: null, never 0. */

import { assertEquals } from "@std/assert";
import { tableFromIPC } from "@uwdata/flechette";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import * as zlib from "node:zlib";
import { connect } from "../../../mod.ts";
import { readArrow, writeArrow } from "../../../src/io/arrow.ts";
import { openParquet, type TableStream, writeParquet } from "../../../src/io/parquet.ts";

/** The bytes that something writes. */
async function bytesOf(
  write: (sink: WritableStream<Uint8Array>) => Promise<unknown>,
): Promise<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const all = new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
  await write(writable);
  return await all;
}

/** Rows of a Parquet file, as a reader of others sees them; times left out. */
async function parquetRows(streams: readonly TableStream[]): Promise<unknown[]> {
  const bytes = await bytesOf((sink) => writeParquet(sink, streams));
  const file = bytes.slice().buffer as ArrayBuffer;
  const unpack = (input: Uint8Array) => new Uint8Array(zlib.zstdDecompressSync(input));
  const rows = await parquetReadObjects({ file, compressors: { ...compressors, ZSTD: unpack } });
  return rows.map(({ time: _, ...rest }) => rest);
}

/** Rows of an Arrow stream, as a reader of others sees them; times left out. */
async function arrowRows(streams: readonly TableStream[]): Promise<unknown[]> {
  const bytes = await bytesOf((sink) => writeArrow(sink, streams));
  return tableFromIPC(bytes, { useBigInt: true }).toArray().map(({ time: _, ...rest }) => rest);
}

const TWO: TableStream[] = [
  { label: "a", columns: { times: BigInt64Array.of(1n, 2n), values: Float64Array.of(1, 2) } },
  { label: "b", columns: { times: BigInt64Array.of(2n, 3n), values: Float64Array.of(0, 4) } },
];

Deno.test("writeParquet, writeArrow: a row in which a stream has no point is null there", async () => {
  const expected = [{ a: 1, b: null }, { a: 2, b: 0 }, { a: null, b: 4 }];
  assertEquals(await parquetRows(TWO), expected);
  assertEquals(await arrowRows(TWO), expected);
});

Deno.test("openParquet, readArrow: null is no point", async () => {
  const expected = TWO.map(({ label, columns }) => ({ label, ...columns as object }));
  await using file = await openParquet(await bytesOf((sink) => writeParquet(sink, TWO)));
  const [batch] = await Array.fromAsync(file.batches());
  assertEquals(batch?.columns as unknown, expected);
  const arrow = await bytesOf((sink) => writeArrow(sink, TWO));
  const batches = await Array.fromAsync(readArrow(arrow));
  const points = (label: string): [bigint, number][] =>
    batches.flat().filter((column) => column.label === label)
      .flatMap(({ times, values }) =>
        [...times].map((time, i): [bigint, number] => [time, values[i]!])
      );
  assertEquals([points("a"), points("b")], [[[1n, 1], [2n, 2]], [[2n, 0], [3n, 4]]]);
});

Deno.test("writeParquet, writeArrow, writeCSV: windows without points have no statistics", async () => {
  await using db = await connect("memory:");
  const stream = await db.create(crypto.randomUUID(), "c", { tags: { name: "v" } });
  await stream.insert([[0n, -5], [30n, 7]]);
  const table = [{ label: "v", columns: stream.windows(0n, 40n, 10) }];
  const none = { min: null, mean: null, max: null, count: 0n };
  const expected = [
    { min: -5, mean: -5, max: -5, count: 1n },
    none,
    none,
    { min: 7, mean: 7, max: 7, count: 1n },
  ];
  assertEquals(await parquetRows(table), expected);
  const again = [{ label: "v", columns: stream.windows(0n, 40n, 10) }];
  assertEquals(await arrowRows(again), expected);
  const csv = async (numbers: "shortest" | "fixed6"): Promise<string[]> => {
    const bytes = await bytesOf((sink) =>
      db.writeCSV(sink, {
        queryType: "windows",
        start: 0n,
        end: 40n,
        width: 10,
        streams: [{ stream, label: "v" }],
        numbers,
      })
    );
    return new TextDecoder().decode(bytes).trim().split("\n").slice(1)
      .map((line) => line.split(",").slice(2).join());
  };
  assertEquals(await csv("shortest"), ["-5,-5,-5,1", ",,,0", ",,,0", "7,7,7,1"]);
  assertEquals((await csv("fixed6"))[1], "0.000000,0.000000,0.000000,0");
});
