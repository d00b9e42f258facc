/**
 * Memory of reading Parquet files that claim much in few bytes: 365 bytes of one page once took
 * 550 MiB, and a larger page was refused.
 */

import { assert, assertEquals } from "@std/assert";
import { parquetWriteBuffer } from "hyparquet-writer";

const SCRIPT = new URL("support/parquet_process.ts", import.meta.url).pathname;
const ROWS = 10_000_000;
/** Most that reading may add, MiB. */
const MOST = 200;

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
