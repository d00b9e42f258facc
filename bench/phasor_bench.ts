/** Phasors on columns, beside the plain loop and NumPy (from PyPI). */

import {
  type PolarColumns,
  powerOf,
  symmetricalComponents,
  toPolar,
  toRectangular,
} from "../src/analysis/phasor.ts";
import { pythonWith } from "../tests/interop/support/cache.ts";
import {
  plainPolar,
  plainPower,
  plainRectangular,
  plainSequences,
} from "../tests/support/phasor_reference.ts";
import { Random } from "../tests/support/random.ts";
import { type Entry, job } from "./support/job.ts";
import { PythonPeer } from "./support/python_peer.ts";

const N = 1_000_000;
const PACKAGES = ["numpy==2.4.6"];
const UNIT = { unit: "radians" } as const;

const hasNumpy = await pythonWith("numpy", PACKAGES).then(() => true, () => false);
const NOTE = hasNumpy ? {} : { note: "without NumPy: there is no Python here, or no package" };

interface Input {
  phases: [PolarColumns, PolarColumns, PolarColumns];
  peer: PythonPeer | undefined;
}

async function setup(): Promise<Input> {
  const random = new Random(1);
  const phases = [0, -2.1, 2.1].map((lead) => ({
    magnitude: Float64Array.from({ length: N }, () => random.next() * 7000),
    angle: Float64Array.from({ length: N }, () => lead / 2 + random.next() * 4 - 2),
  })) as Input["phases"];
  const peer = hasNumpy
    ? await PythonPeer.startScript("numpy", PACKAGES, "./numpy_phasors.py", [String(N)])
    : undefined;
  return { phases, peer };
}

function phasorJob(
  name: string,
  kernel: (phases: Input["phases"]) => unknown,
  plain: (phases: Input["phases"]) => unknown,
  atLeast: number,
  numpy: string,
): void {
  const peers: Entry<Input>[] = hasNumpy
    ? [{ name: "NumPy 2.4.6", run: ({ peer }) => peer!.run(numpy), atLeast: 1 }]
    : [];
  job<Input>({
    name,
    work: { count: N, unit: "phasors" },
    setup,
    teardown: ({ peer }) => peer?.close(),
    entries: [
      { name: "kernel", run: ({ phases }) => kernel(phases) },
      { name: "plain loop", run: ({ phases }) => plain(phases), atLeast },
      ...peers,
    ],
    ...NOTE,
  });
}

phasorJob(
  "1 M phasors to rectangular form",
  ([a]) => toRectangular(a, UNIT),
  ([a]) => plainRectangular(a, 1),
  5,
  "rectangular",
);

phasorJob(
  "1 M phasors to polar form",
  ([a]) => toPolar({ real: a.magnitude, imaginary: a.angle }, UNIT),
  ([a]) => plainPolar({ real: a.magnitude, imaginary: a.angle }, 1),
  5,
  "polar",
);

phasorJob(
  "power of 1 M pairs of phasors",
  ([a, b]) => powerOf(a, b, UNIT),
  ([a, b]) => plainPower(a, b, 1),
  5,
  "power",
);

phasorJob(
  "symmetrical components of 1 M sets of phasors",
  ([a, b, c]) => symmetricalComponents(a, b, c, UNIT),
  (phases) => plainSequences(phases, 1),
  5,
  "sequences",
);
