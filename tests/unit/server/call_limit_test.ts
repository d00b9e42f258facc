import { assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { CallLimit } from "../../../src/server/call_limit.ts";

const never = new AbortController().signal;

Deno.test("CallLimit lets so many in, keeps so many waiting, and sheds the rest with 426", async () => {
  const gate = new CallLimit(2, 1);
  await gate.enter(never);
  await gate.enter(never);
  const third = gate.enter(never);
  const error = await assertRejects(() => gate.enter(never), BTrDBError);
  assertEquals(error.code, 426);
  assertEquals(error.message, "The cluster is overwhelmed and is shedding load.");
  assertEquals([gate.running, gate.waiting], [2, 1]);
  gate.leave();
  await third;
  assertEquals([gate.running, gate.waiting], [2, 0]);
  gate.leave();
  gate.leave();
  assertEquals([gate.running, gate.waiting], [0, 0]);
});

Deno.test("CallLimit serves those who wait in their order", async () => {
  const gate = new CallLimit(1, 10);
  await gate.enter(never);
  const order: number[] = [];
  const waiting = [0, 1, 2].map((i) => gate.enter(never).then(() => order.push(i)));
  for (const turn of waiting) {
    gate.leave();
    await turn;
  }
  assertEquals(order, [0, 1, 2]);
});

Deno.test("CallLimit forgets who gives up waiting", async () => {
  const gate = new CallLimit(1, 1);
  await gate.enter(never);
  const impatient = new AbortController();
  const waiting = gate.enter(impatient.signal);
  impatient.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  assertEquals(gate.waiting, 0);
  gate.leave();
  assertEquals(gate.running, 0);
  await assertRejects(() => gate.enter(impatient.signal), Error, "enough");
  assertEquals(gate.running, 0);
});

Deno.test("CallLimit: a call of more places than there are takes all of them", async () => {
  const gate = new CallLimit(10, 1);
  await gate.enter(never, 50);
  assertEquals(gate.running, 10);
  const next = gate.enter(never, 2);
  assertEquals((await assertRejects(() => gate.enter(never, 1), BTrDBError)).code, 426);
  gate.leave(50);
  await next;
  assertEquals(gate.running, 2);
});
