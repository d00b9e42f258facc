import { assertEquals, assertRejects } from "@std/assert";
import { delay } from "../../../src/core/call.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { socketsSeen } from "../../../src/core/event_loop.ts";
import { CallLimit } from "../../../src/server/call_limit.ts";
import { SendTimeout } from "../../../src/server/unread_answers.ts";
import { NO_TIMEOUT, TestCall } from "../../support/place_holder.ts";
import { until } from "../../support/until.ts";

const call = new TestCall();

Deno.test("CallLimit lets so many in, keeps so many waiting, and sheds the rest with 426", async () => {
  const gate = new CallLimit(2, 1, NO_TIMEOUT);
  await gate.enter(call);
  await gate.enter(call);
  const third = gate.enter(call);
  const error = await assertRejects(() => gate.enter(call), BTrDBError);
  assertEquals(error.code, 426);
  assertEquals(error.message, "The cluster is overwhelmed and is shedding load.");
  assertEquals([gate.running, gate.waiting], [2, 1]);
  gate.leave(call);
  await third;
  assertEquals([gate.running, gate.waiting], [2, 0]);
  gate.leave(call);
  gate.leave(call);
  assertEquals([gate.running, gate.waiting], [0, 0]);
});

// What 190 lists left behind that nobody had read stayed with the process: 937 MiB after five seconds.
Deno.test("CallLimit: whoever gives memory back is told how many calls ran when one of them ends", async () => {
  const told: number[] = [];
  const gate = new CallLimit(3, 1, NO_TIMEOUT, (running) => told.push(running));
  const calls = [new TestCall(), new TestCall(), new TestCall()];
  for (const call of calls) await gate.enter(call);
  for (const call of calls) gate.leave(call);
  assertEquals(told, [3, 2, 1]);
});

Deno.test("CallLimit serves those who wait in their order", async () => {
  const gate = new CallLimit(1, 10, NO_TIMEOUT);
  await gate.enter(call);
  const order: number[] = [];
  const waiting = [0, 1, 2].map((i) => gate.enter(call).then(() => order.push(i)));
  for (const turn of waiting) {
    gate.leave(call);
    await turn;
  }
  assertEquals(order, [0, 1, 2]);
});

Deno.test("CallLimit forgets who gives up waiting", async () => {
  const gate = new CallLimit(1, 1, NO_TIMEOUT);
  await gate.enter(call);
  const impatient = new TestCall();
  const waiting = gate.enter(impatient);
  impatient.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  assertEquals(gate.waiting, 0);
  gate.leave(call);
  assertEquals(gate.running, 0);
  await assertRejects(() => gate.enter(impatient), Error, "enough");
  assertEquals(gate.running, 0);
});

Deno.test("CallLimit: a call of more places than there are takes all of them", async () => {
  const gate = new CallLimit(10, 1, NO_TIMEOUT);
  await gate.enter(call, 50);
  assertEquals(gate.running, 10);
  const next = gate.enter(call, 2);
  assertEquals((await assertRejects(() => gate.enter(call, 1), BTrDBError)).code, 426);
  gate.leave(call, 50);
  await next;
  assertEquals(gate.running, 2);
});

/** A time that is over for whoever has waited since {@linkcode LONG_AGO}, and for nobody else. */
const MS = 1e9;
const LONG_AGO = -2e9;

// Answers that nobody read kept all places for as long as their clients stayed connected: every other
// caller of a server with one key waited without end, or was refused.
Deno.test("CallLimit: of calls that are not read, the longest unread one makes room for one that waits", async () => {
  const timeout = new SendTimeout(MS);
  const gate = new CallLimit(4, 10, timeout);
  const calls = [
    new TestCall(LONG_AGO),
    new TestCall(LONG_AGO - 1),
    new TestCall(performance.now()),
    new TestCall(),
  ];
  for (const one of calls) await gate.enter(one);
  const next = gate.enter(new TestCall());
  await until("one is ended", () => timeout.ended > 0);
  assertEquals(calls.map(({ ended }) => ended !== undefined), [false, true, false, false]);
  assertEquals(
    calls[1]!.ended,
    "the answer was ended: its client read nothing for 1000000000 ms (limits.sendTimeoutMs), and " +
      "others waited for its place",
  );
  gate.leave(calls[1]!);
  await next;
  assertEquals([gate.running, gate.waiting, timeout.ended], [4, 0, 1]);
});

Deno.test("CallLimit: a call that is not read keeps its place while nobody waits", async () => {
  const timeout = new SendTimeout(1);
  const gate = new CallLimit(2, 10, timeout);
  const unread = new TestCall(LONG_AGO);
  await gate.enter(unread);
  for (let i = 0; i < 3; i++) {
    await gate.enter(call);
    await delay(5);
    gate.leave(call);
  }
  assertEquals([unread.ended, timeout.ended], [undefined, 0]);
});

Deno.test("CallLimit: calls become late, and new ones are looked at, while others wait", async () => {
  const timeout = new SendTimeout(10);
  const gate = new CallLimit(1, 10, timeout);
  const slow = new TestCall();
  await gate.enter(slow);
  const next = gate.enter(call);
  await delay(25);
  assertEquals(timeout.ended, 0);
  slow.since = performance.now();
  await until("it is ended", () => slow.ended !== undefined);
  gate.leave(slow);
  await next;
  gate.leave(call);
  assertEquals([gate.running, gate.waiting, timeout.ended], [0, 0, 1]);
});

Deno.test("CallLimit: as many are ended as places are missing, and no more for calls that gave up", async () => {
  const timeout = new SendTimeout(MS);
  const gate = new CallLimit(10, 10, timeout);
  const unread = Array.from({ length: 5 }, (_, i) => new TestCall(LONG_AGO + i));
  for (const one of unread) await gate.enter(one, 2);
  const impatient = new TestCall();
  const given = gate.enter(impatient, 2);
  impatient.abort(new Error("enough"));
  await assertRejects(() => given, Error, "enough");
  await socketsSeen();
  await delay(5);
  assertEquals(timeout.ended, 0);
  const next = gate.enter(call, 3);
  await until("two are ended", () => timeout.ended === 2);
  gate.leave(unread[0]!, 2);
  const another = gate.enter(new TestCall(), 1);
  gate.leave(unread[1]!, 2);
  await Promise.all([next, another]);
  assertEquals([gate.running, gate.waiting, timeout.ended], [10, 0, 2]);
});
