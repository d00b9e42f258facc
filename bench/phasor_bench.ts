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

/** Elements at a time, as the kernel takes them. */
const PIECE = 4096;

/**
 * Copies that any kernel with a memory of its own makes beside its work: inputs in, outputs out to new
 * columns, whose pages the system clears. No job can be faster. For power, with four columns in and four
 * out, they are more than an eighth of the plain loop: what is left for the sines of a fifth is too little.
 */
function copiesAlone(inputs: number, outputs: number): (phases: Input["phases"]) => unknown {
  const memory = new Float64Array((inputs + outputs) * PIECE);
  return (phases) => {
    const columns = phases.flatMap(({ magnitude, angle }) => [magnitude, angle]).slice(0, inputs);
    const results = Array.from({ length: outputs }, () => new Float64Array(N));
    for (let from = 0; from < N; from += PIECE) {
      const n = Math.min(PIECE, N - from);
      columns.forEach((column, c) => memory.set(column.subarray(from, from + n), c * PIECE));
      results.forEach((result, c) => {
        const at = (inputs + c) * PIECE;
        result.set(memory.subarray(at, at + n), from);
      });
    }
    return results;
  };
}

function phasorJob(
  name: string,
  [inputs, outputs]: readonly [number, number],
  kernel: (phases: Input["phases"]) => unknown,
  plain: (phases: Input["phases"]) => unknown,
  atLeast: number,
  numpy: string,
): void {
  const copies = copiesAlone(inputs, outputs);
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
      {
        name: "copies alone, no work",
        run: ({ phases }) => copies(phases),
      },
      ...peers,
    ],
    ...NOTE,
  });
}

phasorJob(
  "1 M phasors to rectangular form",
  [2, 2],
  ([a]) => toRectangular(a, UNIT),
  ([a]) => plainRectangular(a, 1),
  5,
  "rectangular",
);

phasorJob(
  "1 M phasors to polar form",
  [2, 2],
  ([a]) => toPolar({ real: a.magnitude, imaginary: a.angle }, UNIT),
  ([a]) => plainPolar({ real: a.magnitude, imaginary: a.angle }, 1),
  5,
  "polar",
);

phasorJob(
  "power of 1 M pairs of phasors",
  [4, 4],
  ([a, b]) => powerOf(a, b, UNIT),
  ([a, b]) => plainPower(a, b, 1),
  5,
  "power",
);

phasorJob(
  "symmetrical components of 1 M sets of phasors",
  [6, 6],
  ([a, b, c]) => symmetricalComponents(a, b, c, UNIT),
  (phases) => plainSequences(phases, 1),
  5,
  "sequences",
);
