/** Windows of raw points and of windows, beside data frames, SQL and plain JavaScript. */

import { sliceRaw, type StatColumns } from "../src/core/columns.ts";
import { alignedRewindow, reducePixels, rewindow } from "../src/kernel/mod.ts";
import { samples, START, STEP, windows } from "./support/data.ts";
import { job } from "./support/job.ts";
import { missing, peer } from "./support/peers.ts";

const N = 10_000_000;
/** 120 points a window: 83,333 windows and a rest. */
const WIDTH = STEP * 120n;
const END = START + STEP * BigInt(N);

const polars = peer("nodejs-polars");
const duckdb = peer("@duckdb/node-api");

/** A table of the points, made from whole numbers exactly as `samples` has the times. */
async function duckTable() {
  const db = await (await duckdb.DuckDBInstance.create(":memory:", { threads: "1" })).connect();
  await db.run(`CREATE TABLE points AS SELECT ${START} + i * ${STEP} AS t,
    230 + 5 * sin(i / 50.0) + ((i * 2654435761) % 4294967296) / 4294967296.0 AS v
    FROM range(${N}) AS r(i)`);
  return db;
}

const DUCK_WINDOWS = `SELECT (t - ${START}) // ${WIDTH} AS w, min(v), avg(v), max(v), count(v),
  stddev_pop(v) FROM points GROUP BY w ORDER BY w`;

/** Windows of a data frame with a column of times in ns. */
// deno-lint-ignore no-explicit-any -- a module without types here
function polarsWindows(frame: any) {
  const v = polars.col("v");
  return frame.groupByDynamic({ indexColumn: "t", every: `${WIDTH}i`, period: `${WIDTH}i` }).agg(
    v.min().alias("min"),
    v.mean().alias("mean"),
    v.max().alias("max"),
    v.count().alias("count"),
    v.std().alias("stddev"),
  );
}

job({
  name: "re-window 10 M points to 83 k windows with stddev",
  work: { count: N, unit: "points" },
  setup: async () => {
    const columns = samples(N);
    return {
      columns,
      frame: polars === undefined ? undefined : polars.DataFrame([
        polars.Series("t", columns.times, polars.Int64),
        polars.Series("v", columns.values, polars.Float64),
      ]),
      db: duckdb === undefined ? undefined : await duckTable(),
    };
  },
  teardown: ({ db }) => db?.closeSync(),
  entries: [
    {
      name: "kernel",
      run: ({ columns }) =>
        rewindow(columns, { start: START, end: END, width: WIDTH, stddev: true }),
    },
    ...(polars === undefined
      ? []
      : [{ name: "polars groupByDynamic", run: polarsRun, atLeast: 3 }]),
    ...(duckdb === undefined
      ? []
      : [{ name: "DuckDB GROUP BY, 1 thread", run: duckRun, atLeast: 18 }]),
    { name: "plain JavaScript", run: ({ columns }) => plainWindows(columns.times, columns.values) },
    {
      name: "memcpy of the input",
      run: ({ columns }) => copyThrough(columns.times, columns.values),
    },
  ],
  ...(polars === undefined || duckdb === undefined
    ? {
      note: missing([
        ...(polars ? [] : ["nodejs-polars"]),
        ...(duckdb ? [] : ["@duckdb/node-api"]),
      ]),
    }
    : {}),
});

// deno-lint-ignore no-explicit-any -- as above
function polarsRun({ frame }: { frame: any }): unknown {
  return polarsWindows(frame);
}

// deno-lint-ignore no-explicit-any -- as above
function duckRun({ db }: { db: any }): unknown {
  return db.run(DUCK_WINDOWS);
}

/** Copies 64 K elements at a time to the same place, as the kernel must. */
function copyThrough(times: BigInt64Array, values: Float64Array): void {
  for (let at = 0; at < times.length; at += 65_536) {
    SCRATCH_TIMES.set(times.subarray(at, at + 65_536));
    SCRATCH_VALUES.set(values.subarray(at, at + 65_536));
  }
}

const SCRATCH_TIMES = new BigInt64Array(65_536);
const SCRATCH_VALUES = new Float64Array(65_536);

