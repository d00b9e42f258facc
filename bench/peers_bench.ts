/**
 * Jobs beside what users would pick instead: DuckDB, ClickHouse in process (`chdb`) and polars, each
 * on two threads, with one table of a time and eight signals of a phasor measurement unit. Times are by
 * the clock, entries take turns, and answers are compared before anything is measured.
 *
 *     deno task bench peers
 *
 * The peers come from PyPI into the cache of the interop tests; without them their entries are left
 * out. `BENCH_LARGE=1` takes a day of samples, 83 M points, in place of 10 M.
 */

import {
  type BTrDB,
  connect,
  MAX_TIME,
  type RawColumns,
  type StatColumns,
  type Stream,
} from "../mod.ts";
import { sliceRaw } from "../src/core/columns.ts";
import { atEnd } from "./support/at_end.ts";
import { cpuMs } from "./support/cpu.ts";
import { type Figures, growth } from "./support/growth.ts";
import { type Entry, job } from "./support/job.ts";
import {
  DAY_SAMPLES,
  lateMillion,
  sampleTimes,
  SIGNALS,
  signalValues,
} from "./support/pmu_signals.ts";
import type { PythonPeer } from "./support/python_peer.ts";
import { sampleTime } from "./support/synchrophasor.ts";
import {
  checkPoints,
  checkWindows,
  startTablePeers,
  type TablePeerName,
  writeNumbers,
} from "./support/table_peers.ts";

const ROWS = Deno.env.get("BENCH_LARGE") === "1" ? DAY_SAMPLES : 1_250_000;
const POINTS = ROWS * SIGNALS.length;
const LATE_POINTS = 1_000_000;
const ROUNDS = 5;

/** An hour in a thousand windows, narrower than a leaf. */
const HOUR = { start: sampleTime(120 * 600), width: 3_600_000_000n, count: 1000n };

const folder = Deno.makeTempDirSync({ prefix: "btrdb-bench-" });

/** Data that most jobs work on. */
interface State {
  readonly columns: readonly RawColumns[];
  /** Holds the signals. */
  readonly db: BTrDB;
  /** The first of them. */
  readonly signal: Stream;
}

for (const [i, name] of SIGNALS.entries()) {
  await writeNumbers(`${folder}/${name}`, signalValues(i, ROWS));
}
await writeNumbers(`${folder}/time`, sampleTimes(ROWS));
const peers = await startTablePeers(folder);
atEnd(() => Promise.all([...peers.values()].map((peer) => peer.close())));
const latePeers = [...peers].filter(([name]) => name !== "polars");
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

async function createSignals(db: BTrDB): Promise<Stream[]> {
  return await Promise.all(
    SIGNALS.map((name) => db.create(crypto.randomUUID(), "pmu", { tags: { name } })),
  );
}

/** Loads all signals into a new file; all is in it, and durable, at the end. */
async function loadSignals(path: string, columns: readonly RawColumns[]): Promise<void> {
  await using db = await connect(`file:${path}`);
  const streams = await createSignals(db);
  await Promise.all(streams.map(async (stream, i) => {
    await stream.insert(columns[i]!);
    await stream.flush();
  }));
}

let shared: Promise<State> | undefined;

/** The signals in a file of ours and in the tables of the peers; made once for all jobs. */
function setup(): Promise<State> {
  return shared ??= (async () => {
    const times = sampleTimes(ROWS);
    const columns = SIGNALS.map((_, i) => ({ times, values: signalValues(i, ROWS) }));
    await loadSignals(`${folder}/pmu.btrdb`, columns);
    for (const peer of peers.values()) await peer.run("load");
    const db = await connect(`file:${folder}/pmu.btrdb`);
    atEnd(() => db.close());
    for await (const signal of db.lookupStreams("pmu", { tags: { name: SIGNALS[0]! } })) {
      return { columns, db, signal };
    }
    throw new Error("The signals are not there");
  })();
}

