/** `btrdb bench`: measures the speed of a database. @module */

import type { Stream } from "../../../mod.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { rough } from "../terminal/format.ts";
import { table } from "../terminal/print_table.ts";

const START = 1_700_000_000_000_000_000n;
const INTERVAL = 1_000_000n;
const BATCH = 100_000;
const SMALL_CALLS = 200;

const command: Command = {
  name: "bench",
  args: "",
  arity: [0, 0],
  summary: "Measure the speed of a database",
  about: [
    "Makes a stream in the collection btrdb-bench, writes and reads points, and removes it. The " +
    "figures tell a healthy database from one in trouble; they are not a comparison of databases.",
  ],
  options: {
    points: { short: "n", value: "N", about: "Points to write and read; 1000000 by default" },
  },
  examples: [
    { line: "btrdb -d memory: bench", about: "This machine, without a disk" },
    {
      line: "btrdb -d grid.example:4410 bench -n 100000 --json",
      about: "A cluster, for monitoring",
    },
  ],
  json: "{ points, insertPerSecond, readPerSecond, windowsPerSecond, smallCallMs: { p50, p99 } }",
  async run(context, args) {
    const points = args.integer("points", 1000, 1e9) ?? 1_000_000;
    const db = await context.db("create");
    const uuid = crypto.randomUUID();
    const stream = await db.create(uuid, "btrdb-bench", { tags: { name: uuid } });
    try {
      report(context, await measure(context, stream, points));
    } finally {
      await stream.obliterate();
    }
  },
};

interface Measured {
  points: number;
  insertPerSecond: number;
  readPerSecond: number;
  windowsPerSecond: number;
  smallCallMs: { p50: number; p99: number };
}

async function measure(context: Context, stream: Stream, points: number): Promise<Measured> {
  const { signal } = context;
  const progress = context.progress("Measuring");
  const end = START + BigInt(points) * INTERVAL;
  let written = 0;
  const insertSeconds = await timed(async () => {
    for (let at = 0; at < points; at += BATCH) {
      const n = Math.min(BATCH, points - at);
      await stream.insert(samples(at, n), { signal });
      written += n;
      progress.update({ points: written, part: written / points });
    }
    await stream.flush();
  });
  let read = 0;
  const readSeconds = await timed(async () => {
    for await (const { times } of stream.rawValues(START, end, { signal })) read += times.length;
  });
  if (read !== points) throw new Error(`Wrote ${points} points and read ${read}`);
  let windows = 0;
  const windowSeconds = await timed(async () => {
    for await (const { times } of stream.alignedWindows(START, end, 26, { signal })) {
      windows += times.length;
    }
  });
  const times: number[] = [];
  for (let i = 0; i < SMALL_CALLS; i++) {
    const time = START + BigInt((i * 7919) % points) * INTERVAL;
    times.push(await timed(async () => void await stream.nearest(time, { signal })));
  }
  progress.clear();
  times.sort((a, b) => a - b);
  return {
    points,
    insertPerSecond: Math.round(points / insertSeconds),
    readPerSecond: Math.round(points / readSeconds),
    windowsPerSecond: Math.round(windows / windowSeconds),
    smallCallMs: {
      p50: milliseconds(times[SMALL_CALLS >> 1]!),
      p99: milliseconds(times[Math.floor(SMALL_CALLS * 0.99)]!),
    },
  };
}

/** A sine with noise that repeats, like a measurement. */
function samples(from: number, n: number): { times: BigInt64Array; values: Float64Array } {
  const times = new BigInt64Array(n);
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    times[i] = START + BigInt(from + i) * INTERVAL;
    values[i] = 120 * Math.sin((from + i) / 50) + ((from + i) * 48271 % 2048) / 1024;
  }
  return { times, values };
}

/** Duration of `work`, s. */
async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.max(1e-6, (performance.now() - start) / 1000);
}

function milliseconds(seconds: number): number {
  return Number((seconds * 1000).toFixed(3));
}

function report(context: Context, measured: Measured): void {
  if (context.json) {
    context.printJson(measured);
    return;
  }
  const { insertPerSecond, readPerSecond, windowsPerSecond, smallCallMs } = measured;
  const rows = [
    ["insert", `${rough(insertPerSecond)} points/s`],
    ["read", `${rough(readPerSecond)} points/s`],
    ["windows", `${rough(windowsPerSecond)} windows/s`],
    ["small call", `${smallCallMs.p50} ms, 99 % below ${smallCallMs.p99} ms`],
  ];
  context.print(table([{ title: "what" }, { title: "how quick" }], rows, context.style));
}

export default command;
