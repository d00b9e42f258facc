/** Windows as columns of pixels. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type OffsetWindows, PixelColumns } from "../../../../src/plot/figure/pixel_columns.ts";
import { holds } from "../../../support/property.ts";

function windowsOf(
  base: bigint,
  width: number,
  rows: readonly (readonly [offset: number, value: number, count?: number])[],
): OffsetWindows {
  const column = (f: (row: readonly [number, number, number?]) => number) =>
    Float64Array.from(rows, f);
  const values = column(([, value]) => value);
  return {
    base,
    width,
    offsets: column(([offset]) => offset),
    min: values,
    mean: values,
    max: values,
    count: column(([, , count = 1]) => count),
  };
}

/** Holds one sample of a view of `length` columns, and its window in a tile that begins far before. */
function holdSpike(start: bigint, exponent: number, length: number, share: number): void {
  const span = 2n ** BigInt(exponent) * BigInt(length);
  const pointwidth = Math.max(0, Math.floor(Math.log2(Number(span) / length)));
  const width = 1n << BigInt(pointwidth);
  const spike = start + BigInt(Math.floor(share * Number(span)));
  const window = spike & ~(width - 1n);
  const base = window - width * 100n;
  const columns = new PixelColumns(start, start + span, length);
  columns.add(
    windowsOf(base, Number(width), [[Number(window - base), 9]]),
    base,
    window + width,
  );
  assertEquals(columns.filled, 1);
  assertEquals(columns.extent, [9, 9]);
  const at = columns.max.indexOf(9);
  const expected = Number((spike - start) * BigInt(length) / span);
  assert(Math.abs(at - expected) <= 1, `${at} instead of ${expected}`);
}

Deno.test("PixelColumns: one sample in a year of them is in its column at every zoom", () => {
  const property = fc.property(
    fc.bigInt(-(2n ** 60n), 3n * 2n ** 60n - 2n ** 20n),
    fc.integer({ min: 4, max: 55 }),
    fc.integer({ min: 1, max: 4_000 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    holdSpike,
  );
  holds(property);
});

Deno.test("PixelColumns: a sample some ns before the end is drawn, though its tile begins far before", () => {
  // The tile's distance from the view, as a double, was 8 ns too long: the sample seemed to be behind.
  holdSpike(-(2n ** 60n) + 8n, 50, 1, 0.9999999999999929);
});

Deno.test("PixelColumns: means are weighted by counts, and counts add up", () => {
  const columns = new PixelColumns(0n, 100n, 1);
  columns.add(windowsOf(0n, 10, [[0, 1, 3], [10, 5, 1], [50, -2, 4]]), 0n, 100n);
  assertEquals([columns.min[0], columns.mean[0], columns.max[0], columns.count[0]], [-2, 0, 5, 8]);
});

Deno.test("PixelColumns: windows longer than a column fill all their columns, and are not exact", () => {
  const columns = new PixelColumns(0n, 100n, 10);
  columns.add(windowsOf(0n, 40, [[0, 1, 8], [40, 2, 8]]), 0n, 100n);
  assertEquals([...columns.mean], [1, 1, 1, 1, 2, 2, 2, 2, 0, 0]);
  assertEquals(columns.count.reduce((sum, n) => sum + n), 16);
  assertEquals(columns.isExact, false);
});

Deno.test("PixelColumns: a part of a tile is taken where a finer one stands for the rest", () => {
  const columns = new PixelColumns(0n, 100n, 10);
  columns.add(windowsOf(0n, 50, [[0, 1], [50, 2]]), 50n, 100n);
  assertEquals([...columns.count.map(Math.sign)], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
});

Deno.test("PixelColumns: a window longer than a part is not drawn before that part", () => {
  const columns = new PixelColumns(0n, 100n, 10);
  columns.add(windowsOf(0n, 10, [[0, 1], [10, 1], [20, 1], [30, 1], [40, 1]]), 0n, 50n);
  columns.add(windowsOf(0n, 128, [[0, 9]]), 50n, 100n);
  assertEquals([...columns.max], [1, 1, 1, 1, 1, 9, 9, 9, 9, 9]);
});

Deno.test("PixelColumns: a gap is four times the usual distance, and two windows where they are long", () => {
  const sparse = new PixelColumns(0n, 1000n, 1000);
  sparse.add(windowsOf(0n, 1, [[0, 1], [10, 1], [20, 1], [30, 1], [200, 1]]), 0n, 1000n);
  assertEquals(sparse.reach, 40);
  const dense = new PixelColumns(0n, 1000n, 1000);
  dense.add(windowsOf(0n, 1, [[0, 1], [1, 1], [2, 1], [3, 1]]), 0n, 1000n);
  assert(dense.reach >= 2 && dense.reach < 3);
});

Deno.test("PixelColumns: the density of equal windows is equal, though columns have one or two of them", () => {
  const length = 100;
  // Windows of 0.7 columns with five points each.
  const offsets = Float64Array.from({ length: 143 }, (_, i) => 70 * i);
  const same = (value: number) => new Float64Array(offsets.length).fill(value);
  const columns = new PixelColumns(0n, 10_000n, length);
  const [min, mean, max, count] = [same(1), same(1), same(1), same(5)];
  columns.add({ base: 0n, offsets, width: 70, min, mean, max, count }, 0n, 10_010n);
  assertEquals(new Set(columns.count).size, 2);
  for (let x = 1; x < length - 1; x++) {
    assert(Math.abs(columns.density[x]! - 5 / 0.7) < 1e-9, `${x}: ${columns.density[x]}`);
  }
});

Deno.test("PixelColumns: the reach is four times the usual distance, in whatever order distances are", () => {
  const reachOf = (places: readonly number[]) => {
    const offsets = Float64Array.from(places, (x) => 10 * x + 1);
    const same = new Float64Array(places.length).fill(1);
    const columns = new PixelColumns(0n, 1_000n, 100);
    const windows = { base: 0n, offsets, width: 0, min: same, mean: same, max: same, count: same };
    columns.add(windows, 0n, 1_000n);
    return columns.reach;
  };
  assertEquals(reachOf([0, 5, 10, 15, 60, 65]), 20);
  assertEquals(reachOf([0, 50, 53, 56, 80, 83]), 12);
  assertEquals(reachOf([10, 11, 12, 13, 14]), 2);
  assertEquals(reachOf([10, 90]), Infinity);
});

Deno.test("PixelColumns: the mean of values near the largest doubles is finite", () => {
  const columns = new PixelColumns(0n, 100n, 1);
  columns.add(
    windowsOf(0n, 10, [[0, 7e293], [10, -Number.MAX_VALUE], [20, Number.MAX_VALUE]]),
    0n,
    100n,
  );
  assert(Number.isFinite(columns.mean[0]!));
});
