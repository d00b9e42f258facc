import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import type { RawColumns } from "../../../src/core/columns.ts";
import { findBadTime, findBadValue } from "../../../src/kernel/find_bad_point.ts";
import { chunkByPointwidth, isSorted, sortPoints } from "../../../src/kernel/mod.ts";
import { generator } from "../../../bench/support/data.ts";
import { holds } from "../../support/property.ts";
import { referenceChunks } from "../../support/kernel_reference.ts";

/** Points whose value is their position, so that order among equals can be seen. */
function numbered(n: number, time: (i: number) => bigint): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => time(i)),
    values: Float64Array.from({ length: n }, (_, i) => i),
  };
}

/** In order, equals in theirs, and nothing lost. */
function assertSorted(columns: RawColumns): void {
  const { times, values } = sortPoints(columns);
  assertEquals(times.length, columns.times.length);
  const seen = new Uint8Array(times.length);
  for (let i = 0; i < times.length; i++) {
    assertStrictEquals(columns.times[values[i]!], times[i]);
    seen[values[i]!] = 1;
    if (i === 0) continue;
    assert(times[i - 1]! < times[i]! || (times[i - 1] === times[i] && values[i - 1]! < values[i]!));
  }
  assert(seen.every((mark) => mark === 1));
}

const next = generator(7);
const shapes: Record<string, (i: number) => bigint> = {
  "at random": () => BigInt(next()) * 8_333_333n,
  "with many equals": () => BigInt(next() % 5) << 58n,
  "backwards": (i) => -BigInt(i),
  "all equal but one": (i) => i === 99_999 ? -1n : 0n,
  "with an outlier at each end": (i) =>
    i === 3 ? -(1n << 63n) : i === 4 ? (1n << 63n) - 1n : BigInt(next()),
  "at every scale": () =>
    (next() & 1 ? 1n : -1n) * (1n << BigInt(next() % 63)) + BigInt(next() & 7),
  "in two ordered halves": (i) => BigInt(i % 50_000) * 10n + BigInt(i < 50_000 ? 0 : 5),
  "in order but for one in ten, late by anything": (i) =>
    i % 10 === 9 ? BigInt(next() % 100_000) : BigInt(i),
  "in order but for one in nine, late by a little, with equals": (i) =>
    i % 9 === 4 ? BigInt(i >> 2) - 1n : BigInt(i >> 2),
  "in order but for one in eight": (i) => i % 8 === 7 ? BigInt(i - 20) : BigInt(i),
  "in order but for a thousand in front of all": (i) =>
    i % 100 === 99 ? -BigInt(next()) : BigInt(i),
  "in order but for two, after the latest of all": (i) =>
    i === 99_990 ? (1n << 63n) - 1n : i === 3 ? -(1n << 63n) : BigInt(i),
  "in order but for the last": (i) => i === 99_999 ? 0n : BigInt(i),
};

for (const [name, time] of Object.entries(shapes)) {
  Deno.test(`sortPoints: 100,000 times ${name}`, () => assertSorted(numbered(100_000, time)));
}

Deno.test("sortPoints: lengths around those of a run", () => {
  for (const n of [2, 3, 23, 24, 25, 16_383, 16_384, 16_385]) {
    assertSorted(numbered(n, () => BigInt(next() % n)));
  }
});

/** Few points that are late by a little or much, and ties of both. */
Deno.test("sortPoints: runs in order with late points among them, of any number and at any place", () => {
  holds(
    fc.property(
      fc.integer({ min: 16_385, max: 300_000 }),
      fc.integer({ min: 7, max: 2_000 }),
      fc.integer({ min: 1, max: 400_000 }),
      fc.integer({ min: 0, max: 6 }),
      (n, every, by, ties) => {
        assertSorted(numbered(n, (i) => {
          const back = next() % every === 0 ? next() % by : 0;
          return BigInt((i >> ties) - back);
        }));
      },
    ),
    15,
  );
});

Deno.test("sortPoints: more than one chunk", () => {
  assertSorted(numbered(600_000, () => BigInt(next()) << 20n));
});

Deno.test("isSorted: one step back anywhere is found", () => {
  const times = BigInt64Array.from({ length: 70_000 }, (_, i) => BigInt(i));
  assert(isSorted(times));
  for (const at of [1, 2, 8, 9, 15, 65_535, 65_536, 65_537, 69_999]) {
    const copy = times.slice();
    copy[at] = copy[at - 1]! - 1n;
    assert(!isSorted(copy), `a step back at ${at}`);
    copy[at] = copy[at - 1]!;
    assert(isSorted(copy), `an equal time at ${at}`);
  }
});

Deno.test("findBadTime and findBadValue: the first one, at any place", () => {
  const n = 70_000;
  const times = new BigInt64Array(n), values = new Float64Array(n).fill(1e308);
  for (const at of [0, 1, 7, 8, 65_535, 65_536, n - 1]) {
    const badTimes = times.slice(), badValues = values.slice();
    badTimes[at] = 10n;
    assertEquals(findBadTime(badTimes, 0n, 10n), at);
    assertEquals(findBadTime(badTimes, 0n, 11n), -1);
    badTimes[at] = -1n;
    assertEquals(findBadTime(badTimes, 0n, 10n), at);
    for (const bad of [NaN, Infinity, -Infinity]) {
      badValues[at] = bad;
      assertEquals(findBadValue(badValues), at);
    }
  }
  assertEquals(findBadValue(values), -1);
});

Deno.test("chunkByPointwidth: 100,000 points in every width", () => {
  const { times } = sortPoints(numbered(100_000, () => BigInt(next()) << 28n));
  for (const pointwidth of [0, 20, 40, 48, 52, 56, 63]) {
    const chunks = chunkByPointwidth({ times }, { pointwidth, maxPoints: 5_000 });
    assertEquals([...chunks], referenceChunks(times, pointwidth, 5_000));
  }
});
