/** The client against a server that only replays bytes, beside grpc-js and the official Python client. */

import { fromBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { type BTrDB, connect } from "../mod.ts";
import { RawValuesResponseSchema } from "../src/gen/btrdb_v5_pb.ts";
import { ServerProcess } from "../tests/support/server_process.ts";
import { samples, START, STEP } from "./support/data.ts";
import { job } from "./support/job.ts";
import { PythonPeer, type PythonVersion } from "./support/python_peer.ts";

const POINTS = 1_000_000;
const CALLS = 1_000;
const UUID = "01010101-0101-0101-0101-010101010101";
const END = START + BigInt(POINTS) * STEP;
const missing = !(await new Deno.Command("python3", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false));
const note = missing ? "without the Python client: there is no python3 here" : undefined;

/** Everybody who takes part. */
interface Peers {
  server: ServerProcess;
  db: BTrDB;
  grpc: Client;
  python: Readonly<Record<PythonVersion, PythonPeer | undefined>>;
}

/** Starts the server and its clients; `compression` is what the server's answers have. */
async function setup(...compression: string[]): Promise<Peers> {
  const arguments_ = [String(POINTS), ...compression];
  const server = await ServerProcess.start("bench/support/replay_server.ts", arguments_);
  const grpc = new Client(server.address, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc-node.flow_control_window": 4 << 20,
  });
  const args = [server.address, UUID, String(POINTS), String(CALLS)];
  const python = {
    "4.11.2": await PythonPeer.start("4.11.2", args),
    "5.34.2": await PythonPeer.start("5.34.2", args),
  };
  return { server, db: await connect(server.address), grpc, python };
}

async function teardown({ server, db, grpc, python }: Peers): Promise<void> {
  for (const peer of Object.values(python)) await peer?.close();
  grpc.close();
  await db.close();
  await server[Symbol.asyncDispose]();
}

/** Reads all points in columns. */
async function readColumns({ db }: Peers): Promise<void> {
  let n = 0;
  for await (const batch of db.streamFromUUID(UUID).rawValues(START, END)) n += batch.times.length;
  if (n !== POINTS) throw new Error(`${n} points`);
}

/** Reads all messages with grpc-js alone; `read` is what is done to each. */
function readMessages<T>(
  { grpc }: Peers,
  read: (bytes: Buffer) => T,
  seen: (message: T) => number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sum = 0;
    const path = "/v5api.BTrDB/RawValues";
    const call = grpc.makeServerStreamRequest(path, (b: Buffer) => b, read, Buffer.alloc(0));
    call.on("data", (message: T) => sum += seen(message));
    call.on("error", reject);
    call.on("end", () => sum > 0 ? resolve() : reject(new Error("nothing came")));
  });
}

/** The Python clients do the job, where Python is; the first entry is held against each. */
function pythonEntries(name: "raw" | "insert" | "nearest" | "nearest-in-turn", atLeast: number) {
  if (missing) return [];
  return (["4.11.2", "5.34.2"] as const).map((version) => ({
    name: `btrdb ${version} for Python`,
    run: ({ python }: Peers) => {
      const peer = python[version];
      if (peer === undefined) throw new Error(`btrdb ${version} could not be installed from PyPI`);
      return peer.run(name);
    },
    atLeast,
  }));
}

job({
  name: "raw read of 1 M points over loopback",
  work: { count: POINTS, unit: "points" },
  setup: () => setup(),
  teardown,
  entries: [
    { name: "columns", run: readColumns },
    {
      name: "grpc-js, bytes unseen",
      run: (peers) => readMessages(peers, (bytes) => bytes, (bytes) => bytes.length),
      atLeast: 0.85,
    },
    {
      name: "grpc-js with protobuf-es objects",
      run: (peers) =>
        readMessages(
          peers,
          (bytes) => fromBinary(RawValuesResponseSchema, bytes),
          (message) => message.values.length,
        ),
      atLeast: 6,
    },
    ...pythonEntries("raw", 40),
  ],
  note: "what columns cost beyond the bytes: 4 ms to decode, half of it memory for them" +
    (note === undefined ? "" : `; ${note}`),
});

job({
  name: "insert of 1 M points over loopback",
  work: { count: POINTS, unit: "points" },
  setup: async () => ({ ...await setup(), points: samples(POINTS) }),
  teardown,
  entries: [
    { name: "columns", run: ({ db, points }) => db.streamFromUUID(UUID).insert(points) },
    ...pythonEntries("insert", 10),
  ],
  ...(note === undefined ? {} : { note }),
});

job({
  name: "1,000 nearest at once over loopback",
  work: { count: CALLS, unit: "calls" },
  setup: () => setup(),
  teardown,
  entries: [
    {
      name: "promises",
      run: async ({ db }) => {
        const stream = db.streamFromUUID(UUID);
        const call = (_: unknown, i: number) => stream.nearest(START + BigInt(i));
        await Promise.all(Array.from({ length: CALLS }, call));
      },
    },
    ...pythonEntries("nearest", 1.5),
  ],
  ...(note === undefined ? {} : { note }),
});

/** Calls made one after another. */
const IN_TURN = 200;

/** Makes one call with grpc-js alone. */
function callOnce({ grpc }: Peers): Promise<void> {
  const pass = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) =>
    grpc.makeUnaryRequest(
      "/v5api.BTrDB/Nearest",
      pass,
      pass,
      Buffer.alloc(0),
      (error: Error | null) => error === null ? resolve() : reject(error),
    )
  );
}

job({
  name: "200 nearest one after another over loopback",
  work: { count: IN_TURN, unit: "calls" },
  setup: () => setup(),
  teardown,
  entries: [
    {
      name: "awaited",
      run: async ({ db }) => {
        const stream = db.streamFromUUID(UUID);
        for (let i = 0; i < IN_TURN; i++) await stream.nearest(START + BigInt(i));
      },
    },
    {
      name: "grpc-js, bytes unseen",
      run: async (peers) => {
        for (let i = 0; i < IN_TURN; i++) await callOnce(peers);
      },
      atLeast: 0.9,
    },
    ...pythonEntries("nearest-in-turn", 1),
  ],
  note: "a call is a round trip of HTTP/2: the transport alone is what the second entry takes",
});

job({
  name: "raw read of 1 M points, compressed with gzip, over loopback",
  work: { count: POINTS, unit: "points" },
  setup: () => setup("gzip"),
  teardown,
  entries: [
    { name: "columns", run: readColumns },
    {
      name: "grpc-js, bytes unseen",
      run: (peers) => readMessages(peers, (bytes) => bytes, (bytes) => bytes.length),
      atLeast: 0.85,
    },
    ...pythonEntries("raw", 3),
  ],
  note: "real servers compress every answer; the difference to the plain read is inflating it",
});
