import { assertEquals } from "@std/assert";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { parquetWriteBuffer } from "hyparquet-writer";
import { openParquetFile } from "../../../src/io/parquet_file.ts";
import { Random } from "../../support/random.ts";

const ENCODINGS = {
  INT32: [undefined, "PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
  INT64: [undefined, "PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
  FLOAT: [undefined, "PLAIN", "BYTE_STREAM_SPLIT"],
  DOUBLE: [undefined, "PLAIN", "BYTE_STREAM_SPLIT"],
  BOOLEAN: [undefined, "PLAIN", "RLE"],
  STRING: [undefined, "PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"],
  FLOAT16: [undefined, "PLAIN", "BYTE_STREAM_SPLIT"],
} as const;

type Type = keyof typeof ENCODINGS;

/** Numbers of a type: few or many different ones, in runs, and its ends. */
function numberOf(random: Random, type: Type, spread: number): unknown {
  const n = random.int(0, spread);
  if (type === "BOOLEAN") return n % 2 === 1;
  if (type === "INT64") {
    return n === 0 ? -(2n ** 63n) : n === 1 ? 2n ** 63n - 1n : BigInt(n) * 1_000_000_007n;
  }
  if (type === "STRING") return `${n * 31}`.repeat(n % 7);
  if (type === "FLOAT16") return [0, 2 ** -24, 1.5, -(2 ** -15), 65_504, Infinity, -0.25][n % 7];
  if (type === "INT32") return n === 0 ? -(2 ** 31) : n === 1 ? 2 ** 31 - 1 : n;
  return type === "FLOAT" ? Math.fround(n / 3) : n / 3;
}

Deno.test("ParquetColumn: numbers and texts of every encoding are those that hyparquet reads", async () => {
  const seed = Number(Deno.env.get("FUZZ_SEED") ?? 5);
  const random = new Random(seed);
  for (const type of Object.keys(ENCODINGS) as Type[]) {
    for (const encoding of ENCODINGS[type]) {
      for (const nulls of [0, 0.3, 1]) {
        const rows = random.int(1, 5000);
        const spread = random.int(1, 2) === 1 ? 3 : 70_000;
        const data: unknown[] = [];
        while (data.length < rows) {
          const value = random.int(0, 99) < nulls * 100 ? null : numberOf(random, type, spread);
          for (let run = random.int(1, 30); run > 0 && data.length < rows; run--) data.push(value);
        }
        const nullable = nulls > 0;
        const bytes = new Uint8Array(parquetWriteBuffer({
          // deno-lint-ignore no-explicit-any
          columnData: [{ name: "x", data, type, nullable, ...encoding && { encoding } } as any],
          rowGroupSize: random.int(500, 5000),
          pageSize: random.int(200, 20_000),
        }));
        const read = await parquetReadObjects({ file: bytes.buffer, compressors });
        const isWhole = type === "INT64" || type === "STRING";
        const expected = read.map(({ x }) =>
          isWhole ? x ?? null : x === null || x === undefined ? NaN : Number(x)
        );
        await using file = await openParquetFile(bytes);
        const exact = type === "INT64" ? ["x"] : [];
        for (const from of [0, random.int(0, rows - 1)]) {
          const found: unknown[] = [];
          for await (const { columns } of file.read(["x"], from, exact)) {
            for (const value of columns[0]!) found.push(value);
          }
          assertEquals(found, expected.slice(from), `${type} ${encoding} ${nulls}, seed ${seed}`);
        }
      }
    }
  }
});
