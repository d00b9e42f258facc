import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { abortable, delay, throwIfOver } from "../../../src/core/call.ts";
import { overflowingTimers } from "../../support/until.ts";

const never = new Promise<never>(() => {});

Deno.test("abortable: an abort ends the wait with the reason itself", async () => {
  const abort = new AbortController();
  const reason = { why: "enough" };
  const wait = abortable(never, { signal: abort.signal }, "wait");
  abort.abort(reason);
  const error = await wait.then(() => undefined, (thrown) => thrown);
  assertStrictEquals(error, reason);
  assertStrictEquals(
    await abortable(never, { signal: abort.signal }, "wait").catch((thrown) => thrown),
    reason,
  );
});

Deno.test("abortable: a passed deadline ends the wait with DEADLINE_EXCEEDED", async () => {
  for (const deadlineMs of [Date.now() + 5, Date.now() - 5]) {
    const error = await assertRejects(() => abortable(never, { deadlineMs }, "wait"), BTrDBError);
    assertEquals([error.code, error.status], [0, "DEADLINE_EXCEEDED"]);
    assertEquals(error.message, "Cannot wait: the deadline passed");
  }
});

Deno.test("abortable: what settles in time is handed on, and no timer stays behind", async () => {
  const signal = new AbortController().signal;
  const far = { signal, deadlineMs: Date.now() + 2 ** 40 };
  assertEquals(await abortable(Promise.resolve(7), far, "wait"), 7);
  await assertRejects(() => abortable(Promise.reject(new Error("x")), far, "wait"), Error, "x");
  assertEquals(await abortable(Promise.resolve(8), {}, "wait"), 8);
});

Deno.test("throwIfOver: between two requests the call is looked at again", () => {
  throwIfOver({}, "wait");
  throwIfOver({ deadlineMs: Date.now() + 1000 }, "wait");
  assertThrows(() => throwIfOver({ deadlineMs: Date.now() }, "wait"), BTrDBError, "the deadline");
  assertThrows(
    () => throwIfOver({ signal: AbortSignal.abort(new Error("x")) }, "wait"),
    Error,
    "x",
  );
});

/** A signal that counts who listens. */
function watched() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  return { controller, signal, listeners: () => listeners };
}

// The sanitizers see a timer that is left.
Deno.test("abortable: a wait that an abort ends leaves no timer, though what it waited for never comes", async () => {
  const { controller, signal, listeners } = watched();
  const reason = new Error("enough");
  const waiting = abortable(never, { signal, deadlineMs: Date.now() + 1e8 }, "flush");
  assertEquals(listeners(), 1);
  controller.abort(reason);
  assertEquals(await assertRejects(() => waiting), reason);
  assertEquals(listeners(), 0);
});

Deno.test("abortable: a wait that its deadline ends leaves no listener", async () => {
  const { signal, listeners } = watched();
  const waiting = abortable(never, { signal, deadlineMs: Date.now() + 1 }, "flush");
  const error = await assertRejects(() => waiting, BTrDBError);
  assertEquals([error.status, listeners()], ["DEADLINE_EXCEEDED", 0]);
});

Deno.test("abortable: a deadline further away than any timer is none", async () => {
  let settled = false;
  const waited = Promise.withResolvers<number>();
  const options = { deadlineMs: Date.now() + 1e12 };
  const waiting = abortable(waited.promise, options, "flush").finally(() => settled = true);
  await overflowingTimers();
  assertEquals(settled, false);
  waited.resolve(7);
  assertEquals(await waiting, 7);
});

Deno.test("delay: an abort ends it with its reason, and one that came before leaves nothing behind", async () => {
  const { controller, signal, listeners } = watched();
  const reason = new Error("enough");
  const waiting = delay(1e6, { signal });
  controller.abort(reason);
  assertEquals(await assertRejects(() => waiting), reason);
  assertEquals(await assertRejects(() => delay(1e6, { signal })), reason);
  assertEquals(listeners(), 0);
});

Deno.test("delay: a deadline ends it", async () => {
  const waiting = delay(1e6, { deadlineMs: Date.now() + 1 }, "flush");
  await assertRejects(() => waiting, BTrDBError, "Cannot flush: the deadline passed");
});
