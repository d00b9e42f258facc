/**
 * The embedded engine beside a plain SQLite table and DuckDB. Files are on the disk of the temporary
 * folder, every write is durable when it returns, DuckDB runs on one thread.
 *
 * `BENCH_LARGE=0` leaves out the jobs on 100 M points, which take a minute to set up; `BENCH_LARGE=1`
 * adds those on a billion, which take several.
 */

import { DatabaseSync } from "node:sqlite";
import type { RawColumns } from "../src/core/columns.ts";
import { sliceRaw } from "../src/core/columns.ts";
import { type Engine, openEngine } from "../src/engine/mod.ts";
import { DUCKDB, PlainDuckDb, PlainSqlite } from "./support/engine_peers.ts";
import { type Entry, job } from "./support/job.ts";
import { missing } from "./support/peers.ts";
import { STEP } from "./support/data.ts";
import { magnitudes, sampleTime } from "./support/synchrophasor.ts";

const POINTS = 2_000_000;
const LARGE = Deno.env.get("BENCH_LARGE");
const BATCH = 1_048_576;
const STREAMS = 1000;
const CACHE_BYTES = 268_435_456;

const directory = Deno.makeTempDirSync();
globalThis.addEventListener("unload", () => {
  try {
    Deno.removeSync(directory, { recursive: true });
  } catch {
    // Somebody else removed it.
  }
});

let files = 0;
const newPath = (suffix: string) => `${directory}/${++files}.${suffix}`;
const note = DUCKDB === undefined ? { note: missing(["DuckDB"]) } : {};
const withDuckDb = <S>(entry: Entry<S>) => DUCKDB === undefined ? [] : [entry];

function uuidOf(stream: number): Uint8Array {
  const uuid = new Uint8Array(16);
  new DataView(uuid.buffer).setUint32(0, stream);
  return uuid;
}

async function create(engine: Engine, streams: number): Promise<void> {
  await Promise.all(Array.from({ length: streams }, (_, s) =>
    engine.create({
      uuid: uuidOf(s),
      collection: "bench",
      tags: new Map([["name", `s${s}`]]),
      annotations: new Map(),
    })));
}

async function openNew(streams = 1): Promise<{ engine: Engine; path: string }> {
  const path = newPath("btrdb");
  const engine = await openEngine({ path, cacheBytes: CACHE_BYTES });
  await create(engine, streams);
  return { engine, path };
}

async function insertAll(engine: Engine, columns: RawColumns, stream = 0): Promise<void> {
  for (let at = 0; at < columns.times.length; at += BATCH) {
    const piece = sliceRaw(columns, at, Math.min(columns.times.length, at + BATCH));
    await engine.insert({ uuid: uuidOf(stream), columns: piece });
  }
  await engine.flush(uuidOf(stream));
}

async function drain<T>(source: AsyncIterable<T>): Promise<number> {
  let chunks = 0;
  for await (const _ of source) chunks++;
  return chunks;
}

const range = (n: number) => ({
  uuid: uuidOf(0),
  start: sampleTime(0),
  end: sampleTime(n),
  version: 0n,
});

// ---- writing ---------------------------------------------------------------------------------

interface Bulk {
  columns: RawColumns;
}

const bulk = (n: number) => async ({ columns }: Bulk) => {
  const { engine, path } = await openNew();
  await insertAll(engine, sliceRaw(columns, 0, n));
  await engine.close();
  await Deno.remove(path);
};

job<Bulk>({
  name: "insert sorted points of one stream, durable",
  work: { count: POINTS, unit: "points" },
  setup: () => ({ columns: magnitudes(POINTS) }),
  ...note,
  entries: [
    { name: "engine", run: bulk(POINTS) },
    {
      name: "SQLite table",
      run: ({ columns }) => {
        const path = newPath("sqlite");
        const db = new PlainSqlite(path);
        db.insert([columns]);
        db.close();
        Deno.removeSync(path);
      },
    },
    ...withDuckDb<Bulk>({
      name: "DuckDB",
      run: async ({ columns }) => {
        const path = newPath("duckdb");
        const db = await PlainDuckDb.open(path);
        await db.insert([columns]);
        db.close();
        Deno.removeSync(path);
      },
    }),
  ],
});

