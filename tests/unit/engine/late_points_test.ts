import { assertEquals } from "@std/assert";
import { type LatePoints, mergeLate } from "../../../src/engine/tree/late_points.ts";
import { mergeRuns } from "../../../src/engine/tree/merge_runs.ts";
import { Random } from "../../support/random.ts";

function run(random: Random, n: number, times: number): LatePoints {
  return {
    times: BigInt64Array.from({ length: n }, () => BigInt(random.int(0, times))).sort(),
    values: Float64Array.from({ length: n }, (_, i) => i),
    majors: Float64Array.from({ length: n }, () => random.int(11, 20)),
  };
}

Deno.test("mergeLate: runs of many steps are merged as in one, with times of thousands of points", () => {
  const random = new Random(8);
  for (const [na, nb, times] of [[50_000, 40_000, 1e6], [40_000, 300, 1e6], [60_000, 50_000, 5]]) {
    const a = run(random, na!, times!), b = run(random, nb!, times!);
    const { majors, ...points } = mergeLate(a, b);
    assertEquals(points, mergeRuns(a, b));
    const asValues = ({ times, majors: values }: LatePoints) => ({ times, values });
    assertEquals(majors, mergeRuns(asValues(a), asValues(b)).values);
  }
});

Deno.test("mergeLate: a run behind another one follows it", () => {
  const points = run(new Random(9), 20, 5);
  const later = { ...points, times: points.times.map((time) => time + 5n) };
  const { times, values, majors } = mergeLate(points, later);
  assertEquals(times, BigInt64Array.of(...points.times, ...later.times));
  assertEquals(values, Float64Array.of(...points.values, ...later.values));
  assertEquals(majors, Float64Array.of(...points.majors, ...later.majors));
});
