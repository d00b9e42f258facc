/**
 * Random histories of one stream, each step compared with the plain model. More and longer ones:
 *
 *     ENGINE_MODEL_RUNS=5000 ENGINE_MODEL_SEED=1 deno test -A tests/property/engine_model_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { concatRaw, concatStat, type StatColumns } from "../../src/core/columns.ts";
import type { MergePolicy } from "../../src/endpoint/endpoint.ts";
import type { Engine } from "../../src/engine/mod.ts";
import { openEngine, verify } from "../../src/engine/mod.ts";
import { LATE_LIMITS, type LateLimits } from "../../src/engine/tree/late_plan.ts";
import { type Point, StreamModel, type Window } from "../support/engine_model.ts";
import { lateLimits } from "../support/late_limits.ts";
import { Random } from "../support/random.ts";

const RUNS = Number(Deno.env.get("ENGINE_MODEL_RUNS") ?? 600);
const SEED = Number(Deno.env.get("ENGINE_MODEL_SEED") ?? Date.now() % 2 ** 31);

const uuid = new Uint8Array(16).fill(3);
const decoy = new Uint8Array(16).fill(4);
const MIN = -(2n ** 60n), MAX = 3n * 2n ** 60n;

/** The present, after all times. */
const NOW_MS = Number(MAX / 1_000_000n) + 2000;

interface Real {
  engine: Engine;
  path: string | undefined;
  limits: LateLimits;
  /** Inserts since the version `major` was made, at most. */
  inserts: number;
  major: number;
}

type Command = fc.AsyncCommand<StreamModel, Real>;

/** An engine that keeps only the streams in memory that were asked for last. */
function openModelled(path: string | undefined, lateLimits: LateLimits): Promise<Engine> {
  const durability = "relaxed";
  const options = { path, durability, cacheStreams: 0, lateLimits, now: () => NOW_MS } as const;
  return openEngine({ ...options, expiryTickMs: 1e9 });
}

/** A command with a name to show. */
function command(name: string, run: (model: StreamModel, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => name };
}

async function assertVersion({ engine }: Real, model: StreamModel): Promise<void> {
  const { version } = await engine.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
  assertEquals(version, { major: BigInt(model.major), minor: BigInt(model.buffer.length) });
}

// ---- changes ---------------------------------------------------------------------------------

const bases = fc.constantFrom(
  0n,
  -7n,
  MIN,
  MAX - 3000n,
  2n ** 50n * 1288n,
  1_500_000_000_000_000_000n,
  1_500_000_000_000_000_000n,
);
const steps = fc.constantFrom(
  0n,
  1n,
  2n,
  7n,
  1000n,
  8_333_333n,
  1_000_000_000n,
  2n ** 38n,
  2n ** 44n,
);
const sizes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 4, arbitrary: fc.integer({ min: 10, max: 200 }) },
  { weight: 2, arbitrary: fc.integer({ min: 900, max: 2600 }) },
);
const policies = fc.oneof(
  { weight: 6, arbitrary: fc.constant<MergePolicy>("never") },
  { weight: 1, arbitrary: fc.constantFrom<MergePolicy>("equal", "retain", "replace") },
);

/** Points as a formula: base, step, repeats, and a fixed shuffle. */
function batch(base: bigint, step: bigint, n: number, repeat: number, stride: number): Point[] {
  const points: Point[] = [];
  for (let i = 0; i < n; i++) {
    const k = (i * stride) % n;
    const time = base + BigInt(Math.floor(k / repeat)) * step;
    if (time < MAX - 1n) points.push({ time, value: (i * 7919) % 1009 - 500 });
  }
  return points;
}

