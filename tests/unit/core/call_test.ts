import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { abortable, throwIfOver } from "../../../src/core/call.ts";

const never = new Promise<never>(() => {});

Deno.test("an abort ends the wait with the reason itself", async () => {
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

Deno.test("a passed deadline ends the wait with DEADLINE_EXCEEDED", async () => {
  for (const deadlineMs of [Date.now() + 5, Date.now() - 5]) {
    const error = await assertRejects(() => abortable(never, { deadlineMs }, "wait"), BTrDBError);
    assertEquals([error.code, error.status], [0, "DEADLINE_EXCEEDED"]);
  }
});

Deno.test("what settles in time is handed on, and no timer stays behind", async () => {
  const signal = new AbortController().signal;
  const far = { signal, deadlineMs: Date.now() + 2 ** 40 };
  assertEquals(await abortable(Promise.resolve(7), far, "wait"), 7);
  await assertRejects(() => abortable(Promise.reject(new Error("x")), far, "wait"), Error, "x");
  assertEquals(await abortable(Promise.resolve(8), {}, "wait"), 8);
});

Deno.test("between two requests the call is looked at again", () => {
  throwIfOver({}, "wait");
  throwIfOver({ deadlineMs: Date.now() + 1000 }, "wait");
  assertThrows(() => throwIfOver({ deadlineMs: Date.now() }, "wait"), BTrDBError, "the deadline");
  assertThrows(
    () => throwIfOver({ signal: AbortSignal.abort(new Error("x")) }, "wait"),
    Error,
    "x",
  );
});
