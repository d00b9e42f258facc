/**
 * Every call of SQLite fails once, each in a run of its own: what was asked for either happens wholly
 * or is refused with a clear error, and afterwards everything works. All of them instead of a sample:
 *
 *     ENGINE_FAULT_EVERY=1 deno test -A tests/reliability/engine_fault_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { concatRaw } from "../../src/core/columns.ts";
import { BTrDBError } from "../../src/core/errors.ts";
import { type Engine, openEngine, verify } from "../../src/engine/mod.ts";
import { type Point, StreamModel } from "../support/engine_model.ts";
import { FaultPlan, FAULTS } from "../support/faulty_sqlite.ts";

const EVERY = Number(Deno.env.get("ENGINE_FAULT_EVERY") ?? 9);

const uuid = new Uint8Array(16).fill(9);
const other = new Uint8Array(16).fill(10);
const names = { tags: new Map(), annotations: new Map() };

function points(base: number, n: number): Point[] {
  return Array.from({ length: n }, (_, i) => ({ time: BigInt(base + 3 * i), value: base + i }));
}

async function insert(engine: Engine, list: Point[]): Promise<void> {
  const columns = {
    times: BigInt64Array.from(list, ({ time }) => time),
    values: Float64Array.from(list, ({ value }) => value),
  };
  await engine.insert({ uuid, columns });
}

interface Step {
  run(engine: Engine): Promise<unknown>;
  apply?(model: StreamModel): void;
}

const inserting = (base: number, n: number): Step => ({
  run: (engine) => insert(engine, points(base, n)),
  apply: (model) => model.insert(points(base, n), "never"),
});

/** A life of a stream with every kind of write and read in it. */
const STEPS: Step[] = [
  inserting(0, 20),
  { run: (engine) => engine.flush(uuid), apply: (model) => model.flush() },
  inserting(1, 1500),
  inserting(-500, 3),
  {
    run: (engine) => engine.deleteRange({ uuid, start: 100n, end: 900n }),
    apply: (model) => model.deleteRange(100n, 900n),
  },
  { run: (engine) => engine.create({ uuid: other, collection: "other", ...names }) },
  inserting(7, 33_000),
  { run: (engine) => Array.fromAsync(engine.windows({ ...all(0n), width: 1000n, depth: 0 })) },
  { run: (engine) => engine.nearest({ uuid, time: 50n, version: 12n, backward: true }) },
  { run: (engine) => Array.fromAsync(engine.changes({ uuid, from: 11n, to: 0n, resolution: 3 })) },
  {
    run: (engine) =>
      engine.setAnnotations({
        uuid,
        expected: 1n,
        changes: new Map([["a", "b"]]),
        removals: [],
      }),
  },
  inserting(11, 10),
  { run: (engine) => engine.prune(uuid, 12n), apply: (model) => model.prune(12) },
  { run: (engine) => engine.obliterate(other) },
  inserting(13, 10),
];

function all(version: bigint): { uuid: Uint8Array; start: bigint; end: bigint; version: bigint } {
  return { uuid, start: -1000n, end: 200_000n, version };
}

async function assertModel(engine: Engine, model: StreamModel): Promise<void> {
  const { version } = await engine.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
  assertEquals(version, { major: BigInt(model.major), minor: BigInt(model.buffer.length) });
  for (const major of [0, ...model.versions.keys()]) {
    const chunks = await Array.fromAsync(engine.rawValues(all(BigInt(major))));
    const { times, values } = concatRaw(chunks.map((chunk) => chunk.columns));
    const actual = Array.from(times, (time, i) => ({ time, value: values[i]! }));
    const expected = model.points(major);
    assertEquals(actual.length, expected.length, `points of version ${major}`);
    assert(
      expected.every(({ time, value }, i) =>
        actual[i]!.time === time && actual[i]!.value === value
      ),
      `points of version ${major}`,
    );
  }
}

function assertClear(error: unknown, fault: number): void {
  assert(error instanceof BTrDBError, `${error}`);
  // Statements that need what a failed one should have made say so with codes of their own.
  if (error.code !== 0) return;
  assertEquals(error.status, FAULTS[fault]!.status);
  assert(error.message.startsWith("Cannot use "), error.message);
}

/** Does all steps, the plan's failure among them; a step that failed once is done again. */
async function live(engine: Engine, model: StreamModel, plan: FaultPlan): Promise<void> {
  for (const step of STEPS) {
    const before = plan.hit;
    try {
      await step.run(engine);
    } catch (error) {
      assert(plan.hit && !before, `${error}`);
      assertClear(error, plan.fault);
      plan.active = false;
      await assertModel(engine, model);
      plan.active = true;
      await step.run(engine);
    }
    step.apply?.(model);
  }
}

async function withPlan(path: string, plan: FaultPlan): Promise<void> {
  const open = () =>
    openEngine({ path, durability: "relaxed", cacheBytes: 40_000, openDatabase: plan.open });
  let engine: Engine;
  try {
    engine = await open();
  } catch (error) {
    assertClear(error, plan.fault);
    engine = await open();
  }
  const model = new StreamModel();
  try {
    await engine.create({ uuid, collection: "faults", ...names }).catch((error) => {
      assertClear(error, plan.fault);
      return engine.create({ uuid, collection: "faults", ...names });
    });
    await live(engine, model, plan);
    plan.active = false;
    await assertModel(engine, model);
  } finally {
    await engine.close();
  }
  await using again = await openEngine({ path });
  await assertModel(again, model);
  assertEquals((await verify(path)).problems, []);
}

async function remove(path: string): Promise<void> {
  for (const suffix of ["", "-wal", "-shm", "-lock"]) {
    await Deno.remove(path + suffix).catch(() => {});
  }
}

// Among them the first call after the file says that its log is there: SQLite removed the log when that
// open failed, and the file could not be opened any more until somebody put an empty log beside it.
Deno.test("openEngine: a failing call of SQLite does no harm, whichever it is", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/faults.btrdb`;
  try {
    const dry = new FaultPlan();
    await withPlan(path, dry);
    assert(dry.calls > 300, `${dry.calls} calls`);
    for (let at = 0; at < dry.calls; at += EVERY) {
      await remove(path);
      const plan = new FaultPlan();
      plan.failAt = at;
      plan.fault = at % FAULTS.length;
      await withPlan(path, plan);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("openEngine: a full disk refuses what does not fit and keeps what is there", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/full.btrdb`;
  try {
    const plan = new FaultPlan();
    const engine = await openEngine({
      path,
      openDatabase: (name, options) => {
        const db = plan.open(name, options);
        db.exec("PRAGMA page_size = 16384");
        db.exec("PRAGMA max_page_count = 60");
        return db;
      },
    });
    const model = new StreamModel();
    await engine.create({ uuid, collection: "full", ...names });
    let refused = 0;
    for (let i = 0; i < 40; i++) {
      const list = points(i, 3000).map(({ time }, k) => ({ time, value: Math.sin(k) }));
      try {
        await insert(engine, list);
        model.insert(list, "never");
      } catch (error) {
        refused++;
        assert(error instanceof BTrDBError);
        assertEquals(error.status, "DISK_FULL");
      }
    }
    assert(refused > 0 && model.buffer.length + model.committed.length > 0);
    await assertModel(engine, model);
    await engine.close();
    await using again = await openEngine({ path });
    await assertModel(again, model);
    await insert(again, points(5, 10));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