/** An entry for each of the peers that were found. */
function ofPeers(
  run: (peer: PythonPeer) => Promise<unknown>,
  goals: Partial<Record<TablePeerName, Partial<Entry<unknown>>>>,
  label = "",
): Entry<unknown>[] {
  return [...peers].filter(([name]) => name in goals).map(([name, peer]) => ({
    name: name + label,
    run: () => run(peer),
    ...goals[name],
  }));
}

const CPU = { cpuMs: () => cpuMs(Deno.pid) };

let files = 0;

job<State>({
  name: `bulk load of ${POINTS / 1e6} M points of eight signals, durable`,
  work: { count: POINTS, unit: "points" },
  setup,
  entries: [
    {
      name: "this package",
      rounds: ROUNDS,
      ...CPU,
      run: async ({ columns }) => {
        const path = `${folder}/load${++files}.btrdb`;
        await loadSignals(path, columns);
        await Deno.remove(path);
      },
    },
    ...[...peers].map(([name, peer]) => ({
      name,
      rounds: ROUNDS,
      atLeast: 1,
      atLeastCpu: 0.9,
      cpuMs: () => cpuMs(peer.pid),
      run: () => peer.run("load"),
    })),
  ],
});

job<State>({
  name: `raw read of ${ROWS / 1e6} M points of one signal into columns`,
  work: { count: ROWS, unit: "points" },
  setup: async () => {
    const state = await setup();
    const own = await readAll(state.signal);
    for (const [name, peer] of peers) await checkPoints(peer, name, folder, "read", own);
    return state;
  },
  entries: [
    { name: "this package, collect()", run: ({ signal }) => readAll(signal) },
    ...ofPeers((peer) => peer.run("read"), {
      DuckDB: { atLeast: 1.2 },
      chdb: { atLeast: 1.2 },
      polars: { atLeast: 1.2 },
    }),
    ...ofPeers((peer) => peer.run("read-ordered"), { DuckDB: {} }, ", ordered by time"),
    {
      name: "this package, batches",
      run: async ({ signal }) => {
        for await (const _ of signal.rawValues(sampleTime(0), sampleTime(ROWS)));
      },
    },
  ],
});

const WINDOWS = `windows ${HOUR.start} ${HOUR.width} ${HOUR.count}`;

job<State>({
  name: "1,000 windows over an hour of one signal",
  work: { count: 1000, unit: "windows" },
  setup: async () => {
    const state = await setup();
    const own = await readHour(state.signal);
    for (const [name, peer] of peers) await checkWindows(peer, name, folder, WINDOWS, own);
    return state;
  },
  entries: [
    { name: "this package", run: ({ signal }) => readHour(signal) },
    ...ofPeers((peer) => peer.run(WINDOWS), { DuckDB: { atLeast: 3 }, chdb: {}, polars: {} }),
  ],
});

async function readAll(signal: Stream): Promise<RawColumns> {
  return await signal.rawValues(sampleTime(0), sampleTime(ROWS)).collect();
}

async function readHour(signal: Stream): Promise<StatColumns> {
  const { start, width, count } = HOUR;
  return await signal.windows(start, start + width * count, width).collect();
}

// ---- late points -----------------------------------------------------------------------------

const LATE_ROUNDS = 3;

interface LateState {
  readonly stream: Stream;
  /** Millions that each entry has inserted. */
  readonly used: Map<string, number>;
}

const MILLIONS = Array.from({ length: 2 * LATE_ROUNDS }, (_, i) => lateMillion(i));

/** A day of a signal, in a file of ours and in new tables of the peers. */
async function loadDay(db: BTrDB): Promise<Stream> {
  const day = { times: sampleTimes(DAY_SAMPLES), values: signalValues(0, DAY_SAMPLES) };
  await writePoints("day", day);
  for (const [, peer] of latePeers) await peer.run("late-base");
  const stream = await db.create(crypto.randomUUID(), "late");
  await stream.insert(day);
  await stream.flush();
  return stream;
}

