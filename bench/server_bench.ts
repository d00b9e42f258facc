/**
 * `serve` over a database file, in a process of its own, with clients on the same machine. Beside it
 * what the transport alone takes, and what a real BTrDB 4.15.9 took elsewhere (`RECORDED`).
 */

import { type BTrDB, connect, type RawColumns } from "../mod.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { ServerProcess } from "../tests/support/server_process.ts";
import { samples, START, STEP } from "./support/data.ts";
import { job } from "./support/job.ts";
import { UUID } from "./support/served.ts";

const POINTS = 5_000_000;
const END = START + BigInt(POINTS) * STEP;
const INSERT_POINTS = 250_000;
const WRITERS = 4;
const READERS = 8;
/** Points in the windows of 2^33 ns are about a thousand. */
const POINTWIDTH = 33;
const WINDOWS = 4_000;

/** BTrDB 4.15.9 with its Python client on a machine with two cores: recorded elsewhere, not run here. */
const RECORDED = {
  read: "0.65 M points/s",
  insert: "0.42 M points/s",
  aligned: "3,900 in 14 ms",
  windows: "416 in 5 ms",
  nearest: "0.4 ms",
} as const;

const beside = (figure: string) => `BTrDB 4.15.9, recorded elsewhere: ${figure}`;

/** A server and a client. */
interface Served {
  server: ServerProcess;
  db: BTrDB;
}

async function setup(): Promise<Served> {
  const server = await ServerProcess.start("bench/support/serve_file.ts", [String(POINTS)]);
  return { server, db: await connect(server.address) };
}

async function teardown({ server, db }: Served): Promise<void> {
  await db.close();
  await server[Symbol.asyncDispose]();
}

/** Reads the whole stream in columns. */
async function readColumns(db: BTrDB): Promise<void> {
  let n = 0;
  for await (const { times } of db.streamFromUUID(UUID).rawValues(START, END)) n += times.length;
  if (n !== POINTS) throw new Error(`${n} points, not ${POINTS}`);
}

/** Lets grpc-js read the answer and look at nothing. */
function readBytes(grpc: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const same = (buffer: Buffer) => buffer;
    const path = "/v5api.BTrDB/RawValues";
    const call = grpc.makeServerStreamRequest(path, same, same, Buffer.alloc(0));
    call.on("data", (message: Buffer) => bytes += message.length);
    call.on("error", reject);
    call.on("end", () => bytes > POINTS * 16 ? resolve() : reject(new Error(`${bytes} bytes`)));
  });
}

job({
  name: "raw read of 5 M points",
  work: { count: POINTS, unit: "points" },
  setup: async () => {
    const replay = await ServerProcess.start("bench/support/replay_server.ts", [String(POINTS)]);
    const grpc = new Client(replay.address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      "grpc-node.flow_control_window": 4 << 20,
    });
    return { ...await setup(), replay, replayed: await connect(replay.address), grpc };
  },
  teardown: async (state) => {
    state.grpc.close();
    await state.replayed.close();
    await state.replay[Symbol.asyncDispose]();
    await teardown(state);
  },
  entries: [
    { name: "serve, into columns", run: ({ db }) => readColumns(db) },
    {
      name: "the same messages replayed, into columns",
      run: ({ replayed }) => readColumns(replayed),
    },
    { name: "transport: replayed, bytes unseen", run: ({ grpc }) => readBytes(grpc) },
  ],
  goalMs: Math.floor(POINTS / 12e3),
  note: beside(RECORDED.read),
});

job({
  name: "durable inserts of 250,000 points from each of 4 clients",
  work: { count: INSERT_POINTS * WRITERS, unit: "points" },
  setup: async () => {
    const served = await setup();
    const writers = await Promise.all(Array.from({ length: WRITERS }, async (_, i) => {
      const db = await connect(served.server.address);
      const options = { tags: { name: `s${i}` } };
      return { db, stream: await db.create(crypto.randomUUID(), "bench/inserts", options) };
    }));
    return { ...served, writers, points: samples(INSERT_POINTS) };
  },
  teardown: async (state) => {
    for (const { db } of state.writers) await db.close();
    await teardown(state);
  },
  entries: [{
    name: "serve",
    run: async ({ writers, points }) => {
      later(points);
      await Promise.all(writers.map(({ stream }) => stream.insert(points)));
    },
  }],
  goalMs: INSERT_POINTS * WRITERS / 2e3,
  note: `each client over a connection of its own; ${beside(RECORDED.insert)}`,
});

/** Moves points behind themselves. */
function later({ times }: RawColumns): void {
  const by = BigInt(times.length) * STEP;
  for (let i = 0; i < times.length; i++) times[i]! += by;
}

job({
  name: "4,000 aligned windows",
  work: { count: WINDOWS, unit: "windows" },
  setup,
  teardown,
  entries: [{
    name: "serve",
    run: async ({ db }) => {
      const end = START + BigInt(WINDOWS) * (1n << BigInt(POINTWIDTH));
      const query = db.streamFromUUID(UUID).alignedWindows(START, end, POINTWIDTH);
      const { times } = await query.collect();
      if (Math.abs(times.length - WINDOWS) > 1) throw new Error(`${times.length} windows`);
    },
  }],
  calls: 300,
  goalMs: 4,
  note: beside(RECORDED.aligned),
});

job({
  name: "416 windows of any width",
  work: { count: 416, unit: "windows" },
  setup,
  teardown,
  entries: [{
    name: "serve",
    run: async ({ db }) => {
      const width = (END - START) / 416n;
      const query = db.streamFromUUID(UUID).windows(START, START + 416n * width, width);
      const { times } = await query.collect();
      if (times.length !== 416) throw new Error(`${times.length} windows`);
    },
  }],
  calls: 300,
  note: beside(RECORDED.windows),
});

job({
  name: "nearest",
  work: { count: 1, unit: "calls" },
  setup,
  teardown,
  entries: [{ name: "serve", run: ({ db }) => nearest(db) }],
  calls: 1_000,
  note: beside(RECORDED.nearest),
});

/** A server under load: eight clients read flat out. */
interface Busy extends Served {
  readers: ServerProcess;
}

async function busy(): Promise<Busy> {
  const served = await setup();
  const args = [served.server.address, String(POINTS), String(READERS)];
  const readers = await ServerProcess.start("bench/support/read_flat_out.ts", args);
  return { ...served, readers };
}

job({
  name: "nearest while eight clients read flat out",
  work: { count: 1, unit: "calls" },
  setup: busy,
  teardown: async (state) => {
    await state.readers[Symbol.asyncDispose]();
    await teardown(state);
  },
  entries: [{ name: "serve", run: ({ db }) => nearest(db) }],
  calls: 1_000,
  goalP99Ms: 20,
  note: "the readers share the two cores with the server",
});

let call = 0;

/** The point before a time somewhere in the stream. */
async function nearest(db: BTrDB): Promise<void> {
  const at = START + BigInt((call++ * 7_919_993) % (POINTS - 1) + 1) * STEP;
  const point = await db.streamFromUUID(UUID).nearest(at, { backward: true });
  if (point?.time !== at - STEP) throw new Error(`${point?.time} before ${at}`);
}
