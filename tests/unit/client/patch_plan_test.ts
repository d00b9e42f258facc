import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import type { RawColumns } from "../../../src/core/columns.ts";
import { lastOfEquals, planPatch, survivors } from "../../../src/client/patch_plan.ts";

type Pair = [time: number, value: number];

function columns(pairs: readonly Pair[]): RawColumns {
  return {
    times: BigInt64Array.from(pairs, ([time]) => BigInt(time)),
    values: Float64Array.from(pairs, ([, value]) => value),
  };
}

function pairs({ times, values }: RawColumns): Pair[] {
  return Array.from(times, (time, i) => [Number(time), values[i]!]);
}

const byTime = ([a]: Pair, [b]: Pair) => a - b;
const point = fc.tuple(
  fc.integer({ min: -12, max: 12 }),
  fc.constantFrom(0, -0, 1, 2),
) as fc.Arbitrary<
  Pair
>;
const stored = fc.array(point, { maxLength: 24 }).map((list) => list.sort(byTime));
const patch = fc.uniqueArray(point, { selector: ([time]) => time, minLength: 1, maxLength: 12 })
  .map((list) => list.sort(byTime));

Deno.test("planPatch: deleting the runs and inserting leaves exactly the patch and what it does not name", () => {
  fc.assert(
    fc.property(stored, patch, (before, wanted) => {
      const { runs, rest } = planPatch(columns(before), columns(wanted));
      let store = [...before];
      for (const { start, end, lo, hi } of runs) {
        store = store.filter(([time]) => time < Number(start) || time >= Number(end));
        store.push(...wanted.slice(lo, hi));
      }
      store.push(...pairs(rest));
      const named = new Set(wanted.map(([time]) => time));
      const expected = [...before.filter(([time]) => !named.has(time)), ...wanted].sort(byTime);
      assertEquals(store.sort(byTime), expected);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("planPatch: a patch that is stored already does nothing", () => {
  fc.assert(fc.property(patch, (wanted) => {
    const { runs, rest } = planPatch(columns(wanted), columns(wanted));
    assertEquals(runs, []);
    assertEquals(rest.times.length, 0);
  }));
});

Deno.test("planPatch: neighbouring stored points go together, others are left alone", () => {
  const plan = planPatch(
    columns([[1, 0], [2, 0], [3, 0], [5, 0], [6, 0], [6, 1]]),
    columns([[1, 9], [2, 9], [4, 9], [6, 1]]),
  );
  assertEquals(plan.runs, [
    { start: 1n, end: 3n, lo: 0, hi: 2 },
    { start: 6n, end: 7n, lo: 3, hi: 4 },
  ]);
  assertEquals(pairs(plan.rest), [[4, 9]]);
});

Deno.test("survivors: the points whose times the patch does not name", () => {
  fc.assert(fc.property(stored, patch, (before, wanted) => {
    const named = new Set(wanted.map(([time]) => time));
    assertEquals(
      pairs(survivors(columns(before), columns(wanted))),
      before.filter(([time]) => !named.has(time)),
    );
  }));
});

Deno.test("lastOfEquals: of equal times the last stays", () => {
  fc.assert(fc.property(stored, (list) => {
    assertEquals(pairs(lastOfEquals(columns(list))), [...new Map(list)]);
  }));
  const unique = columns([[1, 1], [2, 2]]);
  assertStrictEquals(lastOfEquals(unique), unique);
  assert(lastOfEquals(columns([])).times.length === 0);
});
