/** Reading what the field writes: frames of C37.118, beside `pyc37` and a copy of the bytes. */

import {
  CaptureSource,
  decodeFrames,
  encodeConfiguration,
  encodeValues,
  simulatedConfiguration,
  simulatedValues,
} from "../src/ingest/c37118/mod.ts";
import { type BTrDB, connect, type RawColumns } from "../mod.ts";
import { openComtrade, writeComtrade } from "../src/ingest/comtrade/mod.ts";
import { importFile } from "../src/ingest/mod.ts";
import { DataLayout } from "../src/ingest/c37118/data_layout.ts";
import { job } from "./support/job.ts";
import { PythonPeer } from "./support/python_peer.ts";

const FRAMES = 100_000;
/** pyc37 decodes only so many. */
const PEER_FRAMES = 2_000;
const SOC = 1_700_000_000;

interface Frames {
  bytes: Uint8Array;
  folder: string;
  peer: PythonPeer | undefined;
}

/** A configuration and frames of 6 phasors, an analog and a digital word, 60 a second. */
function frames(format: number, count: number): Uint8Array {
  const configuration = simulatedConfiguration({ id: 7, format });
  const layout = new DataLayout(configuration);
  const [head] = encodeConfiguration(configuration, { soc: SOC, fraction: 0 });
  const bytes = new Uint8Array(head!.length + count * layout.frameBytes);
  bytes.set(head!);
  for (let i = 0; i < count; i++) {
    const [soc, tick] = [SOC + Math.floor(i / 60), i % 60];
    const fraction = Math.round(tick * 1e6 / 60);
    const frame = encodeValues(layout, simulatedValues(configuration, soc, tick, 1), {
      soc,
      fraction,
    });
    bytes.set(frame, head!.length + i * frame.length);
  }
  return bytes;
}

/** Opens the frames as a source and reads all of its columns: two passes. */
async function readColumns(bytes: Uint8Array): Promise<void> {
  const source = await CaptureSource.open({
    async *read() {
      for (let at = 0; at < bytes.length; at += 1 << 16) yield bytes.subarray(at, at + (1 << 16));
    },
  }, {});
  let rows = 0;
  for await (const { columns } of source.batches({ offset: 0, lines: 0, rows: 0 })) {
    rows += columns[0]!.times.length;
  }
  if (rows !== FRAMES) throw new Error(`${rows} rows, not ${FRAMES}`);
}

async function readByPeer(peer: PythonPeer | undefined): Promise<void> {
  if (peer === undefined) throw new Error("there is no Python, or pyc37 cannot be had");
  await peer.run("decode");
}

// pyc37 refuses the floats of a frequency that is no deviation, so that both have integers there.
for (const [name, format] of [["float polar", 7], ["integer rectangular", 0]] as const) {
  const setup = async (count: number): Promise<Frames> => {
    const folder = await Deno.makeTempDir();
    await Deno.writeFile(`${folder}/frames.c37`, frames(format, count));
    const packages = ["pyc37==1.0.2", "psutil"];
    const peer = count === FRAMES ? undefined : await PythonPeer.startScript(
      "pyc37",
      packages,
      "./pyc37_decode.py",
      [`${folder}/frames.c37`],
    );
    return { bytes: frames(format, count), folder, peer };
  };
  const teardown = async ({ peer, folder }: Frames): Promise<void> => {
    await peer?.close();
    await Deno.remove(folder, { recursive: true });
  };

  job({
    name: `decode 100 k frames of C37.118, ${name}`,
    work: { count: FRAMES, unit: "frames" },
    setup: () => setup(FRAMES),
    teardown,
    entries: [
      { name: "columns of 18 streams, two passes", run: ({ bytes }) => readColumns(bytes) },
      {
        name: "decodeFrames, an object a frame",
        run: ({ bytes }) => {
          let read = 0;
          for (const { type } of decodeFrames(bytes)) read += Number(type === "data");
          if (read !== FRAMES) throw new Error(`${read} frames, not ${FRAMES}`);
        },
      },
      { name: "memcpy of the bytes", run: ({ bytes }) => bytes.slice() },
    ],
    note: "a capture is read once to know its stations, and once for its points",
  });

  job({
    name: `decode 2 k frames of C37.118, ${name}`,
    work: { count: PEER_FRAMES, unit: "frames" },
    setup: () => setup(PEER_FRAMES),
    teardown,
    entries: [
      {
        name: "decodeFrames, an object a frame",
        run: ({ bytes }) => {
          let read = 0;
          for (const { type } of decodeFrames(bytes)) read += Number(type === "data");
          if (read !== PEER_FRAMES) throw new Error(`${read} frames, not ${PEER_FRAMES}`);
        },
      },
      { name: "pyc37 1.0.2", run: ({ peer }) => readByPeer(peer) },
      { name: "memcpy of the bytes", run: ({ bytes }) => bytes.slice() },
    ],
  });
}

const RECORDS = 1_000_000;
const CHANNELS = 30;

interface Record1999 {
  folder: string;
  path: string;
  batches: RawColumns[][];
}

/** A record of 68 MB: 30 channels, 4,000 samples a second, BINARY. */
async function binaryRecord(): Promise<Record1999> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/fault.cff`;
  const times = BigInt64Array.from({ length: RECORDS }, (_, i) => BigInt(i) * 250_000n);
  const values = Float64Array.from(times, (_, i) => Math.round(20_000 * Math.sin(i / 13)));
  const channels = Array.from({ length: CHANNELS }, (_, i) => ({
    id: `A${i}`,
    open: () => ({ times, values }),
  }));
  await writeComtrade(path, channels, { type: "binary" });
  await using record = await openComtrade(path);
  const batches: RawColumns[][] = [];
  for await (const { columns } of record.batches()) batches.push(columns);
  return { folder, path, batches };
}

/** Uses a database file of its own. */
async function withFile(folder: string, use: (db: BTrDB) => Promise<void>): Promise<void> {
  const path = `${folder}/${crypto.randomUUID()}.btrdb`;
  {
    await using db = await connect(`file:${path}`);
    await use(db);
  }
  await Deno.remove(path);
}

job({
  name: "30 M points from a BINARY record of COMTRADE into a file",
  work: { count: RECORDS * CHANNELS, unit: "points" },
  setup: binaryRecord,
  teardown: ({ folder }) => Deno.remove(folder, { recursive: true }),
  entries: [
    {
      name: "importFile",
      rounds: 3,
      run: ({ folder, path }) =>
        withFile(folder, async (db) => {
          const { points } = await importFile(db, path, { into: "fault", stateFolder: folder });
          if (points !== BigInt(RECORDS * CHANNELS)) throw new Error(`${points} points`);
        }),
    },
    {
      name: "inserts of the same columns, in memory already",
      rounds: 3,
      atLeast: 0.5,
      run: ({ folder, batches }) =>
        withFile(folder, async (db) => {
          const streams = await Promise.all(
            Array.from({ length: CHANNELS }, (_, i) =>
              db.create(crypto.randomUUID(), "fault", { tags: { name: `A${i}` } })),
          );
          for (const columns of batches) {
            await Promise.all(streams.map((stream, i) =>
              stream.insert(columns[i]!)
            ));
          }
        }),
    },
    {
      name: "reading the record, without a database",
      rounds: 3,
      run: async ({ path }) => {
        await using record = await openComtrade(path);
        for await (const _ of record.batches());
      },
    },
  ],
  note: "a record takes as long as its points, which are 16 bytes each in memory and 2 in the file",
});