job<Bulk>({
  name: "insert 10 M sorted points of one stream, durable",
  work: { count: 10_000_000, unit: "points" },
  setup: () => ({ columns: magnitudes(10_000_000) }),
  goalMs: 2000,
  entries: [{ name: "engine", run: bulk(10_000_000) }],
});

interface Small {
  engine: Engine;
  sqlite: PlainSqlite;
  duckdb: PlainDuckDb | undefined;
  batch(): RawColumns;
}

job<Small>({
  name: `insert 120 points into each of ${STREAMS} streams, acknowledged`,
  work: { count: 120 * STREAMS, unit: "points" },
  goalMs: 400,
  ...note,
  async setup() {
    const { engine } = await openNew(STREAMS);
    let from = 0;
    return {
      engine,
      sqlite: new PlainSqlite(newPath("sqlite")),
      duckdb: DUCKDB === undefined ? undefined : await PlainDuckDb.open(newPath("duckdb")),
      batch: () => magnitudes(120, (from += 120) - 120),
    };
  },
  entries: [
    {
      name: "engine",
      run: async ({ engine, batch }) => {
        const columns = batch();
        await Promise.all(
          Array.from({ length: STREAMS }, (_, s) => engine.insert({ uuid: uuidOf(s), columns })),
        );
      },
    },
    {
      name: "SQLite table, one transaction",
      run: ({ sqlite, batch }) => sqlite.insert(Array(STREAMS).fill(batch())),
    },
    ...withDuckDb<Small>({
      name: "DuckDB, one appender",
      run: ({ duckdb, batch }) => duckdb!.insert(Array(STREAMS).fill(batch())),
    }),
  ],
  async teardown({ engine, sqlite, duckdb }) {
    await engine.close();
    sqlite.close();
    duckdb?.close();
  },
});

// ---- reading ---------------------------------------------------------------------------------

interface Filled {
  engine: Engine;
  sqlite: PlainSqlite;
  duckdb: PlainDuckDb | undefined;
}

async function filled(): Promise<Filled> {
  const columns = magnitudes(POINTS);
  const { engine, path } = await openNew();
  await insertAll(engine, columns);
  const sqlite = new PlainSqlite(newPath("sqlite"));
  sqlite.insert([columns]);
  const duckdb = DUCKDB === undefined ? undefined : await PlainDuckDb.open(newPath("duckdb"));
  await duckdb?.insert([columns]);
  console.error(`  ${POINTS} points: ${await bytesPerPoint(path, POINTS)} B a point in the engine`);
  return { engine, sqlite, duckdb };
}

/** Size of a database file per point, once SQLite has moved its log into it. */
async function bytesPerPoint(path: string, n: number): Promise<string> {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  return ((await Deno.stat(path)).size / n).toFixed(2);
}

async function closeAll({ engine, sqlite, duckdb }: Filled): Promise<void> {
  await engine.close();
  sqlite.close();
  duckdb?.close();
}

job<Filled>({
  name: "read all points, warm",
  work: { count: POINTS, unit: "points" },
  goalMs: POINTS / 20_000,
  ...note,
  setup: filled,
  entries: [
    { name: "engine", run: ({ engine }) => drain(engine.rawValues(range(POINTS))) },
    { name: "SQLite table", run: ({ sqlite }) => sqlite.read(POINTS) },
    ...withDuckDb<Filled>({ name: "DuckDB", run: ({ duckdb }) => duckdb!.read(POINTS) }),
  ],
  teardown: closeAll,
});

job<Filled>({
  name: "windows of 2^34 ns over all points (970 of them)",
  work: { count: POINTS, unit: "points" },
  goalMs: 5,
  ...note,
  setup: filled,
  entries: [
    {
      name: "engine",
      run: ({ engine }) => drain(engine.alignedWindows({ ...range(POINTS), pointwidth: 34 })),
    },
    {
      name: "SQLite table",
      run: ({ sqlite }) => sqlite.windows(sampleTime(0), sampleTime(POINTS), 34),
    },
    ...withDuckDb<Filled>({
      name: "DuckDB",
      run: ({ duckdb }) => duckdb!.windows(sampleTime(0), sampleTime(POINTS), 34),
    }),
  ],
  teardown: closeAll,
});

let turn = 0;
/** A time that changes from call to call, all over the stream. */
const anyTime = (n: number) => sampleTime((turn++ * 1_000_003) % n) + 5n;

