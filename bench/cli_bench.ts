/**
 * `btrdb import` and `btrdb export` of a file of eight columns, as processes, beside DuckDB importing
 * and exporting the same file. `BTRDB_BENCH_ROWS` is the number of rows, 10 M by default.
 */

import { CHANNELS, writePmuCsv } from "./support/pmu_csv.ts";
import { job } from "./support/job.ts";
import { missing, peer } from "./support/peers.ts";

const ROWS = Number(Deno.env.get("BTRDB_BENCH_ROWS") ?? 10_000_000);
const MAIN = new URL("../src/cli/main.ts", import.meta.url).pathname;
const DUCKDB = peer("@duckdb/node-api");
const NOTE = DUCKDB === undefined ? { note: missing(["DuckDB"]) } : {};
const STREAMS = CHANNELS.map((name) => `pmu/${name}`);

interface State {
  directory: string;
  csv: string;
}

async function setup(): Promise<State> {
  const directory = await Deno.makeTempDir({ prefix: "btrdb-bench-" });
  const csv = `${directory}/pmu.csv`;
  await writePmuCsv(csv, ROWS);
  return { directory, csv };
}

async function teardown({ directory }: State): Promise<void> {
  await Deno.remove(directory, { recursive: true });
}

async function removeAll(directory: string, prefix: string): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    if (name.startsWith(prefix)) await Deno.remove(`${directory}/${name}`);
  }
}

/** Runs the command; its start is part of the work. */
async function btrdb(directory: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "-q", ...args],
    env: { BTRDB_STATE_DIR: `${directory}/state` },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function importOwn({ directory, csv }: State): Promise<void> {
  await removeAll(directory, "own.btrdb");
  await btrdb(directory, ["-d", `file:${directory}/own.btrdb`, "import", csv]);
}

/** A table in a database file; times as the integers they are. */
async function importDuckdb({ directory, csv }: State): Promise<void> {
  await removeAll(directory, "duck.db");
  const instance = await DUCKDB.DuckDBInstance.create(`${directory}/duck.db`);
  const db = await instance.connect();
  await db.run(`CREATE TABLE pmu AS SELECT * FROM read_csv('${csv}', header = true)`);
  await db.run("CHECKPOINT");
  db.closeSync();
  instance.closeSync();
}

/** Into a new file: the system takes its time to free an old one. */
async function exportOwn({ directory }: State): Promise<void> {
  await removeAll(directory, "own.csv");
  const output = ["-o", `${directory}/own.csv`];
  await btrdb(directory, ["-d", `file:${directory}/own.btrdb`, "export", ...STREAMS, ...output]);
}

async function exportDuckdb({ directory }: State): Promise<void> {
  await removeAll(directory, "duck.csv");
  const instance = await DUCKDB.DuckDBInstance.create(`${directory}/duck.db`);
  const db = await instance.connect();
  await db.run(`COPY pmu TO '${directory}/duck.csv' (FORMAT csv, HEADER)`);
  db.closeSync();
  instance.closeSync();
}

const shape = `${ROWS / 1e6} M rows × ${CHANNELS.length} columns`;

job<State>({
  name: `import a CSV of ${shape} into a database file`,
  work: { count: ROWS, unit: "rows" },
  setup,
  teardown,
  ...NOTE,
  goalMs: ROWS / 1e3,
  entries: [
    { name: "btrdb import", run: importOwn },
    ...(DUCKDB === undefined ? [] : [{ name: "DuckDB read_csv, all threads", run: importDuckdb }]),
  ],
});

job<State>({
  name: `export a CSV of ${shape} from a database file`,
  work: { count: ROWS, unit: "rows" },
  setup: async () => {
    const state = await setup();
    await importOwn(state);
    if (DUCKDB !== undefined) await importDuckdb(state);
    return state;
  },
  teardown,
  ...NOTE,
  goalMs: Math.round(ROWS / 3e3),
  entries: [
    {
      name: "btrdb export",
      run: exportOwn,
    },
    ...(DUCKDB === undefined ? [] : [{ name: "DuckDB COPY, all threads", run: exportDuckdb }]),
  ],
});

job<Record<string, never>>({
  name: "start: btrdb --help",
  work: { count: 1, unit: "starts" },
  setup: () => ({}),
  goalMs: 150,
  entries: [{ name: "btrdb --help", run: () => btrdb("/nonexistent", ["--help"]) }],
});
