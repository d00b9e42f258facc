/**
 * Random histories with late points, in an engine that keeps them beside the tree and in one that
 * puts them into it at once: every answer has to be the same. More and longer ones:
 *
 *     ENGINE_LATE_RUNS=2000 ENGINE_LATE_SEED=1 deno test -A tests/property/engine_late_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { concatRaw, concatStat, type RawColumns } from "../../src/core/columns.ts";
import type { ChangesRequest, MergePolicy } from "../../src/endpoint/endpoint.ts";
import { type Engine, openEngine, verify } from "../../src/engine/mod.ts";
import { lateLimits, NO_LATE_LIMITS } from "../support/late_limits.ts";
import { storedColumns } from "../support/stored_columns.ts";

const RUNS = Number(Deno.env.get("ENGINE_LATE_RUNS") ?? 60);
const SEED = Number(Deno.env.get("ENGINE_LATE_SEED") ?? Date.now() % 2 ** 31);

const uuid = new Uint8Array(16).fill(3);

/** A change of a stream. Times are parts of what was inserted in order so far, from 0 to 1. */
type Change =
  | { what: "append"; n: number; step: bigint }
  | {
    what: "late";
    n: number;
    from: number;
    width: number;
    isEarly: boolean;
    seed: number;
    policy: MergePolicy;
  }
  | { what: "again"; n: number; at: number; policy: MergePolicy }
  | { what: "delete"; from: number; to: number }
  | { what: "flush" };

const part = fc.integer({ min: 0, max: 4096 }).map((n) => n / 4096);
const policy = fc.oneof(
  { weight: 6, arbitrary: fc.constant<MergePolicy>("never") },
  { weight: 1, arbitrary: fc.constantFrom<MergePolicy>("equal", "retain", "replace") },
);
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("append" as const),
      n: fc.integer({ min: 1, max: 6000 }),
      step: fc.constantFrom(1n, 3n, 1000n, 8_333_333n, 1_000_000_000n, 2n ** 40n),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant("late" as const),
      n: fc.oneof(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 20, max: 600 }),
        fc.integer({ min: 600, max: 3000 }),
      ),
      from: part,
      // Mostly in few leaves, and those of the first insert, so that they get full.
      isEarly: fc.boolean(),
      width: fc.constantFrom(0.001, 0.01, 0.1, 1),
      seed: fc.nat(),
      policy,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant("again" as const),
      n: fc.integer({ min: 1, max: 40 }),
      at: part,
      policy,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant("delete" as const), from: part, to: part }),
  },
  { weight: 5, arbitrary: fc.constant({ what: "flush" as const }) },
);

/** Numbers from 0 to 1. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** The first insert of every history. */
const FIRST_POINTS = 5000n, FIRST_STEP = 8_333_333n;

/** The times of a history so far. */
class Span {
  start: bigint;
  end: bigint;
  #value = 0;
  /** End of the first insert. */
  #early: bigint;

  constructor(start: bigint) {
    this.start = this.end = start;
    this.#early = start + FIRST_POINTS * FIRST_STEP;
  }

  at(part: number, end: bigint = this.end): bigint {
    return this.start + (end - this.start) * BigInt(Math.floor(part * 2 ** 30)) / (1n << 30n);
  }

