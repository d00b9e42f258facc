/**
 * Long work in steps: the results are those of the work at once, and no step is longer than it says.
 * An insert of 51 MiB once kept the event loop of a server for 0.2 s, one of fields that nobody
 * knows for 1.9 s, and one of points with a field after each for minutes.
 */

import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { type RawColumns, sliceRaw } from "../../../src/core/columns.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { mergeRuns, mergeRunsInSteps } from "../../../src/engine/tree/merge_runs.ts";
import { roundValues } from "../../../src/engine/write/merge_policy.ts";
import { inspectPointsInSteps } from "../../../src/kernel/find_bad_point.ts";
import { sortPoints, sortPointsInSteps } from "../../../src/kernel/sort.ts";
import { LineParser } from "../../../src/kernel/line_parser.ts";
import { decodeInsert, decodeInsertInSteps, encodeInsert } from "../../../src/kernel/wire.ts";
import { Random } from "../../support/random.ts";
import { uuidOf } from "../../support/engine.ts";

const UUID = uuidOf(7);

/** The result of steps, and their number. */
function counted<T>(steps: Generator<undefined, T>): { value: T; count: number } {
  for (let count = 1;; count++) {
    const step = steps.next();
    if (step.done) return { value: step.value, count };
  }
}

/** Points at random times, of which every `same`-th is that before it. */
function randomPoints(seed: number, n: number, same = 5): RawColumns {
  const random = new Random(seed);
  const times = new BigInt64Array(n), values = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    times[i] = i % same === same - 1 ? times[i - 1]! : BigInt(random.int(0, 2 ** 31));
    values[i] = i;
  }
  return { times, values };
}

function assertSame(actual: RawColumns, expected: RawColumns): void {
  assert(actual.times.every((time, i) => time === expected.times[i]), "times");
  assert(actual.values.every((value, i) => value === expected.values[i]), "values");
  assertEquals(actual.times.length, expected.times.length);
}

const message = (columns: RawColumns): Uint8Array =>
  encodeInsert({ uuid: UUID, columns, protocol: "v5", mergePolicy: "retain" });

Deno.test("decodeInsertInSteps: 32,768 points a step", () => {
  const columns = randomPoints(1, 400_000);
  const { value, count } = counted(decodeInsertInSteps(message(columns)));
  assertSame(value.columns, columns);
  assertEquals([value.uuid, value.mergePolicy], [UUID, "retain"]);
  assert(count > 400_000 / 32_768, `${count} steps`);
});

Deno.test("decodeInsertInSteps: points that are shorter than others make room in steps", () => {
  // Without their values they have half the bytes, and without their times next to none.
  const columns = randomPoints(2, 300_000);
  columns.values.fill(0);
  columns.times.fill(0n, 150_000);
  const { value, count } = counted(decodeInsertInSteps(message(columns)));
  assertSame(value.columns, columns);
  assert(count > 300_000 / 32_768, `${count} steps`);
});

Deno.test("decodeInsertInSteps: what lies behind more points than may come is left unread", () => {
  const bytes = new Uint8Array(8 << 20);
  for (let i = 0; i < bytes.length; i += 2) bytes[i] = 0x1a; // Points of two bytes, all zero.
  const { value, count } = counted(decodeInsertInSteps(bytes, 100_000));
  assert(value.columns.times.length > 100_000);
  assertLess(value.columns.times.length, 100_000 + 32_768 + 1);
  assertLess(count, 20);
});

Deno.test("decodeInsert: very many fields beside the points are refused", () => {
  const unknown = new Uint8Array(4 << 20);
  for (let i = 0; i < unknown.length; i += 2) unknown[i] = 0x78;
  const between = new Uint8Array(16 << 20); // A point, a field, a point, a field …
  for (let i = 0; i < between.length; i += 4) {
    between[i] = 0x1a;
    between[i + 2] = 0x78;
  }
  for (const bytes of [unknown, between]) {
    const error = assertThrows(() => decodeInsert(bytes), BTrDBError, "more than 100000 fields");
    assertEquals(error.status, "INTERNAL");
  }
  // Many, but not too many, and no point is lost.
  const some = decodeInsert(between.subarray(0, 4 * 40_000));
  assertEquals(some.columns.times.length, 40_000);
});

