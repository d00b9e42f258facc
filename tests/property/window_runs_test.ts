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

const width = fc.oneof(
  fc.bigInt(1n, 300n),
  fc.bigInt(1n, 1n << 40n),
  fc.bigInt((1n << 52n) - (1n << 43n), (1n << 52n) + (1n << 43n)),
  fc.bigInt(1n, 1n << 63n),
);

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

Deno.test("WindowRuns: aloneUntil ends before a window that other runs share, and before the last", () => {
  const runs = new WindowRuns();
  const of = (...list: bigint[]) => ({
    times: BigInt64Array.from(list),
    values: new Float64Array(list.length),
  });
  for (const start of [0n, (1n << 32n) - 25n, -(1n << 60n)]) {
    // Windows of 10 ns: the fourth run goes on with that of the third.
    runs.find(of(start, start + 10n, start + 20n), 0, 3, start, 10n);
    runs.find(of(start + 21n, start + 30n, start + 40n, start + 50n), 0, 4, start, 10n);
    assertEquals(runs.reduce(0, 0), 7);
    const ends = Array.from({ length: 7 }, (_, run) => runs.aloneUntil(run));
    assertEquals(ends, [0, 2, 2, 3, 6, 6, 6]);
    const starts = new BigInt64Array(4);
    runs.copyStarts(4, 6, starts, 1);
    assertEquals([...starts], [0n, start + 30n, start + 40n, 0n]);
  }
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
