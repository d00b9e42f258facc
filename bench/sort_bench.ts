/** Sorting points by time and cutting them into chunks, beside plain JavaScript. */

import type { RawColumns } from "../src/core/columns.ts";
import { chunkByPointwidth, isSorted, sortPoints } from "../src/kernel/mod.ts";
import { findBadPoint } from "../src/kernel/find_bad_point.ts";
import { MAX_TIME, MIN_TIME } from "../src/core/range.ts";
import { samples, shuffled } from "./support/data.ts";
import { job } from "./support/job.ts";

const N = 10_000_000;
const CHUNKS = { pointwidth: 38, maxPoints: 25_000 };

/** The obvious way without a library: sort an index, then gather. */
function indexSort({ times, values }: RawColumns): RawColumns {
  const order = new Uint32Array(times.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  order.sort((a, b) => times[a]! < times[b]! ? -1 : times[a]! > times[b]! ? 1 : a - b);
  const out: RawColumns = {
    times: new BigInt64Array(times.length),
    values: new Float64Array(times.length),
  };
  for (let i = 0; i < order.length; i++) {
    out.times[i] = times[order[i]!]!;
    out.values[i] = values[order[i]!]!;
  }
  return out;
}

job({
  name: "sort and chunk 10 M points in random order",
  work: { count: N, unit: "points" },
  setup: () => shuffled(samples(N)),
  entries: [
    { name: "kernel", run: (columns) => chunkByPointwidth(sortPoints(columns), CHUNKS) },
    {
      name: "plain JavaScript, sort of an index",
      run: (columns) => chunkByPointwidth(indexSort(columns), CHUNKS),
      atLeast: 15,
      rounds: 2,
    },
    {
      name: "BigInt64Array.toSorted of the times alone",
      run: ({ times }) => times.toSorted(),
      atLeast: 1.2,
    },
    {
      name: "memcpy of input and output",
      run: ({ times, values }) => {
        times.slice();
        values.slice();
      },
    },
  ],
  note: "the sort of the times alone neither moves the values nor is stable for them",
});

job({
  name: "sort 1 M points in random order",
  work: { count: N / 10, unit: "points" },
  setup: () => shuffled(samples(N / 10)),
  entries: [
    { name: "kernel", run: (columns) => sortPoints(columns) },
    {
      name: "plain JavaScript, sort of an index",
      run: (columns) => indexSort(columns),
      atLeast: 15,
    },
    { name: "BigInt64Array.toSorted of the times alone", run: ({ times }) => times.toSorted() },
  ],
});

job({
  name: "sort and chunk 10 M points that are in order",
  work: { count: N, unit: "points" },
  setup: () => samples(N),
  entries: [
    { name: "kernel", run: (columns) => chunkByPointwidth(sortPoints(columns), CHUNKS) },
    { name: "memcpy of the times", run: ({ times }) => times.slice() },
  ],
});

job({
  name: "check order, range and values of 10 M points",
  work: { count: N, unit: "points" },
  setup: () => samples(N),
  entries: [
    {
      name: "kernel",
      run: (columns) => {
        isSorted(columns.times);
        findBadPoint(columns, MIN_TIME, MAX_TIME);
      },
    },
    { name: "plain JavaScript", run: (columns) => plainCheck(columns) },
  ],
});

function plainCheck({ times, values }: RawColumns): number {
  let last = times[0]!;
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    if (time < last || time < MIN_TIME || time >= MAX_TIME || !Number.isFinite(values[i])) return i;
    last = time;
  }
  return -1;
}