const inserts = fc.tuple(
  bases,
  fc.bigInt(0n, 40n),
  steps,
  sizes,
  fc.constantFrom(1, 1, 1, 2, 5),
  fc.constantFrom(1, 1, 7, 13),
  policies,
).map(([base, shift, step, size, repeat, stride, policy]) => {
  // The plain model looks for equal times point by point.
  const n = policy === "never" ? size : Math.min(size, 60);
  const points = batch(base + shift, step, n, repeat, stride);
  return command(
    `insert(${base + shift}, step ${step}, n ${n}, ${repeat}, ${stride}, ${policy})`,
    async (model, real) => {
      const version = await real.engine.insert({
        uuid,
        columns: {
          times: BigInt64Array.from(points, ({ time }) => time),
          values: Float64Array.from(points, ({ value }) => value),
        },
        mergePolicy: policy,
      });
      model.insert(points, policy);
      real.inserts = model.major === real.major ? real.inserts + 1 : 1;
      real.major = model.major;
      assertEquals(version, { major: BigInt(model.major), minor: BigInt(model.buffer.length) });
    },
  );
});

const flushes = fc.constant(command("flush", async (model, real) => {
  const version = await real.engine.flush(uuid);
  model.flush();
  assertEquals(version, { major: BigInt(model.major), minor: 0n });
}));

/** A time near a stored point: its index as a share, and how far beside it. */
const places = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.bigInt(-2n, 2n), steps);

function placeIn(points: Point[], [share, beside, step]: [number, bigint, bigint]): bigint {
  const point = points[Math.floor(share * (points.length - 1))];
  const time = (point?.time ?? 0n) + beside * (step === 0n ? 1n : step);
  return time < MIN ? MIN : time >= MAX - 1n ? MAX - 2n : time;
}

function rangeIn(
  points: Point[],
  a: [number, bigint, bigint],
  b: [number, bigint, bigint],
): [bigint, bigint] {
  const [x, y] = [placeIn(points, a), placeIn(points, b)];
  return x < y ? [x, y] : [y, x + 1n];
}

/** Points here and there among those that are stored, and a flush. */
const scattered = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.bigInt(0n, 9n)).map((
  [n, seed, beside],
) =>
  command(`scattered(${n}, ${seed}, ${beside})`, async (model, real) => {
    const stored = model.points(0);
    if (stored.length === 0) return;
    const random = new Random(seed);
    const points = Array.from({ length: n }, (_, i) => {
      const time = random.pick(stored).time + beside;
      return { time: time >= MAX - 1n ? MAX - 2n : time, value: (i * 7919) % 1009 - 500 };
    });
    const columns = {
      times: BigInt64Array.from(points, ({ time }) => time),
      values: Float64Array.from(points, ({ value }) => value),
    };
    await real.engine.insert({ uuid, columns });
    model.insert(points, "never");
    const version = await real.engine.flush(uuid);
    model.flush();
    assertEquals(version, { major: BigInt(model.major), minor: 0n });
  })
);

const deletes = fc.tuple(places, places).map(([a, b]) =>
  command("delete", async (model, real) => {
    const [start, end] = rangeIn(model.points(0), a, b);
    const version = await real.engine.deleteRange({ uuid, start, end });
    model.deleteRange(start, end);
    assertEquals(version, { major: BigInt(model.major), minor: 0n });
  })
);

const reopens = fc.constant(command("reopen", async (model, real) => {
  if (real.path === undefined) return;
  await real.engine.close();
  real.engine = await openModelled(real.path, real.limits);
  await assertVersion(real, model);
}));

const prunes = fc.double({ min: 0, max: 1, noNaN: true }).map((share) =>
  command("prune", async (model, real) => {
    const keep = 11 + Math.floor(share * (model.major - 10));
    if (keep > model.major) return;
    await real.engine.prune(uuid, BigInt(keep));
    model.prune(keep);
  })
);

const expiries = places.map((place) =>
  command("expire", async (model, { engine }) => {
    const cutoff = placeIn(model.points(0), place);
    await engine.setRetention("m", BigInt(NOW_MS) * 1_000_000n - cutoff);
    const counted = await engine.expire({ dryRun: true });
    const { points } = await engine.expire();
    assertEquals(points, BigInt(model.expire(cutoff)));
    assertEquals(counted.points, points);
    await engine.setRetention("m", undefined);
  })
);

