import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import type { RawColumns } from "../../../src/core/columns.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { pointsOfRun } from "../../../src/engine/tree/points_at.ts";
import { columnsAt, createStream } from "../../support/engine.ts";

/** Points from one time on, `each` at each time. */
function pointsFrom(start: number, n: number, each: number, value: number): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(start + Math.floor(i / each))),
    values: new Float64Array(n).fill(value),
  };
}

// A million points of a batch that replaced others were held against 500,000 late ones in one step, and what
// was found in the tree was copied in one: 13 ms of the event loop.
Deno.test("pointsOfRun: finds every point at one of the times once, in steps", () => {
  const run = pointsFrom(0, 90_000, 3, 1);
  // Times that repeat over the ends of steps, and some where nothing is.
  const times = BigInt64Array.from({ length: 100_000 }, (_, i) => BigInt(2 * Math.floor(i / 5)));
  const looking = pointsOfRun(run, times);
  let steps = 0;
  let step = looking.next();
  for (; !step.done; step = looking.next()) steps++;
  const wanted = new Set(times);
  assertEquals(step.value.times, run.times.filter((time) => wanted.has(time)));
  assertEquals(step.value.values.length, step.value.times.length);
  assertGreaterOrEqual(steps, 9);
});

for (const policy of ["retain", "equal", "replace"] as const) {
  Deno.test(`insert: ${policy} has the same outcome for long batches over long streams`, async () => {
    await using engine = await openEngine();
    const uuid = await createStream(engine);
    // In the tree, two at a time; then late ones, and some in the buffer.
    await engine.insert({ uuid, columns: pointsFrom(0, 200_000, 2, 1) });
    await engine.insert({ uuid, columns: pointsFrom(50_000, 40_000, 1, 2) });
    await engine.insert({ uuid, columns: pointsFrom(99_990, 20, 1, 3) });
    const before = await columnsAt(engine, uuid);
    const batch = pointsFrom(20_000, 180_000, 2, 4);
    batch.values.set(batch.values.map((value, i) => i % 3 === 0 ? 1 : value));
    await engine.insert({ uuid, columns: batch, mergePolicy: policy });
    assertEquals(countsOf(await columnsAt(engine, uuid)), expected(before, batch, policy));
  });
}

/** Number of points by time and value. */
function countsOf({ times, values }: RawColumns): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < times.length; i++) add(counts, times[i]!, values[i]!);
  return new Map([...counts].sort(([a], [b]) => a < b ? -1 : 1));
}

function add(counts: Map<string, number>, time: bigint, value: number): void {
  const key = `${String(time).padStart(9)} ${value}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The outcome, worked out point by point. */
function expected(
  before: RawColumns,
  batch: RawColumns,
  policy: "retain" | "equal" | "replace",
): Map<string, number> {
  const stored = new Map<bigint, number[]>();
  for (let i = 0; i < before.times.length; i++) {
    const time = before.times[i]!;
    stored.set(time, [...stored.get(time) ?? [], before.values[i]!]);
  }
  const isNew = new Set(batch.times.filter((time) => !stored.has(time)));
  for (let i = 0; i < batch.times.length; i++) {
    const time = batch.times[i]!, value = batch.values[i]!;
    const there = stored.get(time) ?? [];
    if (policy === "replace") stored.set(time, [value]);
    else if (policy === "equal" ? !there.includes(value) : isNew.delete(time)) {
      stored.set(time, [...there, value]);
    }
  }
  const counts = new Map<string, number>();
  for (const [time, values] of stored) for (const value of values) add(counts, time, value);
  return new Map([...counts].sort(([a], [b]) => a < b ? -1 : 1));
}