job<Filled>({
  name: "nearest point before a time",
  work: { count: 1, unit: "queries" },
  goalMs: 0.2,
  ...note,
  setup: filled,
  entries: [
    {
      name: "engine",
      run: ({ engine }) =>
        engine.nearest({ uuid: uuidOf(0), time: anyTime(POINTS), version: 0n, backward: true }),
    },
    { name: "SQLite table", run: ({ sqlite }) => sqlite.nearest(anyTime(POINTS)) },
    ...withDuckDb<Filled>({
      name: "DuckDB",
      run: ({ duckdb }) => duckdb!.nearest(anyTime(POINTS)),
    }),
  ],
  teardown: closeAll,
});

// ---- growth ----------------------------------------------------------------------------------

const SIZES = [1, 10, ...(LARGE === "0" ? [] : [100]), ...(LARGE === "1" ? [1000] : [])];

/** A database that grows: points imported, points appended since, values to append. */
interface Growing {
  engine: Engine;
  points: number;
  appended: number;
  values: Float64Array;
}

interface Grown {
  engines: Growing[];
}

/** Imports `points` points a batch at a time and tells what that took. */
async function grow(points: number): Promise<Growing> {
  const { engine, path } = await openNew();
  let most = 0;
  let spentMs = 0;
  for (let at = 0; at < points; at += BATCH) {
    const columns = magnitudes(Math.min(BATCH, points - at), at);
    const start = performance.now();
    await engine.insert({ uuid: uuidOf(0), columns });
    spentMs += performance.now() - start;
    most = Math.max(most, Deno.memoryUsage().rss);
  }
  await engine.flush(uuidOf(0));
  const stored = await bytesPerPoint(path, points);
  console.error(
    `  ${points / 1e6} M points: imported at ${(points / spentMs / 1000).toFixed(1)} M points/s, ` +
      `${stored} B a point, at most ${(most / 1e6).toFixed(0)} MB resident`,
  );
  return { engine, points, appended: 0, values: magnitudes(32_768).values };
}

/** The jobs below share their databases: the large one takes a while to import. */
let grown: Promise<Grown> | undefined;
let users = 0;

async function growAll(): Promise<Grown> {
  const engines = [];
  for (const size of SIZES) engines.push(await grow(size * 1_000_000));
  return { engines };
}

const growing = {
  setup(): Promise<Grown> {
    users++;
    grown ??= growAll();
    return grown;
  },
  async teardown({ engines }: Grown): Promise<void> {
    if (users < 4) return;
    for (const { engine } of engines) await engine.close();
  },
};

function bySize(
  run: (grown: Growing) => unknown,
): Entry<Grown>[] {
  return SIZES.map((size, i) => ({
    name: `on ${size} M points`,
    run: ({ engines }) => run(engines[i]!),
  }));
}

job<Grown>({
  name: "insert 32768 points at the end of a stream, one commit",
  work: { count: 32_768, unit: "points" },
  ...growing,
  entries: bySize((grown) => {
    const times = new BigInt64Array(32_768);
    let time = sampleTime(grown.points + grown.appended);
    for (let i = 0; i < times.length; i++, time += STEP) times[i] = time;
    grown.appended += 32_768;
    const { values } = grown;
    return grown.engine.insert({ uuid: uuidOf(0), columns: { times, values } });
  }),
});

job<Grown>({
  name: "1000 aligned windows over a whole stream",
  work: { count: 1, unit: "queries" },
  goalMs: 5,
  ...growing,
  entries: bySize(({ engine, points }) => {
    // The widest windows that give at least 1000 of them, or the next narrower ones.
    const span = sampleTime(points) - sampleTime(0);
    const pointwidth = (span / 1000n).toString(2).length - 1;
    return drain(engine.alignedWindows({ ...range(points), pointwidth }));
  }),
});

job<Grown>({
  name: "1000 windows of any width over a whole stream",
  work: { count: 1, unit: "queries" },
  ...growing,
  entries: bySize(({ engine, points }) => {
    const width = (sampleTime(points) - sampleTime(0)) / 1000n;
    return drain(engine.windows({ ...range(points), width, depth: 0 }));
  }),
});

job<Grown>({
  name: "nearest point before a time, anywhere",
  work: { count: 1, unit: "queries" },
  goalMs: 0.2,
  ...growing,
  entries: bySize(({ engine, points }) =>
    engine.nearest({ uuid: uuidOf(0), time: anyTime(points), version: 0n, backward: true })
  ),
});