/** Other streams are written until this one has been forgotten, which commits long buffers. */
const others = fc.constant(command("others", async (model, { engine, inserts, major }) => {
  if (inserts > 16 && major === model.major) return;
  for (let i = 0; i < 3; i++) {
    const columns = { times: BigInt64Array.of(BigInt(i)), values: Float64Array.of(i) };
    await engine.insert({ uuid: decoy, columns });
  }
}));

// ---- queries ---------------------------------------------------------------------------------

/** A version to ask for: mostly the latest, else any that is left. */
const versions = fc.oneof(fc.constant(-1), fc.double({ min: 0, max: 1, noNaN: true }));

function versionIn(model: StreamModel, share: number): number {
  const kept = [...model.versions.keys()];
  return share < 0 || kept.length === 0 ? 0 : kept[Math.floor(share * (kept.length - 1))]!;
}

const chunks = fc.constantFrom(undefined, Infinity);

const raws = fc.tuple(versions, places, places, chunks).map(([share, a, b, chunk]) =>
  command("raw", async (model, { engine }) => {
    const version = versionIn(model, share);
    const points = model.points(version);
    const [start, end] = rangeIn(points, a, b);
    const chunks = await Array.fromAsync(
      engine.rawValues({ uuid, start, end, version: BigInt(version), chunk }),
    );
    const { times, values } = concatRaw(chunks.map((chunk) => chunk.columns));
    assertEquals(
      Array.from(times, (time, i) => ({ time, value: values[i]! })),
      points.filter(({ time }) => time >= start && time < end),
    );
  })
);

function assertWindows(actual: StatColumns, expected: Window[]): void {
  assertEquals([...actual.times], expected.map(({ time }) => time));
  for (const [i, window] of expected.entries()) {
    assertEquals(actual.count[i], BigInt(window.count), `count of ${window.time}`);
    assertEquals(actual.min[i], window.min, `min of ${window.time}`);
    assertEquals(actual.max[i], window.max, `max of ${window.time}`);
    assert(Math.abs(actual.mean[i]! - window.mean) < 1e-9, `mean of ${window.time}`);
    assert(Math.abs(actual.stddev![i]! - window.stddev) < 1e-6, `stddev of ${window.time}`);
  }
}

const aligned = fc.tuple(versions, places, places, fc.integer({ min: 0, max: 60 })).map((
  [share, a, b, pointwidth],
) =>
  command(`aligned(${pointwidth})`, async (model, { engine }) => {
    const version = versionIn(model, share);
    const [start, end] = rangeIn(model.points(version), a, b);
    const bits = BigInt(pointwidth);
    const [from, to] = [(start >> bits) << bits, (end >> bits) << bits];
    if (from < MIN || from >= to - 1n) return;
    const source = engine.alignedWindows({
      uuid,
      start,
      end,
      version: BigInt(version),
      pointwidth,
    });
    const columns = concatStat((await Array.fromAsync(source)).map((chunk) => chunk.columns));
    assertWindows(columns, model.windows(version, from, to, 1n << bits, false));
  })
);

const windows = fc.tuple(versions, places, places, fc.integer({ min: 1, max: 300 })).map((
  [share, a, b, n],
) =>
  command(`windows(${n})`, async (model, { engine }) => {
    const version = versionIn(model, share);
    const [start, end] = rangeIn(model.points(version), a, b);
    const width = (end - start) / BigInt(n) + 1n;
    const last = end - (end - start) % width;
    if (last === start) return;
    const request = { uuid, start, end, version: BigInt(version), width, depth: 0 };
    const columns = concatStat(
      (await Array.fromAsync(engine.windows(request))).map((c) => c.columns),
    );
    assertWindows(columns, model.windows(version, start, last, width, true));
  })
);

