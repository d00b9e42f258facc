/**
 * Parquet files of pyarrow with columns of any type, encoding, codec and form of pages, nulls among
 * them: the points are those that they were written from. Their program is
 * `python/parquet_forms.py`. Checksums of files of this package are right to pyarrow. More files, and others:
 *
 *     PARQUET_FILES=2000 PARQUET_SEED=1 deno test -A --no-lock tests/interop/parquet_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { openParquet, writeParquet } from "../../src/io/parquet.ts";
import { have, pythonWith, run } from "./support/cache.ts";

const FORMS = new URL("python/parquet_forms.py", import.meta.url).pathname;
const CHECKSUMS = new URL("python/parquet_checksums.py", import.meta.url).pathname;
const FILES = Number(Deno.env.get("PARQUET_FILES") ?? 200);
const SEED = Number(Deno.env.get("PARQUET_SEED") ?? Date.now() % 2 ** 31);

/** Contents of a file, and how it was written. */
interface Written {
  times: string[];
  /** Values by column; null where there is none. */
  values: Record<string, (number | null)[]>;
  /** Options of the writer. */
  form: string;
}

async function pointsOf(path: string): Promise<Map<string, [bigint, number][]>> {
  await using file = await openParquet(path);
  const points = new Map(file.labels.map((label) => [label, [] as [bigint, number][]]));
  for await (const { columns } of file.batches()) {
    for (const { label, times, values } of columns) {
      times.forEach((time, i) => points.get(label)!.push([time, values[i]!]));
    }
  }
  return points;
}

const ignore = !(await have("python3", "-c", "import venv, ensurepip"));
if (ignore) console.warn("skipped, python3 with venv and pip is not here");

// Found by such files: differences of lengths beside nulls were called damaged.
Deno.test({
  name: "openParquet: files of pyarrow in every form are the points they were written from",
  ignore,
  async fn() {
    const python = await pythonWith("parquet", ["pyarrow", "numpy"]);
    const folder = await Deno.makeTempDir();
    try {
      const { success, text } = await run(python, [FORMS, folder, String(FILES), String(SEED)]);
      assert(success, `seed ${SEED}: ${text}`);
      for (let i = 0; i < FILES; i++) {
        const written: Written = JSON.parse(await Deno.readTextFile(`${folder}/${i}.json`));
        const what = `file ${i} of seed ${SEED}, ${written.form}`;
        const points = await pointsOf(`${folder}/${i}.parquet`).catch((error) => {
          throw new Error(what, { cause: error });
        });
        const times = written.times.map(BigInt);
        assertEquals([...points.keys()], Object.keys(written.values), what);
        for (const [label, values] of Object.entries(written.values)) {
          const expected = values.flatMap((value, row) =>
            value === null ? [] : [[times[row]!, value]]
          );
          assertEquals(points.get(label), expected as [bigint, number][], `${label} of ${what}`);
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "writeParquet: pyarrow finds the checksum of each page right, and flipped bits by it",
  ignore,
  async fn() {
    const python = await pythonWith("parquet", ["pyarrow", "numpy"]);
    const folder = await Deno.makeTempDir();
    try {
      const times = BigInt64Array.from({ length: 1000 }, (_, i) => BigInt(i * i));
      const a = Float64Array.from(times, (time) => Math.sin(Number(time)));
      for (const compression of ["zstd", "snappy", "none"] as const) {
        const path = `${folder}/${compression}.parquet`;
        await writeParquet(path, [
          { label: "a", columns: { times, values: a } },
          { label: "b", columns: { times: times.slice(0, 300), values: a.slice(0, 300) } },
        ], { compression, rowGroupRows: 400 });
        const { text } = await run(python, [CHECKSUMS, path]);
        assertEquals(text.trim(), "1000 9", compression);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
