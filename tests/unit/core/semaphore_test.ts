import { assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { Semaphore } from "../../../src/core/semaphore.ts";

Deno.test("Semaphore: permits are given in the order in which they were asked for", async () => {
  const semaphore = new Semaphore(2);
  assertEquals([semaphore.take({}, "a"), semaphore.take({}, "b")], [undefined, undefined]);
  const order: string[] = [];
  const waits = ["c", "d"].map((name) => semaphore.take({}, name)!.then(() => order.push(name)));
  assertEquals([semaphore.taken, semaphore.waiting, semaphore.hasRoom()], [2, 2, false]);
  semaphore.release();
  semaphore.release();
  await Promise.all(waits);
  assertEquals(order, ["c", "d"]);
  const idle = semaphore.idle();
  semaphore.release();
  semaphore.release();
  await idle;
  assertEquals([semaphore.taken, semaphore.hasRoom()], [0, true]);
});

Deno.test("Semaphore: a caller that gives up loses no permit, even if it was granted at that moment", async () => {
  const semaphore = new Semaphore(1);
  semaphore.take({}, "first");
  const late = semaphore.take({ deadlineMs: Date.now() + 1 }, "second")!;
  await assertRejects(() => late, BTrDBError, "Cannot second: the deadline passed");
  const controller = new AbortController();
  const granted = semaphore.take({ signal: controller.signal }, "third")!;
  semaphore.release();
  controller.abort(new Error("enough"));
  await assertRejects(() => granted, Error, "enough");
  assertEquals([semaphore.taken, semaphore.waiting], [0, 0]);
});

Deno.test("Semaphore: who asks for several permits waits for all of them, and nobody overtakes", async () => {
  const semaphore = new Semaphore(4);
  semaphore.take({}, "three", 3);
  const order: string[] = [];
  const waits = [["two", 2], ["one", 1]] as const;
  const done = waits.map(([name, count]) =>
    semaphore.take({}, name, count)!.then(() => order.push(name))
  );
  const abort = new AbortController();
  const gone = semaphore.take({ signal: abort.signal }, "four", 4)!;
  abort.abort(new Error("gone"));
  await assertRejects(() => gone, Error, "gone");
  assertEquals([semaphore.taken, semaphore.waiting], [3, 2]);
  semaphore.release(3);
  await Promise.all(done);
  assertEquals(order, ["two", "one"]);
  assertEquals([semaphore.taken, semaphore.waiting], [3, 0]);
});
