/** Alignment of streams, beside a plain loop, pandas, polars and NumPy (from PyPI). */

import { align, type RawColumns } from "../mod.ts";
import { pythonWith } from "../tests/interop/support/cache.ts";
import { loopAlign } from "../tests/support/align_loop.ts";
import { type Entry, job } from "./support/job.ts";
import { PythonPeer } from "./support/python_peer.ts";

const N = 1_000_000;
const SECOND = 1_000_000_000n;
const START = 1_700_000_000n * SECOND;
const TOLERANCE = 500_000n;
const PACKAGES = ["numpy==2.4.6", "pandas==3.1.1", "polars==2.1.0"];

const hasPeers = await pythonWith("align", PACKAGES).then(() => true, () => false);
const NOTE = hasPeers ? {} : { note: "without pandas: there is no Python here, or no package" };

interface Input {
  streams: RawColumns[];
  rows: BigInt64Array;
  peer: PythonPeer | undefined;
}

/** Two streams of 60 points a second, one of them late by up to 0.4 ms. */
function setup(rate: number): () => Promise<Input> {
  return async () => {
    const at = (i: number): bigint => START + BigInt(i) * SECOND / 60n;
    const streams = [
      {
        times: BigInt64Array.from({ length: N }, (_, i) => at(i)),
        values: Float64Array.from({ length: N }, (_, i) => i % 1000 * 0.25),
      },
      {
        times: BigInt64Array.from({ length: N }, (_, i) => at(i) + BigInt(i * 7919 % 400_000)),
        values: Float64Array.from({ length: N }, (_, i) => i % 777 * 0.5),
      },
    ];
    const rows = BigInt64Array.from(
      { length: N * rate / 60 },
      (_, i) => START + BigInt(i) * SECOND / BigInt(rate),
    );
    const peer = hasPeers
      ? await PythonPeer.startScript("align", PACKAGES, "./align_peers.py", [
        String(N),
        String(rate),
      ])
      : undefined;
    return { streams, rows, peer };
  };
}

function alignJob(
  name: string,
  rate: number,
  fill: "none" | "linear",
  peers: readonly [name: string, job: string, atLeast?: number][],
): void {
  const end = START + BigInt(N) * SECOND / 60n;
  const others = peers.map(([name, job, atLeast]): Entry<Input> => ({
    name,
    run: ({ peer }) => peer!.run(job),
    ...(atLeast === undefined ? {} : { atLeast }),
  }));
  job<Input>({
    name,
    work: { count: 2 * N, unit: "points" },
    setup: setup(rate),
    teardown: ({ peer }) => peer?.close(),
    entries: [
      {
        name: "align",
        run: ({ streams }) =>
          align(streams, { start: START, end, rate, tolerance: TOLERANCE, fill }).collect(),
      },
      {
        name: "plain loop",
        run: ({ streams, rows }) =>
          streams.map((stream) => loopAlign(stream, rows, TOLERANCE, fill === "linear")),
        atLeast: 1.5,
      },
      ...(hasPeers ? others : []),
    ],
    ...NOTE,
  });
}

alignJob(
  "2 × 1 M points at 60 a second to 30 rows a second, the nearest within 0.5 ms",
  30,
  "none",
  [
    ["pandas 3.1.1 merge_asof", "pandas", 2],
    ["polars 2.1.0 join_asof", "polars"],
  ],
);

alignJob("2 × 1 M points at 60 a second to 50 rows a second, on the line between", 50, "linear", [
  ["NumPy 2.4.6 interp", "numpy"],
]);
