/**
 * Tables of pandas, polars, pyarrow and DuckDB: what they write is imported as the same points, and
 * what is exported they count and average rightly. Their program is `python/tables.py`.
 */

import { assert, assertEquals } from "@std/assert";
import type { ImportOptions } from "../../src/ingest/mod.ts";
import { writeArrow } from "../../src/io/arrow.ts";
import { writeParquet } from "../../src/io/parquet.ts";
import { imported, instant, timesOf, valuesOf } from "../support/imported.ts";
import { have, pythonWith, run } from "./support/cache.ts";

const TABLES = new URL("python/tables.py", import.meta.url).pathname;
const PACKAGES = ["pandas", "polars", "pyarrow", "duckdb", "pytz"];

const ROWS = 1000;
const START = 1_583_020_800_000_000_000n;
const STEP = 20_000_000n;

/** Options of files that do not say everything. */
const OPTIONS: Readonly<Record<string, ImportOptions>> = {
  "pandas.csv.gz": { decimal: "," },
};

const ignore = !(await have("python3", "-c", "import venv, ensurepip"));
if (ignore) console.warn("skipped, python3 with venv and pip is not here");

Deno.test({
  name:
    "importFile: files of pandas, polars, pyarrow and DuckDB are the points they were written from",
  ignore,
  async fn() {
    const python = await pythonWith("tables", PACKAGES);
    const folder = await Deno.makeTempDir();
    try {
      const { success, text } = await run(python, [TABLES, "write", folder]);
      assert(success, text);
      const all = Array.from({ length: ROWS }, (_, i) => instant(START + BigInt(i) * STEP));
      const kept = Array.from({ length: ROWS }, (_, i) => i).filter((i) => i % 7 !== 0);
      let files = 0;
      for await (const { name } of Deno.readDir(folder)) {
        const { points, omitted } = await imported(`${folder}/${name}`, OPTIONS[name] ?? {});
        assertEquals(timesOf(points, "f/n"), all, name);
        assertEquals(timesOf(points, "f/v"), kept.map((i) => all[i]), name);
        assertEquals(valuesOf(points, "f/v"), kept.map((i) => i / 4), name);
        assertEquals(valuesOf(points, "f/n"), all.map((_, i) => i - 500), name);
        assertEquals(valuesOf(points, "f/d"), all.map((_, i) => Number(`${i}e-2`)), name);
        assertEquals(omitted.map(({ name }) => name), ["state"], name);
        files++;
      }
      assertEquals(files, 21);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "writeParquet, writeArrow: rows without a point are none to DuckDB, polars and pandas",
  ignore,
  async fn() {
    const python = await pythonWith("tables", PACKAGES);
    const folder = await Deno.makeTempDir();
    try {
      const table = () => [
        { label: "a", columns: { times: BigInt64Array.of(1n, 2n), values: Float64Array.of(1, 4) } },
        { label: "b", columns: { times: BigInt64Array.of(2n, 3n), values: Float64Array.of(0, 4) } },
      ];
      const paths = [`${folder}/x.parquet`, `${folder}/x.arrows`] as const;
      await writeParquet(paths[0], table());
      await writeArrow(paths[1], table());
      const { success, text } = await run(python, [TABLES, "read", ...paths]);
      assert(success, text);
      const right = [2, 2.5, 2];
      assertEquals(text.trim().split("\n").map((line) => JSON.parse(line)), [
        { file: paths[0], duckdb: right, polars: right, pandas: right },
        { file: paths[1], polars: right, pandas: right },
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
