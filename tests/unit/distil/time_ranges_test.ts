import { assertEquals } from "@std/assert";
import {
  clipped,
  EVERYTHING,
  from,
  lengthOf,
  type TimeRange,
  widened,
  without,
} from "../../../src/distil/time_ranges.ts";
import { Random } from "../../support/random.ts";

const range = (start: number | bigint, end: number | bigint): TimeRange => ({
  start: BigInt(start),
  end: BigInt(end),
});

Deno.test("widened: joins what comes to touch, and stays inside the legal times", () => {
  assertEquals(widened([range(0, 1), range(5, 6)], 2n, 1n), [range(-2, 2), range(3, 7)]);
  assertEquals(widened([range(0, 1), range(5, 6)], 2n, 2n), [range(-2, 8)]);
  assertEquals(widened([range(-(1n << 62n), 1n << 62n)], 1n, 1n), [EVERYTHING]);
  assertEquals(widened([range(EVERYTHING.end, EVERYTHING.end + 1n)], 0n, 9n), []);
});

Deno.test("without, from, clipped, lengthOf: are those of sets of moments", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    const some = () =>
      widened(
        Array.from({ length: random.int(0, 6) }, () => {
          const start = random.int(0, 40);
          return range(start, start + random.int(1, 8));
        }),
        0n,
        0n,
      );
    const moments = (ranges: readonly TimeRange[]) => {
      const all = new Set<bigint>();
      for (const { start, end } of ranges) for (let t = start; t < end; t++) all.add(t);
      return all;
    };
    const [a, b] = [some(), some()];
    assertEquals(moments(without(a, b)), moments(a).difference(moments(b)));
    assertEquals(BigInt(moments(a).size), lengthOf(a));
    const cut = BigInt(random.int(0, 50));
    assertEquals(moments(from(a, cut)), new Set([...moments(a)].filter((time) => time >= cut)));
    for (const one of a) {
      const part = clipped(one, range(10, 20));
      const inside = [...moments([one])].filter((time) => time >= 10n && time < 20n);
      assertEquals(moments(part === undefined ? [] : [part]), new Set(inside));
    }
  }
});
