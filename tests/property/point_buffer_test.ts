import fc from "fast-check";
import { assertEquals } from "@std/assert";
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
