import { assertEquals, assertRejects } from "@std/assert";
import { FairSemaphore } from "../../../src/core/fair_semaphore.ts";

/** Takes a permit and notes when it is there. */
function taken(semaphore: FairSemaphore, owner: string, order: string[], name = owner) {
  return semaphore.take(owner, {}, "work").then(() => void order.push(name));
}

Deno.test("FairSemaphore: gives owners one permit each, in turns", async () => {
  const semaphore = new FairSemaphore(2);
  const order: string[] = [];
  const first = ["a1", "a2", "a3", "b1", "b2", "c1"].map((name) =>
    taken(semaphore, name[0]!, order, name)
  );
  await Promise.all([first[0], first[3]]);
  assertEquals(order, ["a1", "b1"]);
  assertEquals([semaphore.waiting("a"), semaphore.waiting("b"), semaphore.waiting("c")], [2, 1, 1]);
  semaphore.release("a");
  await first[5];
  semaphore.release("b");
  await first[1];
  semaphore.release("c");
  await first[4];
  semaphore.release("a");
  await first[2];
  assertEquals(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);
  semaphore.release("b");
  semaphore.release("a");
  await semaphore.take("a", {}, "work");
});

Deno.test("FairSemaphore: an abort takes nothing with it", async () => {
  const semaphore = new FairSemaphore(1);
  await semaphore.take("a", {}, "work");
  const controller = new AbortController();
  const late = semaphore.take("b", { signal: controller.signal }, "work");
  const next = semaphore.take("c", {}, "work");
  controller.abort(new Error("enough"));
  await assertRejects(() => late, Error, "enough");
  assertEquals(semaphore.waiting("b"), 0);
  semaphore.release("a");
  await next;
  // Granted and aborted in the same moment: the permit goes on to the next one.
  const again = new AbortController();
  const both = semaphore.take("d", { signal: again.signal }, "work");
  const last = semaphore.take("e", {}, "work");
  semaphore.release("c");
  again.abort(new Error("enough"));
  await both.catch(() => {});
  if (await both.then(() => true, () => false)) semaphore.release("d");
  await last;
});
