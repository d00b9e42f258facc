import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { RetryEvent } from "../../../src/grpc/mod.ts";
import { RetryBudget, RetryPolicy, Tries, verdict } from "../../../src/grpc/call/retry.ts";

const coded = (code: number) => new BTrDBError("no", { code });
const lost = () => new BTrDBError("lost", { status: "UNAVAILABLE" });

Deno.test("verdict: what each error calls for", () => {
  for (const code of [405, 419]) assertEquals(verdict(coded(code)), "resync");
  for (const code of [426, 428, 430, 432, 459]) assertEquals(verdict(coded(code)), "wait");
  for (const code of [401, 404, 406, 413, 414, 423, 425, 501]) {
    assertEquals(verdict(coded(code)), "fail");
  }
  assertEquals(verdict(lost()), "resync");
  assertEquals(verdict(new BTrDBError("late", { status: "DEADLINE_EXCEEDED" })), "fail");
  assertEquals(verdict(new TypeError("mistake")), "fail");
});

Deno.test("RetryPolicy: pauses grow to a limit, with full jitter", () => {
  const policy = new RetryPolicy({ initialDelayMs: 100, maxDelayMs: 1000 });
  assertEquals([1, 2, 3, 4, 5, 50].map((n) => policy.delayMs(n, 1)), [
    100,
    200,
    400,
    800,
    1000,
    1000,
  ]);
  assertEquals(policy.delayMs(3, 0), 0);
  assertEquals(policy.delayMs(3, 0.5), 200);
});

Deno.test("RetryPolicy: unless told otherwise, patience outlasts the ten seconds a killed server answers 405", () => {
  const policy = new RetryPolicy(undefined);
  let ms = 0;
  for (let attempt = 1; attempt < policy.attempts; attempt++) ms += policy.delayMs(attempt, 0.5);
  assert(ms > 20_000 && ms < policy.maxElapsedMs, `${ms} ms`);
});

Deno.test("RetryPolicy: options that make no sense are refused by name", () => {
  assertThrows(() => new RetryPolicy({ attempts: 0 }), RangeError, "retry.attempts is 0");
  assertThrows(() => new RetryPolicy({ maxDelayMs: NaN }), RangeError, "retry.maxDelayMs is NaN");
});

Deno.test("Tries: a call is given up after its attempts, with the last error", async () => {
  const tries = new Tries(new RetryPolicy({ attempts: 3, initialDelayMs: 0 }), {
    rpc: "Nearest",
    options: {},
  });
  await tries.pause(lost());
  await tries.pause(lost());
  const last = lost();
  assertEquals(await assertRejects(() => tries.pause(last)), last);
});

Deno.test("Tries: progress makes patience new", async () => {
  const tries = new Tries(new RetryPolicy({ attempts: 2, initialDelayMs: 0 }), {
    rpc: "RawValues",
    options: {},
  });
  for (let i = 0; i < 5; i++) {
    await tries.pause(lost());
    tries.progress();
  }
});

Deno.test("Tries: a write waits for its node as long as the time allows, however many tries that takes", async () => {
  const heard: RetryEvent[] = [];
  const hooks = { onRetry: (event: RetryEvent) => void heard.push(event) };
  const policy = new RetryPolicy({ initialDelayMs: 0, budget: 0 }, hooks);
  const tries = new Tries(policy, { rpc: "Insert", options: {}, isWrite: true });
  for (let i = 0; i < 100; i++) await tries.pause(coded(405));
  assertEquals(heard.at(-1)!.recovery, { healthy: false, unmapped: 0 });
  const busy = coded(428);
  assertEquals(await assertRejects(() => tries.pause(busy)), busy);
});

Deno.test("Tries: a read waits like that only while the cluster says that it is not well", async () => {
  let health = { healthy: false, unmapped: 50 };
  const policy = new RetryPolicy({ initialDelayMs: 0 });
  const tries = new Tries(policy, { rpc: "RawValues", options: {}, health: () => health });
  for (let i = 0; i < 100; i++) await tries.pause(coded(405));
  health = { healthy: true, unmapped: 0 };
  await assertRejects(() => tries.pause(coded(405)), BTrDBError);
});

Deno.test("Tries: a server that sheds load is asked again by time, and that costs no budget", async () => {
  const policy = new RetryPolicy({ initialDelayMs: 0, budget: 0 });
  const tries = new Tries(policy, { rpc: "Nearest", options: {} });
  for (let i = 0; i < 100; i++) await tries.pause(coded(426));
});

Deno.test("Tries: the time is over for a write too", async () => {
  const policy = new RetryPolicy({ initialDelayMs: 0, maxElapsedMs: 0 });
  const tries = new Tries(policy, { rpc: "Insert", options: {}, isWrite: true });
  await new Promise((resolve) => setTimeout(resolve, 2));
  await assertRejects(() => tries.pause(coded(405)), BTrDBError);
});

Deno.test("Tries: no retry without patience, and none for errors that stay", async () => {
  const error = lost();
  assertEquals(
    await assertRejects(() =>
      new Tries(new RetryPolicy(false), { rpc: "Info", options: {} }).pause(error)
    ),
    error,
  );
  const refused = coded(404);
  const tries = new Tries(new RetryPolicy(undefined), { rpc: "Info", options: {} });
  assertEquals(await assertRejects(() => tries.pause(refused)), refused);
});

Deno.test("Tries: no pause beyond the deadline", async () => {
  const policy = new RetryPolicy({ initialDelayMs: 1e9, maxDelayMs: 1e9, maxElapsedMs: 1e10 });
  // Whoever paused would be told of the deadline, which a slow machine does not reach.
  const tries = new Tries(policy, { rpc: "Info", options: { deadlineMs: Date.now() + 60_000 } });
  await assertRejects(() => tries.pause(lost()), BTrDBError, "lost");
});

Deno.test("Tries: an abort ends a pause with its reason", async () => {
  const controller = new AbortController();
  const policy = new RetryPolicy({ initialDelayMs: 1e6, maxDelayMs: 1e6, maxElapsedMs: 1e9 });
  const tries = new Tries(policy, { rpc: "Info", options: { signal: controller.signal } });
  const reason = new Error("enough");
  setTimeout(() => controller.abort(reason), 5);
  assertEquals(await assertRejects(() => tries.pause(lost())), reason);
});

Deno.test("Tries: the hook hears of retries", async () => {
  const heard: unknown[] = [];
  const hooks = { onRetry: (event: unknown) => void heard.push(event) };
  const error = lost();
  const tries = new Tries(new RetryPolicy({ initialDelayMs: 0 }, hooks), {
    rpc: "Insert",
    options: {},
  });
  await tries.pause(error);
  const [{ elapsedMs, ...event }] = heard as [{ elapsedMs: number }];
  assert(elapsedMs >= 0);
  assertEquals(event, { rpc: "Insert", attempt: 1, delayMs: 0, error, recovery: undefined });
});

Deno.test("RetryBudget: the budget is spent by retries and earned back by calls and time", () => {
  const budget = new RetryBudget(2, 0);
  assertEquals([budget.take(0), budget.take(0), budget.take(0)], [true, true, false]);
  for (let i = 0; i < 11; i++) budget.earn();
  assertEquals([budget.take(0), budget.take(0)], [true, false]);
  assertEquals([budget.take(99), budget.take(200)], [true, true]);
});
