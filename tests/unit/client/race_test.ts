import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { throwIfOver, within } from "../../../src/client/race.ts";

const never = new Promise<never>(() => {});

Deno.test("an abort ends the wait with the reason itself", async () => {
  const abort = new AbortController();
  const reason = { why: "enough" };
  const wait = within("wait", never, { signal: abort.signal });
  abort.abort(reason);
  const error = await wait.then(() => undefined, (thrown) => thrown);
  assertStrictEquals(error, reason);
  assertStrictEquals(
    await within("wait", never, { signal: abort.signal }).catch((thrown) => thrown),
    reason,
  );
});

Deno.test("a passed deadline ends the wait with DEADLINE_EXCEEDED", async () => {
  for (const deadlineMs of [Date.now() + 5, Date.now() - 5]) {
    const error = await assertRejects(() => within("wait", never, { deadlineMs }), BTrDBError);
    assertEquals([error.code, error.status], [0, "DEADLINE_EXCEEDED"]);
  }
});

Deno.test("what settles in time is handed on, and no timer stays behind", async () => {
  const signal = new AbortController().signal;
  const far = { signal, deadlineMs: Date.now() + 2 ** 40 };
  assertEquals(await within("wait", Promise.resolve(7), far), 7);
  await assertRejects(() => within("wait", Promise.reject(new Error("x")), far), Error, "x");
  assertEquals(await within("wait", Promise.resolve(8), {}), 8);
});

Deno.test("between two requests the call is looked at again", () => {
  throwIfOver("wait", {});
  throwIfOver("wait", { deadlineMs: Date.now() + 1000 });
  assertThrows(() => throwIfOver("wait", { deadlineMs: Date.now() }), BTrDBError, "the timeout");
  assertThrows(
    () => throwIfOver("wait", { signal: AbortSignal.abort(new Error("x")) }),
    Error,
    "x",
  );
});