const nearests = fc.tuple(versions, places, fc.boolean()).map(([share, place, backward]) =>
  command("nearest", async (model, { engine }) => {
    const version = versionIn(model, share);
    const time = placeIn(model.points(version), place);
    const found = await engine.nearest({ uuid, time, version: BigInt(version), backward })
      .then(({ point }) => point, (error) => {
        assertEquals(error.code, 401);
        return undefined;
      });
    assertEquals(found, model.nearest(version, time, backward));
  })
);

/** Points of one multiset that the other lacks. */
function lost(a: Point[], b: Point[]): Point[] {
  const counts = new Map<string, number>();
  for (const { time, value } of b) {
    const key = `${time} ${value}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return a.filter(({ time, value }) => {
    const left = counts.get(`${time} ${value}`) ?? 0;
    counts.set(`${time} ${value}`, left - 1);
    return left <= 0;
  });
}

const changes = fc.tuple(versions, versions, fc.integer({ min: 0, max: 63 })).map((
  [a, b, resolution],
) =>
  command("changes", async (model, { engine }) => {
    const [x, y] = [versionIn(model, Math.abs(a)), versionIn(model, b)];
    const [from, to] = y === 0 || x <= y ? [x, y] : [y, x];
    if (from === 0) return;
    const request = { uuid, from: BigInt(from), to: BigInt(to), resolution };
    const ranges = (await Array.fromAsync(engine.changes(request))).flatMap(({ starts, ends }) =>
      Array.from(starts, (start, i) => [start, ends[i]!] as const)
    );
    const [before, after] = [model.points(from), model.points(to)];
    // As on the real server, a node that was emptied and made anew has forgotten what it lost; so
    // over more than one commit only what was gained is certain to be reported.
    const oneCommit = (to === 0 ? model.major : to) <= from + 1;
    for (const { time } of [...lost(after, before), ...oneCommit ? lost(before, after) : []]) {
      assert(ranges.some(([start, end]) => time >= start && time < end), `${time} has changed`);
    }
    for (const [start, end] of ranges) assert(start < end);
  })
);

/** Limits of late points: mostly such that there are any. */
const limits = fc.oneof(
  { weight: 3, arbitrary: lateLimits },
  { weight: 1, arbitrary: fc.constant(LATE_LIMITS) },
);

const commands = fc.commands(
  [
    inserts,
    inserts,
    scattered,
    flushes,
    deletes,
    reopens,
    prunes,
    expiries,
    others,
    raws,
    aligned,
    windows,
    nearests,
    changes,
  ],
  { maxCommands: 40, size: "max" },
);

async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ["", "-wal", "-shm", "-lock"]) {
    await Deno.remove(path + suffix).catch(() => {});
  }
}

async function check(
  commandList: Iterable<Command>,
  limits: LateLimits,
  path: string | undefined,
): Promise<void> {
  const engine = await openModelled(path, limits);
  const real = { engine, path, limits, inserts: 0, major: 0 };
  const none = { tags: new Map(), annotations: new Map() };
  try {
    await real.engine.create({ uuid, collection: "m", ...none });
    await real.engine.create({ uuid: decoy, collection: "decoy", ...none });
    await fc.asyncModelRun(() => ({ model: new StreamModel(), real }), commandList);
  } finally {
    await real.engine.close();
  }
  if (path === undefined) return;
  const report = await verify(path);
  assertEquals(report.problems, []);
}

Deno.test("openEngine: any history in memory answers as the plain model", async () => {
  await fc.assert(
    fc.asyncProperty(commands, limits, (list, limits) => check(list, limits, undefined)),
    { numRuns: RUNS, seed: SEED },
  );
});

Deno.test("openEngine: any history in a file that is closed and opened again answers as the plain model", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/model.btrdb`;
  try {
    await fc.assert(
      fc.asyncProperty(commands, limits, async (list, limits) => {
        await removeDatabase(path);
        await check(list, limits, path);
      }),
      { numRuns: Math.ceil(RUNS / 2), seed: SEED },
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