/** The obvious way without a library: one pass over typed arrays with Welford's update. */
function plainWindows(times: BigInt64Array, values: Float64Array): StatColumns {
  const rows = Number(STEP * BigInt(times.length) / WIDTH);
  const out: Required<StatColumns> = {
    times: new BigInt64Array(rows),
    min: new Float64Array(rows).fill(Infinity),
    mean: new Float64Array(rows),
    max: new Float64Array(rows).fill(-Infinity),
    count: new BigUint64Array(rows),
    stddev: new Float64Array(rows),
  };
  let row = 0, end = START + WIDTH, n = 0, mean = 0, squares = 0;
  for (let i = 0; i < times.length && row < rows; i++) {
    if (times[i]! >= end) {
      out.times[row] = end - WIDTH;
      out.mean[row] = mean;
      out.count[row] = BigInt(n);
      out.stddev[row] = Math.sqrt(squares / n);
      row++;
      end += WIDTH;
      n = mean = squares = 0;
    }
    const value = values[i]!;
    if (value < out.min[row]!) out.min[row] = value;
    if (value > out.max[row]!) out.max[row] = value;
    n++;
    const distance = value - mean;
    mean += distance / n;
    squares += distance * (value - mean);
  }
  return out;
}

job({
  name: "re-window 10 M points to 833 k windows of 12, without stddev",
  work: { count: N, unit: "points" },
  setup: () => samples(N),
  entries: [
    {
      name: "kernel",
      run: (columns) => rewindow(columns, { start: START, end: END, width: STEP * 12n }),
    },
    { name: "memcpy of the input", run: ({ times, values }) => copyThrough(times, values) },
  ],
});

job({
  name: "aligned windows of 2^36 ns of 10 M points",
  work: { count: N, unit: "points" },
  setup: () => samples(N),
  entries: [
    { name: "kernel", run: (columns) => alignedRewindow(columns, { pointwidth: 36 }) },
    { name: "memcpy of the input", run: ({ times, values }) => copyThrough(times, values) },
  ],
});

const FINE = 1_000_000;
const FINE_WIDTH = STEP * 12n;
const FINE_END = START + FINE_WIDTH * BigInt(FINE);

job({
  name: "combine 1 M windows to 16 k, with stddev",
  work: { count: FINE, unit: "windows" },
  setup: () => windows(FINE),
  entries: [
    {
      name: "kernel",
      run: (columns) =>
        rewindow(columns, { start: START, end: FINE_END, width: FINE_WIDTH * 60n, stddev: true }),
    },
    { name: "plain JavaScript", run: (columns) => plainCombine(columns), atLeast: 4 },
    {
      name: "memcpy of the input",
      run: (c) => {
        copyThrough(c.times, c.min);
        copyThrough(c.times, c.mean);
        copyThrough(c.times, c.max);
      },
    },
  ],
});

/** The obvious way without a library. */
function plainCombine({ times, min, mean, max, count, stddev }: StatColumns): StatColumns {
  const width = FINE_WIDTH * 60n;
  const rows = Number((FINE_END - START) / width);
  const out: Required<StatColumns> = {
    times: new BigInt64Array(rows),
    min: new Float64Array(rows),
    mean: new Float64Array(rows),
    max: new Float64Array(rows),
    count: new BigUint64Array(rows),
    stddev: new Float64Array(rows),
  };
  let row = 0, end = START + width, total = 0, center = 0, squares = 0;
  let low = Infinity, high = -Infinity;
  for (let i = 0; i <= times.length; i++) {
    if (i === times.length || times[i]! >= end) {
      if (row === rows) break;
      out.times[row] = end - width;
      out.min[row] = low;
      out.mean[row] = center;
      out.max[row] = high;
      out.count[row] = BigInt(total);
      out.stddev[row] = Math.sqrt(squares / total);
      row++;
      end += width;
      total = center = squares = 0;
      low = Infinity;
      high = -Infinity;
      if (i === times.length) break;
    }
    const n = Number(count[i]!);
    if (n === 0) continue;
    if (min[i]! < low) low = min[i]!;
    if (max[i]! > high) high = max[i]!;
    const distance = mean[i]! - center;
    total += n;
    center += distance * n / total;
    squares += n * stddev![i]! * stddev![i]! + n * distance * (mean[i]! - center);
  }
  return out;
}

job({
  name: "reduce 10 M points to 2,000 pixels",
  work: { count: N, unit: "points" },
  setup: () => samples(N),
  entries: [
    {
      name: "kernel",
      run: (columns) => reducePixels(columns, { start: START, end: END, pixels: 2000 }),
    },
    { name: "memcpy of the input", run: ({ times, values }) => copyThrough(times, values) },
  ],
});

job({
  name: "re-window 5,000 points to 42 windows with stddev",
  work: { count: 5_000, unit: "points" },
  setup: () => sliceRaw(samples(5_000), 0, 5_000),
  entries: [{
    name: "kernel",
    run: (columns) =>
      rewindow(columns, { start: START, end: START + STEP * 5_000n, width: WIDTH, stddev: true }),
  }, { name: "plain JavaScript", run: ({ times, values }) => plainWindows(times, values) }],
});
