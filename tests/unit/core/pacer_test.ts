/**
 * Reads of fifty dashboards that were due in the same second gave way one slice after another, and an
 * insert of many slices, which went to the end of that queue after each, came to its end after all of
 * them. Slices are counted here, not milliseconds.
 */

import { assert, assertEquals } from "@std/assert";
import { isDue, paced, yieldToEventLoop } from "../../../src/core/pacer.ts";

/** Work that takes all of a slice. */
function busy(): void {
  while (!isDue());
}

Deno.test("yieldToEventLoop: a write does not wait for all reads after each of its slices", async () => {
  const WRITES = 12, READS = 60;
  let over = false, reads = 0;
  const read = async () => {
    await yieldToEventLoop();
    if (over) return;
    reads++;
    busy();
  };
  busy();
  const reading = Array.from({ length: READS }, read);
  for (let slice = 0; slice < WRITES; slice++) {
    await yieldToEventLoop("write");
    busy();
  }
  over = true;
  await Promise.all(reading);
  // Each fourth slice is a read's, for reads go on too.
  assert(reads >= 2 && reads <= 6, `${reads} slices of reads beside ${WRITES} of a write`);
});

Deno.test("yieldToEventLoop: work of a kind goes on in the order in which it gave way", async () => {
  const order: string[] = [];
  const step = async (name: string, work: "write" | "other") => {
    await yieldToEventLoop(work);
    order.push(name);
  };
  await Promise.all([
    step("a", "other"),
    step("b", "write"),
    step("c", "other"),
    step("d", "write"),
  ]);
  assertEquals(order.filter((name) => "ac".includes(name)), ["a", "c"]);
  assertEquals(order.filter((name) => "bd".includes(name)), ["b", "d"]);
});

/**
 * 190 lists of streams that were asked for at once each read a page before any of them gave way: the
 * event loop stood still for more than half a second, and so did the `nearest` of everybody else.
 */
Deno.test("paced: many that begin at once do not each do a step first", async () => {
  let steps = 0;
  function* source(): Generator<number> {
    steps++;
    busy();
    yield 0;
  }
  busy();
  const reads = Array.from({ length: 20 }, () => paced(source(), undefined).next());
  let inTurn = -1;
  await new Promise<void>((resolve) => {
    setTimeout(() => {
      inTurn = steps;
      resolve();
    });
  });
  assert(inTurn >= 0 && inTurn <= 2, `${inTurn} steps before the event loop went on`);
  await Promise.all(reads);
  assertEquals(steps, 20);
});
