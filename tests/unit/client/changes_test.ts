import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { joined } from "../../../src/client/changes.ts";

Deno.test("joined: ranges cover the same moments, ascend, and do not touch", () => {
  const range = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 9 })).map(
    ([start, length]) => ({ start: BigInt(start), end: BigInt(start + length) }),
  );
  const moments = (ranges: { start: bigint; end: bigint }[]) => {
    const set = new Set<bigint>();
    for (const { start, end } of ranges) for (let t = start; t < end; t++) set.add(t);
    return [...set].sort((a, b) => Number(a - b));
  };
  fc.assert(fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
    const before = moments(ranges);
    const result = joined(ranges);
    assertEquals(moments(result), before);
    result.slice(1).forEach(({ start }, i) => assertEquals(start > result[i]!.end, true));
  }));
});