Deno.test("decodeInsert: a point that is longer than 64 KiB is refused, one with unknown fields is not", () => {
  const point = (bytes: number) => {
    const length = [
      bytes & 127 | 128,
      bytes >> 7 & 127 | 128,
      bytes >> 14 & 127 | 128,
      bytes >> 21,
    ];
    const all = new Uint8Array(5 + bytes);
    all.set([0x1a, ...length]);
    for (let i = 5; i + 1 < all.length; i += 2) all.set([0x78, 1], i);
    return all;
  };
  assertEquals(decodeInsert(point(60_000)).columns.times.length, 1);
  assertThrows(() => decodeInsert(point(16 << 20)), BTrDBError, "a point is longer than");
});

// Points of thousands of unknown fields were read 0.6 MB a step, the first of a process for 11 to 12 ms.
Deno.test("decodeInsertInSteps: at most 128 KiB a step of points that are mostly unknown fields", () => {
  const point = new Uint8Array(3 + 12_000);
  point.set([0x1a, 12_000 & 127 | 128, 12_000 >> 7]);
  for (let i = 3; i < point.length; i += 2) point[i] = 0x78;
  const bytes = new Uint8Array(350 * point.length);
  for (let at = 0; at < bytes.length; at += point.length) bytes.set(point, at);
  const { value, count } = counted(decodeInsertInSteps(bytes));
  assertEquals(value.columns.times.length, 350);
  assert(count >= bytes.length / 131_072, `${count} steps`);
});

Deno.test("sortPointsInSteps: 131,072 points a step, in the order of sortPoints", () => {
  const columns = randomPoints(3, 600_000);
  const { value, count } = counted(sortPointsInSteps(columns));
  assertSame(value, sortPoints(columns));
  assert(value.times.every((time, i) => i === 0 || value.times[i - 1]! <= time));
  assert(count > 3 * 600_000 / 131_072, `${count} steps`);
  const inOrder = counted(sortPointsInSteps(value));
  assertEquals(inOrder.value, value);
  assert(inOrder.count > 600_000 / 131_072 - 1, `${inOrder.count} steps`);
});

Deno.test("sortPointsInSteps: points at few times keep their order", () => {
  const n = 400_000;
  const times = BigInt64Array.from({ length: n }, (_, i) => BigInt(i * 7 % 3));
  const columns = { times, values: Float64Array.from({ length: n }, (_, i) => i) };
  const { value } = counted(sortPointsInSteps(columns));
  for (let i = 1; i < n; i++) {
    if (value.times[i] === value.times[i - 1]) assertLess(value.values[i - 1]!, value.values[i]!);
    else assert(value.times[i - 1]! < value.times[i]!);
  }
});

Deno.test("mergeRunsInSteps: 16,384 points of each run a step, in the order of mergeRuns", () => {
  for (
    const [na, nb] of [[300_000, 200_000], [400_000, 10], [10, 400_000], [0, 9], [9, 0]] as const
  ) {
    const a = sortPoints(randomPoints(4, na)), b = sortPoints(randomPoints(5, nb));
    const drops = [undefined, true, a.times.filter((_, i) => i % 3 === 0)] as const;
    for (const drop of drops) {
      const { value, count } = counted(mergeRunsInSteps(a, b, drop));
      assertSame(value, mergeRuns(a, b, drop));
      assert(count > Math.max(na, nb) / 16_384 - 1, `${count} steps`);
    }
  }
});

Deno.test("mergeRunsInSteps: runs that follow one another, or are of one time", () => {
  const all = sortPoints(randomPoints(6, 400_000));
  const [first, second] = [sliceRaw(all, 0, 150_000), sliceRaw(all, 150_000, 400_000)];
  assertSame(counted(mergeRunsInSteps(first, second)).value, all);
  assertSame(counted(mergeRunsInSteps(second, first)).value, mergeRuns(second, first));
  const same = { times: new BigInt64Array(100_000), values: new Float64Array(100_000).fill(1) };
  const { value } = counted(mergeRunsInSteps(same, { ...same, values: same.values.map(() => 2) }));
  assertEquals([value.values[99_999], value.values[100_000]], [1, 2]);
});