async function writePoints(name: string, { times, values }: RawColumns): Promise<void> {
  await writeNumbers(`${folder}/${name}.time`, times);
  await writeNumbers(`${folder}/${name}.value`, values);
}

let sharedLate: Promise<LateState> | undefined;

/** A day of a signal, and the millions of points that come then; made once for both jobs. */
function setupLate(): Promise<LateState> {
  return sharedLate ??= (async () => {
    const db = await connect(`file:${folder}/late.btrdb`);
    atEnd(() => db.close());
    const stream = await loadDay(db);
    await prepareMillions();
    return { stream, used: new Map() };
  })();
}

async function prepareMillions(): Promise<void> {
  for (const [i, points] of MILLIONS.entries()) {
    await writePoints(`late${i}`, points);
    for (const [, peer] of latePeers) await peer.run(`prepare late${i}`);
  }
}

async function insertMillion(stream: Stream, million: number, inserts: number): Promise<void> {
  const step = LATE_POINTS / inserts;
  for (let at = 0; at < LATE_POINTS; at += step) {
    await stream.insert(sliceRaw(MILLIONS[million]!, at, at + step));
  }
}

/** Number of the next million of an entry. */
function nextMillion({ used }: LateState, entry: string): number {
  const next = used.get(entry) ?? 0;
  used.set(entry, next + 1);
  return next;
}

async function checkLate({ stream, used }: LateState): Promise<void> {
  const own = await stream.rawValues(0n, MAX_TIME).collect();
  for (const [name, peer] of latePeers) {
    if (used.get(name) !== used.get("own")) continue;
    await checkPoints(peer, name, folder, "late-read", own);
  }
}

for (
  const [inserts, duckdb] of [[1000, 1], [1, 0.5]] as const
) {
  job<LateState>({
    name: `a million points, 10 % late by up to a day, in ${
      inserts === 1 ? "one insert" : `${inserts} inserts`
    }`,
    work: { count: LATE_POINTS, unit: "points" },
    setup: setupLate,
    teardown: checkLate,
    entries: [
      {
        name: "this package",
        rounds: LATE_ROUNDS,
        ...CPU,
        run: (state) => insertMillion(state.stream, nextMillion(state, "own"), inserts),
      },
      ...latePeers.map(([name, peer]): Entry<LateState> => ({
        name,
        rounds: LATE_ROUNDS,
        ...(name === "DuckDB" ? { atLeast: duckdb } : {}),
        cpuMs: () => cpuMs(peer.pid),
        run: (state) => peer.run(`late late${nextMillion(state, name)} ${inserts}`),
      })),
    ],
  });
}

// ---- sizes -----------------------------------------------------------------------------------

/** Bytes a point in our file and with each peer. */
async function bytesAPoint(file: string, job: string, points: number): Promise<Figures> {
  const figures: Record<string, number> = {
    "this package": (await Deno.stat(`${folder}/${file}`)).size / points,
  };
  for (const [name, peer] of peers) {
    if (job === "late-size" && name === "polars") continue;
    figures[name] = Number(await peer.run(job)) / points;
  }
  return figures;
}

growth({
  name: "bytes a point, eight signals in order",
  axis: "points",
  sizes: [POINTS],
  run: async () => {
    await setup();
    return await bytesAPoint("pmu.btrdb", "size", POINTS);
  },
});

growth({
  name: "bytes a point, a day of a signal and then 2 M points, 10 % late by up to a day",
  axis: "points",
  sizes: [DAY_SAMPLES + 2 * LATE_POINTS],
  run: async (size) => {
    {
      await using db = await connect(`file:${folder}/late-size.btrdb`);
      const stream = await loadDay(db);
      await prepareMillions();
      for (const [million, inserts] of [1000, 1].entries()) {
        await insertMillion(stream, million, inserts);
        for (const [, peer] of latePeers) await peer.run(`late late${million} ${inserts}`);
      }
      await stream.flush();
    }
    return await bytesAPoint("late-size.btrdb", "late-size", size);
  },
});
