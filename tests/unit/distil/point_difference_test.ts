import type { RawColumns } from "@btrdb/btrdb";
import { assertEquals } from "@std/assert";
import { differenceOf } from "../../../src/distil/point_difference.ts";
import { Random } from "../../support/random.ts";

function columns(...pairs: [number, number][]): RawColumns {
  return {
    times: BigInt64Array.from(pairs, ([time]) => BigInt(time)),
    values: Float64Array.from(pairs, ([, value]) => value),
  };
}

Deno.test("differenceOf: the shortest range, whatever the order of equal times", () => {
  const a = columns([1, 1], [2, 2], [2, 3], [5, 5]);
  assertEquals(differenceOf(a, a), undefined);
  assertEquals(differenceOf(a, columns([1, 1], [2, 3], [2, 2], [5, 5])), undefined);
  assertEquals(differenceOf(a, columns([1, 1], [2, 2], [5, 5])), { start: 2n, end: 3n });
  assertEquals(differenceOf(a, columns([1, 1], [2, 2], [2, 3], [3, 0], [5, 5])), {
    start: 3n,
    end: 4n,
  });
  assertEquals(differenceOf(columns(), columns([7, 0])), { start: 7n, end: 8n });
  assertEquals(differenceOf(columns([7, 0], [9, 1]), columns()), { start: 7n, end: 10n });
  assertEquals(differenceOf(columns(), columns()), undefined);
  assertEquals(differenceOf(columns([1, 0]), columns([1, -0])), undefined);
});

Deno.test("differenceOf: outside the range both have the same points", () => {
  for (let seed = 0; seed < 1000; seed++) {
    const random = new Random(seed);
    const base = Array.from({ length: random.int(0, 12) }, (): [number, number] => [
      random.int(0, 9),
      random.int(0, 2),
    ]);
    const changed = base.filter(() => !random.chance(0.1));
    if (random.chance(0.3)) changed.push([random.int(0, 9), 5]);
    const byTime = (p: [number, number], q: [number, number]) => p[0] - q[0];
    const [a, b] = [base, changed].map((points) => columns(...points.toSorted(byTime)));
    const found = differenceOf(a!, b!);
    const rest = (points: [number, number][]) =>
      points.filter(([time]) => found === undefined || time < found.start || time >= found.end)
        .map(String).sort();
    assertEquals(rest(base), rest(changed), `seed ${seed}`);
    const edges = (time: number) => (points: [number, number][]) =>
      points.filter((point) => point[0] === time).map(String).sort().join(" ");
    if (found === undefined) continue;
    for (const time of [Number(found.start), Number(found.end) - 1]) {
      assertEquals(edges(time)(base) === edges(time)(changed), false, `seed ${seed} at ${time}`);
    }
  }
});