// All points of one time were in one step: an insert of a million of them kept everybody for 12 to 35 ms
// before it was refused.
Deno.test("mergeRunsInSteps: points of one time are in several steps", () => {
  const at = (...runs: [time: bigint, points: number][]): RawColumns => {
    const n = runs.reduce((sum, [, points]) => sum + points, 0);
    const times = new BigInt64Array(n), values = Float64Array.from({ length: n }, (_, i) => i);
    let from = 0;
    for (const [time, points] of runs) times.fill(time, from, from += points);
    return { times, values };
  };
  const many = at([0n, 1_000_000]);
  for (const [a, b] of [[at([0n, 1], [5n, 200]), many], [many, at([-1n, 3], [0n, 2])]] as const) {
    const { value, count } = counted(mergeRunsInSteps(a, b));
    assertSame(value, mergeRuns(a, b));
    assert(count > 1_000_000 / 16_384, `${count} steps`);
  }
  const random = new Random(8);
  for (let round = 0; round < 6; round++) {
    const runs = () =>
      at(...Array.from({ length: 12 }, (_, i): [bigint, number] => [
        BigInt(i),
        random.int(0, 3) === 0 ? random.int(0, 90_000) : random.int(0, 3),
      ]));
    const [a, b] = [runs(), runs()];
    for (const drop of [undefined, true, BigInt64Array.of(2n, 3n, 7n, 11n)] as const) {
      const { value } = counted(mergeRunsInSteps(a, b, drop));
      const expected = mergeRuns(a, b, drop);
      assertEquals(value.times.length, expected.times.length);
      assertSame(value, expected);
    }
  }
});

Deno.test("inspectPointsInSteps: 65,536 points a step, with the index in all of them", () => {
  const columns = randomPoints(7, 300_000);
  const inspect = (points: RawColumns) => counted(inspectPointsInSteps(points, 0n, 2n ** 62n));
  const { value, count } = inspect(columns);
  assertEquals(value, { bad: undefined, isSorted: false });
  assert(count > 300_000 / 65_536 - 1);
  const sorted = sortPoints(columns);
  assertEquals(inspect(sorted).value, { bad: undefined, isSorted: true });
  for (const i of [1, 65_535, 65_536, 65_537, 299_999]) {
    const times = sorted.times.slice();
    times[i] = times[i - 1]! - 1n;
    assertEquals(inspect({ ...sorted, times }).value.isSorted, false, `point ${i}`);
  }
  columns.values[299_999] = NaN;
  columns.values[200_001] = Infinity;
  const bad = { index: 200_001, reason: "infinite" } as const;
  assertEquals(inspect(columns).value, { bad, isSorted: false });
});

Deno.test("LineParser: lines that are longer than a step are read, and strings with line feeds", () => {
  const long = `m,tag=${"x".repeat(700_000)} v=1 1\n`;
  const quoted = `m s="${"text\n".repeat(150_000)}",v=2 2\n`;
  const short = "m v=3 3\n".repeat(100_000);
  for (const text of [long, quoted, short + long + short + quoted + long]) {
    const parser = new LineParser({ unit: 1n, now: 0n });
    const batches = [...parser.push(new TextEncoder().encode(text)), ...parser.finish()];
    const points = batches.reduce((sum, { groups }) => sum + groups.length, 0);
    assertEquals(batches.flatMap(({ errors }) => errors), []);
    assertEquals(points, text.length > 2_000_000 ? 200_003 : 1);
    for (const { groups } of batches) assertLess(groups.length, (2 << 20) / 8);
  }
});

Deno.test("roundValues: 8,192 values a step", () => {
  const values = Float64Array.from({ length: 100_000 }, (_, i) => i / 3);
  const { value, count } = counted(roundValues(values, 20));
  assertEquals(value.length, 100_000);
  assertEquals(value[3], 1);
  assert(Math.abs(value[1]! - 1 / 3) < 2 ** -20);
  assert(count > 100_000 / 8_192 - 1);
});
