/** Merge policies beside the naive rule, on batches and stored points with many equal times. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { RawColumns } from "../../src/core/columns.ts";
import { applyPolicy } from "../../src/engine/write/merge_policy.ts";
import { columnsOf } from "../support/engine.ts";

type Pair = [time: number, value: number];

const pairs = (max: number) =>
  fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 3 })), {
    maxLength: max,
    size: "max",
  }).map((list) => list.sort(([a], [b]) => a - b));

function expected(batch: Pair[], stored: Pair[], policy: string): Pair[] {
  return batch.filter(([time, value], i) => {
    const same = ([t]: Pair) => t === time;
    const twin = ([t, v]: Pair) => t === time && v === value;
    const earlier = batch.slice(0, i);
    if (policy === "equal") return !stored.some(twin) && !earlier.some(twin);
    if (policy === "retain") return !stored.some(same) && !earlier.some(same);
    return !batch.slice(i + 1).some(same);
  });
}

function finish(work: Generator<undefined, RawColumns>): RawColumns {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

for (const policy of ["equal", "retain", "replace"] as const) {
  Deno.test(`applyPolicy: ${policy} keeps of a batch what the rule says`, () => {
    fc.assert(
      fc.property(pairs(60), pairs(40), pairs(10), (batch, tree, buffer) => {
        const rest = finish(
          applyPolicy(columnsOf(batch), [columnsOf(tree), columnsOf(buffer)], policy),
        );
        const actual = Array.from(rest.times, (t, i): Pair => [Number(t), rest.values[i]!]);
        assertEquals(actual, expected(batch, [...tree, ...buffer], policy));
      }),
      { numRuns: 2000 },
    );
  });
}
