import fc from "fast-check";
import { assertEquals } from "@std/assert";
import type { RawColumns } from "../../src/core/columns.ts";
import { PointBuffer } from "../../src/engine/stream/point_buffer.ts";
import { holds } from "../support/property.ts";

/** Points of a buffer by time, those of equal time as they came. */
function ordered(points: readonly [bigint, number][]): [bigint, number][] {
  return points.map((point, i) => [point, i] as const)
    .sort(([[a], i], [[b], j]) => a < b ? -1 : a > b ? 1 : i - j).map(([point]) => point);
}

const batch = fc.record({
  from: fc.integer({ min: 0, max: 5_000 }),
  count: fc.integer({ min: 1, max: 900 }),
  step: fc.integer({ min: -2, max: 3 }),
  /** True if the points are looked at in order after it. */
  isRead: fc.boolean(),
});

Deno.test("PointBuffer: points in order, whenever they are looked at while more come", () => {
  holds(
    fc.property(fc.array(batch, { minLength: 1, maxLength: 12 }), (batches) => {
      let buffer = PointBuffer.EMPTY;
      const all: [bigint, number][] = [];
      for (const { from, count, step, isRead } of batches) {
        const times = BigInt64Array.from({ length: count }, (_, i) => BigInt(from + i * step));
        const values = Float64Array.from({ length: count }, (_, i) => all.length + i);
        buffer = buffer.append({ times, values }, 1, 0);
        times.forEach((time, i) => all.push([time, values[i]!]));
        if (!isRead) continue;
        const { sorted } = buffer;
        assertEquals([...sorted.times].map((time, i) => [time, sorted.values[i]]), ordered(all));
      }
      const { sorted } = buffer;
      assertEquals([...sorted.times].map((time, i) => [time, sorted.values[i]]), ordered(all));
    }),
    100,
  );
});

Deno.test("PointBuffer: a few points, a single one at a time, with rows and as columns", () => {
  const one = fc.record({
    time: fc.bigInt(-(1n << 60n), 3n << 60n),
    value: fc.double({ noNaN: true }),
    isRead: fc.boolean(),
  });
  holds(
    fc.property(fc.array(one, { minLength: 1, maxLength: 24 }), (points) => {
      let buffer = PointBuffer.EMPTY;
      assertEquals(buffer.sorted.times.length, 0);
      const all: [bigint, number][] = [];
      const seen: [PointBuffer, number][] = [];
      for (const { time, value, isRead } of points) {
        const columns = { times: BigInt64Array.of(time), values: Float64Array.of(value) };
        buffer = buffer.append(columns, all.length, 0);
        all.push([time, value]);
        if (isRead) assertPoints(buffer, all);
        seen.push([buffer, all.length]);
      }
      // What came later is not seen in the buffers before.
      for (const [before, n] of seen) assertPoints(before, all.slice(0, n));
    }),
    500,
  );
});

function assertPoints(buffer: PointBuffer, all: readonly [bigint, number][]): void {
  const { arrived, sorted } = buffer;
  assertEquals(buffer.length, all.length);
  assertEquals(buffer.rows, all.map((_, i) => i));
  assertEquals(pairs(arrived), [...all]);
  assertEquals(pairs(sorted), ordered(all));
}

function pairs({ times, values }: RawColumns): [bigint, number][] {
  return [...times].map((time, i) => [time, values[i]!]);
}