  /** The points of a change. */
  columns(change: Change): RawColumns {
    let times: BigInt64Array;
    if (change.what === "append") {
      const { end } = this;
      times = BigInt64Array.from({ length: change.n }, (_, i) => end + BigInt(i) * change.step);
      this.end = times.at(-1)! + change.step;
    } else if (change.what === "late") {
      const random = randomOf(change.seed);
      const { from } = change;
      const to = Math.min(1, from + change.width);
      times = BigInt64Array.from(
        { length: change.n },
        () => this.at(from + (to - from) * random(), change.isEarly ? this.#early : this.end),
      );
    } else if (change.what === "again") {
      times = new BigInt64Array(change.n).fill(this.at(change.at));
    } else throw new Error(change.what);
    const values = Float64Array.from(times, () => ((this.#value++ * 7919) % 1009) / 8 - 50);
    return { times, values };
  }
}

async function make(engine: Engine, start: bigint, changes: readonly Change[]): Promise<Span> {
  await engine.create({ uuid, collection: "late", tags: new Map(), annotations: new Map() });
  const span = new Span(start);
  await engine.insert({
    uuid,
    columns: span.columns({ what: "append", n: Number(FIRST_POINTS), step: FIRST_STEP }),
  });
  await engine.flush(uuid);
  for (const change of changes) {
    if (change.what === "flush") await engine.flush(uuid);
    else if (change.what === "delete") {
      const [from, to] = [span.at(change.from), span.at(change.to)];
      const [start, end] = from < to ? [from, to] : [to, from];
      await engine.deleteRange({ uuid, start, end: end + 1n });
    } else {
      const mergePolicy = "policy" in change ? change.policy : "never";
      await engine.insert({ uuid, columns: span.columns(change), mergePolicy });
    }
  }
  await engine.flush(uuid);
  return span;
}

const [MIN, MAX] = [-(2n ** 60n), 3n * 2n ** 60n - 1n];
const ALL = [MIN, MAX] as const;

async function raw(
  engine: Engine,
  version: bigint,
  [start, end]: readonly [bigint, bigint],
  chunk?: number,
): Promise<RawColumns> {
  const chunks = await Array.fromAsync(engine.rawValues({ uuid, start, end, version, chunk }));
  return concatRaw(chunks.map(({ columns }) => columns));
}

function assertSameRaw(a: RawColumns, b: RawColumns, what: string): void {
  assertEquals(a.times.length, b.times.length, what);
  for (let i = 0; i < a.times.length; i++) {
    assert(a.times[i] === b.times[i] && a.values[i] === b.values[i], `${what}: point ${i}`);
  }
}

/** Points that came as blocks in all answers. */
let inBlocks = 0;

/** Points that come as they are stored are the same, bit by bit. */
async function assertStored(
  engine: Engine,
  version: bigint,
  [start, end]: readonly [bigint, bigint],
  expected: RawColumns,
  what: string,
): Promise<void> {
  const request = { uuid, start, end, version, isLent: true, takesBlocks: true };
  const stored = await storedColumns(engine.rawValues(request));
  inBlocks += stored.inBlocks;
  const bits = ({ values }: RawColumns) => new BigUint64Array(values.slice().buffer);
  assertEquals(stored.columns.times, expected.times, what);
  assertEquals(bits(stored.columns), bits(expected), what);
}

function assertClose(a: Float64Array, b: Float64Array, scale: number, what: string): void {
  for (let i = 0; i < a.length; i++) {
    assert(Math.abs(a[i]! - b[i]!) <= scale, `${what}, window ${i}: ${a[i]} and ${b[i]}`);
  }
}

async function assertSameWindows(
  engines: readonly [Engine, Engine],
  what: string,
  ask: (engine: Engine) => AsyncIterable<{ columns: Parameters<typeof concatStat>[0][0] }>,
): Promise<void> {
  const [a, b] = await Promise.all(engines.map(async (engine) => {
    return concatStat((await Array.fromAsync(ask(engine))).map(({ columns }) => columns));
  }));
  assertEquals(a!.times, b!.times, what);
  assertEquals(a!.count, b!.count, what);
  assertEquals(a!.min, b!.min, what);
  assertEquals(a!.max, b!.max, what);
  assertClose(a!.mean, b!.mean, 1e-10, `${what}, mean`);
  // Nothing at all, as of a range that was deleted whole, has no deviations either.
  assertEquals(a!.stddev === undefined, b!.stddev === undefined, what);
  if (a!.stddev) assertClose(a!.stddev, b!.stddev!, 1e-6, `${what}, stddev`);
}

async function assertSame(engines: readonly [Engine, Engine], span: Span, random: () => number) {
  const [late, plain] = engines;
  const versions = await Promise.all(engines.map(async (engine) => {
    const request = { uuid, omitVersion: false, omitDescriptor: true };
    return (await engine.streamInfo(request)).version!;
  }));
  assertEquals(versions[0], versions[1]);
  const { major } = versions[0]!;
  for (let version = 0n; version <= major; version += version === 0n ? 11n : 1n) {
    const what = `version ${version}`;
    assertSameRaw(await raw(late, version, ALL, Infinity), await raw(plain, version, ALL), what);
    const [a, b] = [span.at(random()), span.at(random())];
    const [start, end] = a < b ? [a, b + 1n] : [b, a + 1n];
    for (const chunk of [undefined, Infinity]) {
      assertSameRaw(
        await raw(late, version, [start, end], chunk),
        await raw(plain, version, [start, end]),
        `${what}, ${start} to ${end}`,
      );
    }
    for (const range of [ALL, [start, end]] as const) {
      const expected = await raw(plain, version, range);
      for (const engine of engines) {
        await assertStored(engine, version, range, expected, `${what}, as stored`);
      }
    }
    const width = (end - start) / 37n + 1n;
    const whole = end - start - (end - start) % width;
    if (whole > 0n) {
      await assertSameWindows(
        engines,
        `${what}, windows`,
        (engine) => engine.windows({ uuid, start, end: start + whole, width, depth: 0, version }),
      );
    }
    for (
      const pointwidth of [20, 30, 33, 38, 44, 50].filter((w) =>
        (span.end - span.start) >> BigInt(w) < 20_000n
      )
    ) {
      await assertSameWindows(
        engines,
        `${what}, pointwidth ${pointwidth}`,
        (engine) => engine.alignedWindows({ uuid, start: MIN, end: MAX, pointwidth, version }),
      );
    }
    for (const backward of [true, false]) {
      const answers = await Promise.all(
        engines.map((engine) =>
          engine.nearest({ uuid, time: a, version, backward }).then(({ point }) => point, String)
        ),
      );
      assertEquals(answers[0], answers[1], what);
    }
    // Of the latest version since every one before, of the others since some.
    for (let from = 11n; from < (version === 0n ? major : version); from++) {
      if (version > 0n && random() < 0.7) continue;
      for (const resolution of [0, 20 + Math.floor(random() * 30)]) {
        const request = { uuid, from, to: version, resolution };
        const [x, y] = await Promise.all(engines.map((engine) => changesOf(engine, request)));
        assertEquals(x, y, `${what}, changes from ${from} at ${resolution}`);
      }
    }
  }
}

async function changesOf(engine: Engine, request: ChangesRequest): Promise<string[]> {
  const ranges: string[] = [];
  for await (const { starts, ends } of engine.changes(request)) {
    for (const [i, start] of starts.entries()) ranges.push(`${start} ${ends[i]}`);
  }
  return ranges;
}

/** Tells whether a file has lists of late points. */
function hasLists(path: string): boolean {
  const db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare("SELECT 1 FROM block WHERE substr(data, 5, 1) = x'03' LIMIT 1").get();
  db.close();
  return row !== undefined;
}

Deno.test("openEngine: late points beside the tree change no answer", async () => {
  const starts = fc.constantFrom(
    0n,
    -7n,
    1_500_000_000_000_000_000n,
    2n ** 50n * 1288n - 10n ** 10n,
  );
  const directory = await Deno.makeTempDir();
  let beside = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        starts,
        fc.array(change, { minLength: 10, maxLength: 50, size: "max" }),
        lateLimits,
        fc.nat(),
        async (start, changes, limits, seed) => {
          const path = `${directory}/${crypto.randomUUID()}.btrdb`;
          const open = () =>
            openEngine({ path, durability: "relaxed", lateLimits: limits, cacheBytes: 1e6 });
          const plain = await openEngine({ lateLimits: NO_LATE_LIMITS });
          let late = await open();
          try {
            const span = await make(plain, start, changes);
            await make(late, start, changes);
            await assertSame([late, plain], span, randomOf(seed));
            await late.close();
            const { problems } = await verify(path);
            assertEquals(problems, []);
            late = await open();
            await assertSame([late, plain], span, randomOf(seed));
            if (hasLists(path)) beside++;
          } finally {
            await late.close();
            await plain.close();
            for (const end of ["", "-lock"]) await Deno.remove(path + end).catch(() => {});
          }
        },
      ),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  assert(inBlocks > 0, "no points came in blocks");
  assert(beside > RUNS / 4, `late points were beside the tree in ${beside} of ${RUNS} histories`);
});
