import { assert, assertEquals } from "@std/assert";
import { sortInSteps } from "../../../src/core/merge_sort.ts";
import { Random } from "../../support/random.ts";

Deno.test("sortInSteps: 1,024 items a step, in a stable order", () => {
  for (const n of [0, 1, 2, 1_023, 1_024, 1_025, 5_000, 65_537]) {
    const random = new Random(n);
    const items = Array.from({ length: n }, (_, i) => ({ key: random.int(0, 300), i }));
    const before = [...items];
    const steps = sortInSteps(items, (a, b) => a.key - b.key);
    let count = 0;
    for (let step = steps.next();; step = steps.next(), count++) {
      if (!step.done) continue;
      assertEquals(step.value, items.toSorted((a, b) => a.key - b.key || a.i - b.i));
      break;
    }
    assertEquals(items, before);
    const rounds = Math.max(0, Math.ceil(Math.log2(n / 1_024)));
    assert(count >= Math.floor(n / 1_024) * (1 + rounds), `${count} steps for ${n} items`);
  }
});
