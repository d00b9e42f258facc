import fc from "fast-check";
import { assertEquals } from "@std/assert";
import { WindowRuns } from "../../src/kernel/window_runs.ts";
import { hardDouble } from "../support/number_arbitrary.ts";
import { holds } from "../support/property.ts";
import { type Run, runsOf } from "../support/window_runs_reference.ts";

/** Values between which there are no jumps, zeros of both signs, and the ends of what doubles hold. */
const value = fc.oneof(
  fc.double({ min: 119, max: 121, noNaN: true }),
  fc.constantFrom(0, -0, 1, -1, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE),
  hardDouble,
);

/** Steps between times: regular, equal, and gaps of any length. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(10n, 10n, 11n, 9n) },
  { weight: 1, arbitrary: fc.constantFrom(0n, 1n) },
  { weight: 1, arbitrary: fc.bigInt(0n, 1n << 40n) },
);

const points = fc.array(fc.tuple(step, value), { minLength: 1, maxLength: 120 });

const width = fc.oneof(fc.bigInt(1n, 300n), fc.bigInt(1n, 1n << 63n));

/** The runs that were found, as a plain list. */
function taken(runs: WindowRuns, total: number, nothing: number): Run[] {
  return Array.from({ length: runs.reduce(total, nothing) }, (_, run) => ({
    start: runs.start(run),
    count: runs.count(run),
    min: runs.min(run),
    mean: runs.mean(run),
    max: runs.max(run),
    m2: runs.m2(run),
    total: runs.total(run),
  }));
}

const ascending = (a: number, b: number) => a - b;

Deno.test("WindowRuns: runs of several columns are those of a plain loop, bit for bit", () => {
  const runs = new WindowRuns();
  holds(
    fc.property(
      points,
      fc.bigInt(-(1n << 60n), 1n << 60n),
      fc.bigInt(0n, 500n),
      width,
      hardDouble,
      fc.constantFrom(0, -0),
      fc.array(fc.nat(120), { maxLength: 9 }),
      (list, start, ahead, width, total, nothing, cuts) => {
        let time = start + ahead;
        const times = BigInt64Array.from(list, ([step]) => time += step);
        const values = Float64Array.from(list, ([, value]) => value);
        const expected: Run[] = [];
        let from = 0;
        for (
          const to of [...cuts.filter((cut) => cut < list.length), list.length].sort(ascending)
        ) {
          const part = { times: times.slice(from, to), values: values.slice(from, to) };
          from = to;
          assertEquals(runs.find(part, 0, part.times.length, start, width), part.times.length);
          const last = expected.at(-1);
          const open = last?.start ?? start;
          expected.push(...runsOf(part, open, width, last?.total ?? total, nothing));
        }
        assertEquals([runs.points, runs.found], [list.length, expected.length]);
        assertEquals(taken(runs, total, nothing), expected);
        assertEquals([runs.points, runs.found], [0, 0]);
      },
    ),
  );
});

Deno.test("WindowRuns: more points than go through at once are taken in pieces", () => {
  const n = 150_000;
  const columns = {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i)),
    values: Float64Array.from({ length: n }, (_, i) => (i * 7919) % 1009),
  };
  const runs = new WindowRuns();
  let at = 0, pieces = 0, seen = 0, total = 0;
  while (at < n) {
    at = runs.find(columns, at, n, 0n, 1n << 20n);
    assertEquals(runs.reduce(total, 0), 1);
    seen += runs.count(0);
    total = runs.total(0);
    pieces++;
  }
  assertEquals([pieces, seen], [3, n]);
  assertEquals(total, columns.values.reduce((sum, value) => sum + value, 0));
});
