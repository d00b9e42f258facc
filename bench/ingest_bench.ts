/** Reading what the field writes: frames of C37.118, beside `pyc37` and a copy of the bytes. */

import {
  CaptureSource,
  decodeFrames,
  encodeConfiguration,
  encodeValues,
  simulatedConfiguration,
  simulatedValues,
} from "../src/ingest/c37118/mod.ts";
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
