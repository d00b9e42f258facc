/**
 * Data by URL, read by DuckDB, Polars, pandas, pyarrow and curl. Their program is
 * `python/http_data.py`.
 */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type BTrDB, connect } from "@btrdb/btrdb";
import { serve, type Server } from "@btrdb/btrdb/server";
import { Random } from "../support/random.ts";
import { have, pythonWith, run } from "./support/cache.ts";

const PROGRAM = new URL("python/http_data.py", import.meta.url).pathname;
const PACKAGES = [
  "pandas",
  "polars",
  "pyarrow",
  "pytz",
  "duckdb==1.4.4",
  "duckdb-ext-httpfs==1.4.4.20260205",
];

const ROWS = 432_000;
const START = 1_767_225_600_000_000_000n;
/** A fifth of a second and one ns: a reader that has only microseconds loses it. */
const STEP = 200_000_001n;
/** Points before ten minutes have passed. */
const FEW = 3_000;
const KEY = "a-reader";

const hasPython = await have("python3", "-c", "import venv, ensurepip");
if (!hasPython) console.warn("skipped, python3 with venv and pip is not here");
const hasCurl = await have("curl", "--version");
if (!hasCurl) console.warn("skipped, curl is not here");

/** Points of both streams: no two files of them compress the same. */
function values(seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: ROWS }, () => random.next());
}

async function withServers(
  use: (open: Server, keyed: Server) => Promise<void>,
): Promise<void> {
  await using db: BTrDB = await connect("memory:");
  for (const [i, name] of ["a", "b"].entries()) {
    const stream = await db.create(crypto.randomUUID(), "pmu/s7", { tags: { name } });
    const times = BigInt64Array.from({ length: ROWS }, (_, i) => START + BigInt(i) * STEP);
    await stream.insert({ times, values: values(i) });
    await stream.flush();
  }
  await using open = await serve(db, { port: 0, http: { port: 0 } });
  await using keyed = await serve(db, {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0 },
    apiKeys: [{ key: KEY, capabilities: ["read"] }],
  });
  await use(open, keyed);
}

const baseOf = (server: Server) => `http://127.0.0.1:${server.httpPort}`;

/** Bytes that a server has sent as bodies. */
function sent(server: Server): number {
  return Number(/^btrdb_server_sent_bytes_total (\d+)$/m.exec(server.metrics())![1]);
}

const sum = (numbers: Float64Array) => numbers.reduce((a, b) => a + b, 0);

Deno.test({
  name:
    "data by URL: DuckDB, Polars, pandas and pyarrow read it all, and only what they need of it",
  ignore: !hasPython,
  fn: () =>
    withServers(async (open, keyed) => {
      const python = await pythonWith("http", PACKAGES);
      const read = async (step: string, server: Server): Promise<unknown[]> => {
        const args = [PROGRAM, step, baseOf(server), ...(server === keyed ? [KEY] : [])];
        const { success, text } = await run(python, args);
        assert(success, text);
        return JSON.parse(text.trim().split("\n").at(-1)!);
      };
      const bytesOf = async (step: string, server: Server): Promise<[unknown[], number]> => {
        const before = sent(server);
        return [await read(step, server), sent(server) - before];
      };
      const [a, b] = [values(0), values(1)];
      const last = String(START + BigInt(ROWS - 1) * STEP);
      const right = (found: unknown[], expected: unknown[]) => {
        assertEquals(found.length, expected.length);
        expected.forEach((value, i) => {
          if (typeof value === "number" && !Number.isInteger(value)) {
            assertAlmostEquals(found[i] as number, value, 1e-6);
          } else assertEquals(found[i], value);
        });
      };
      const [all, size] = await bytesOf("duckdb_all", keyed);
      right(all, [ROWS, sum(a), sum(b), last]);
      const [few, some] = await bytesOf("duckdb_filter", keyed);
      right(few, [FEW, sum(a.subarray(0, FEW))]);
      assert(some < 0.25 * size, `DuckDB read ${some} of ${size} bytes for a range`);
      const [polars, polarsSize] = await bytesOf("polars_all", open);
      right(polars, [ROWS, sum(a), "Datetime(time_unit='ns', time_zone='UTC')", last]);
      const [range, polarsSome] = await bytesOf("polars_filter", open);
      right(range, [FEW, sum(a.subarray(0, FEW))]);
      assert(polarsSome < 0.35 * polarsSize, `Polars read ${polarsSome} of ${polarsSize} bytes`);
      console.log(`bytes: DuckDB ${some} of ${size}, Polars ${polarsSome} of ${polarsSize}`);
      right(await read("pandas_all", open), [
        ROWS,
        sum(a),
        "datetime64[ns, UTC]",
        last,
        String(START + BigInt(FEW - 1) * STEP),
        sum(a.subarray(0, FEW)),
        FEW,
      ]);
      right(await read("pyarrow_stream", keyed), [ROWS, sum(a), "timestamp[ns, tz=UTC]", last]);
    }),
});

Deno.test({
  name: "data by URL: curl resumes a file of Parquet where it broke off",
  ignore: !hasCurl,
  fn: () =>
    withServers(async (_open, keyed) => {
      const folder = await Deno.makeTempDir();
      try {
        const url = `${baseOf(keyed)}/api/v1/data.parquet?stream=pmu/s7/*`;
        const curl = async (...args: string[]) => {
          const { success, text } = await run("curl", ["-sSf", "-u", `:${KEY}`, ...args, url]);
          assert(success, text);
        };
        await curl("-o", `${folder}/all`);
        const all = await Deno.readFile(`${folder}/all`);
        await Deno.writeFile(`${folder}/part`, all.subarray(0, all.length >> 1));
        const before = sent(keyed);
        await curl("-C", "-", "-o", `${folder}/part`);
        assertEquals(await Deno.readFile(`${folder}/part`), all);
        assertEquals(sent(keyed) - before, all.length - (all.length >> 1));
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    }),
});
