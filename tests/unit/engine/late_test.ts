import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { RawColumns } from "../../../src/core/columns.ts";
import { type Engine, openEngine, verify } from "../../../src/engine/mod.ts";
import type { LateLimits } from "../../../src/engine/tree/late_plan.ts";
import { pointsOf } from "../../support/engine.ts";
import { EAGER_LATE, NO_LATE_LIMITS } from "../../support/late_limits.ts";
import { Random } from "../../support/random.ts";

const uuid = new Uint8Array(16).fill(5);

/** Width of the leaves below. */
const LEAF = 1n << 32n;

async function create(engine: Engine): Promise<void> {
  await engine.create({ uuid, collection: "late", tags: new Map(), annotations: new Map() });
}

/** Inserts points with the given times, and makes a version of them. */
async function commit(engine: Engine, times: Iterable<bigint>): Promise<void> {
  const columns = { times: BigInt64Array.from(times), values: new Float64Array(0) };
  columns.values = Float64Array.from(columns.times, (time) => Number(time % 1009n));
  await engine.insert({ uuid, columns });
  await engine.flush(uuid);
}

function* spread(n: number, first: bigint, step: bigint): Generator<bigint> {
  for (let i = 0; i < n; i++) yield first + BigInt(i) * step;
}

/** Changes since every version, at all depths. */
async function changesOf(engine: Engine, versions: number): Promise<string[]> {
  const found: string[] = [];
  for (let from = 11; from < 11 + versions; from++) {
    for (const resolution of [0, 20, 26, 32, 38]) {
      const request = { uuid, from: BigInt(from), to: 0n, resolution };
      for await (const { starts, ends } of engine.changes(request)) {
        for (const [i, start] of starts.entries()) {
          found.push(`${from} ${resolution}: ${start} ${ends[i]}`);
        }
      }
    }
  }
  return found;
}

Deno.test("changes: late points split a leaf with the version that makes it too full, to the point", async () => {
  const keep: LateLimits = { ...EAGER_LATE, least: 1e6, most: 1e6, batch: Infinity };
  const sizes = [[23, 1, 1], [24, 1, 1], [25, 1, 1], [1, 23, 2], [1, 24, 2], [10, 10, 40]];
  for (const [a, b, c] of [...sizes, [1, 1023, 3], [1, 1024, 3]]) {
    const answers = [];
    for (const lateLimits of [keep, NO_LATE_LIMITS]) {
      await using engine = await openEngine({ lateLimits });
      await create(engine);
      // Ten leaves of 1,000 points.
      await commit(engine, spread(10_000, 0n, LEAF / 1000n));
      // In three places of one leaf, so that what each version touches can be told apart.
      await commit(engine, spread(a!, 3n * LEAF + 1n, 1000n));
      await commit(engine, spread(b!, 3n * LEAF + LEAF / 2n, 1000n));
      await commit(engine, spread(c!, 3n * LEAF + LEAF / 4n * 3n, 1000n));
      answers.push(await changesOf(engine, 4));
    }
    assertEquals(answers[0], answers[1], `${a}, ${b}, ${c} points`);
  }
});

/** Makes a day at 10 Hz, then points late by up to a day in several commits; bytes these took. */
async function bytesOfLate(path: string, lateLimits?: LateLimits): Promise<number> {
  await using engine = await openEngine({ path, durability: "relaxed", lateLimits });
  await create(engine);
  await commit(engine, spread(864_000, 0n, 100_000_000n));
  const db = new DatabaseSync(path, { readOnly: true });
  const bytes = () => Number(db.prepare("SELECT sum(length(data)) AS n FROM block").get()!["n"]);
  const before = bytes();
  const random = new Random(1);
  for (let i = 0; i < 8; i++) {
    await commit(
      engine,
      Array.from({ length: 500 }, () => BigInt(random.int(0, 863_999)) * 100_000_000n + 7n),
    );
  }
  const after = bytes();
  db.close();
  return after - before;
}

Deno.test("insert: points late by up to a day take a twentieth of the bytes of rewritten leaves", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const late = await bytesOfLate(`${directory}/late.btrdb`);
    const plain = await bytesOfLate(`${directory}/plain.btrdb`, NO_LATE_LIMITS);
    assert(late * 20 < plain, `${late} bytes, ${plain} without`);
    assert(late < 4000 * 40, `${late} bytes for 4,000 points`);
    for (const name of ["late", "plain"]) {
      const { problems, points } = await verify(`${directory}/${name}.btrdb`);
      assertEquals(problems, []);
      assertEquals(points, 868_000n);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("insert: late points are the engine's own, whatever the caller does with the columns", async () => {
  await using engine = await openEngine({
    lateLimits: { ...EAGER_LATE, least: 1e6, most: 1e6, batch: Infinity },
  });
  await create(engine);
  await commit(engine, spread(100_000, 0n, LEAF / 1000n));
  // So many that they do not go through the buffer, which has columns of its own.
  const columns: RawColumns = {
    times: BigInt64Array.from(spread(40_000, 3n, LEAF / 500n)),
    values: new Float64Array(40_000).fill(-1),
  };
  await engine.insert({ uuid, columns });
  columns.times.fill(0n);
  columns.values.fill(-9);
  const points = await pointsOf(engine, uuid);
  assertEquals(points.length, 140_000);
  assertEquals(points.filter(([, value]) => value === -1).length, 40_000);
});

Deno.test("rawValues: a reader beside the writer sees late points, and those of earlier versions", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/grid.btrdb`;
  try {
    await using writer = await openEngine({ path, lateLimits: EAGER_LATE });
    await create(writer);
    await commit(writer, spread(10_000, 0n, LEAF / 1000n));
    await using reader = await openEngine({ path, readOnly: true });
    for (let i = 1; i <= 30; i++) {
      await commit(writer, spread(100, BigInt(i), LEAF / 10n));
      assertEquals((await pointsOf(reader, uuid)).length, 10_000 + 100 * i);
      const version = BigInt(11 + (i >> 1));
      assertEquals((await pointsOf(reader, uuid, version)).length, 10_000 + 100 * (i >> 1));
    }
    await writer.prune(uuid, 41n);
    assertEquals((await pointsOf(reader, uuid)).length, 13_000);
    const { problems } = await verify(path);
    assertEquals(problems, []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("windows, nearest: values so large that their sums overflow are never beside the tree", async () => {
  const answers: string[] = [];
  for (const lateLimits of [EAGER_LATE, NO_LATE_LIMITS]) {
    await using engine = await openEngine({ lateLimits });
    await create(engine);
    await commit(engine, spread(10_000, 0n, LEAF / 1000n));
    await commit(engine, spread(100, 1n, LEAF / 10n));
    const columns = {
      times: BigInt64Array.from(spread(100, 2n, LEAF / 10n)),
      values: Float64Array.from({ length: 100 }, (_, i) => i % 3 === 0 ? -1.5e308 : 1.7e308),
    };
    await engine.insert({ uuid, columns });
    await engine.flush(uuid);
    const request = { uuid, start: 0n, end: 10n * LEAF, version: 0n };
    for (const pointwidth of [28, 30, 32, 35]) {
      for await (const { columns } of engine.alignedWindows({ ...request, pointwidth })) {
        const { times, mean, min, max, count, stddev } = columns;
        answers.push([times, mean, min, max, count, stddev].join(";"));
      }
    }
  }
  const half = answers.length / 2;
  assertEquals(answers.slice(0, half), answers.slice(half));
});
