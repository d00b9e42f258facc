import fc from "fast-check";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { findBadPoint } from "../../src/kernel/find_bad_point.ts";
import { chunkByPointwidth, isSorted, sortPoints } from "../../src/kernel/mod.ts";
import { anyDouble, points, time, toRaw } from "../support/columns_arbitrary.ts";
import { bits } from "../support/kernel_compare.ts";
import { referenceBadPoint, referenceChunks, referenceSort } from "../support/kernel_reference.ts";
import { holds } from "../support/property.ts";

Deno.test("sortPoints: equals a stable sort of an index", () => {
  holds(
    fc.property(points, (c) => {
      const actual = sortPoints(c), expected = referenceSort(c);
      assertEquals(actual.times, expected.times);
      assertEquals(bits(actual.values), bits(expected.values));
    }),
    4_000,
  );
});

Deno.test("sortPoints: leaves its input alone and returns it when it is in order", () => {
  holds(fc.property(points, (c) => {
    const before = structuredClone(c);
    const sorted = sortPoints(c);
    assertEquals(c, before);
    assertStrictEquals(sortPoints(sorted), sorted);
    assert(isSorted(sorted.times));
    assertEquals(isSorted(c.times), sorted === c);
  }));
});

Deno.test("chunkByPointwidth: equals a scan", () => {
  const maxPoints = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 100 }));
  holds(
    fc.property(points, fc.nat(63), maxPoints, (c, pointwidth, most) => {
      const sorted = sortPoints(c);
      const chunks = chunkByPointwidth(sorted, { pointwidth, maxPoints: most });
      assertEquals([...chunks], referenceChunks(sorted.times, pointwidth, most));
    }),
    4_000,
  );
});

Deno.test("findBadPoint: equals a scan and says what is bad", () => {
  const any = fc.array(fc.tuple(time, anyDouble), { maxLength: 40, size: "max" }).map(toRaw);
  holds(fc.property(any, time, time, (c, min, max) => {
    const bad = findBadPoint(c, min, max);
    const index = referenceBadPoint(c, min, max);
    assertEquals(bad?.index ?? -1, index);
    if (bad === undefined) return;
    const value = c.values[index]!, at = c.times[index]!;
    const reason = at < min || at >= max ? "time" : Number.isNaN(value) ? "nan" : "infinite";
    assertEquals(bad.reason, reason);
  }));
});
