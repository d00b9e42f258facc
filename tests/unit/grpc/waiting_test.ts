/** Waiting has an end: by signal, by deadline, and nothing of it is left behind. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { RetryPolicy, Tries } from "../../../src/grpc/call/retry.ts";
import { WriteLedger } from "../../../src/grpc/write/ledger.ts";
import { within } from "../../../src/grpc/within.ts";

const never = new Promise<never>(() => {});
const VERSION = { major: 11n, minor: 0n };
const look = () => Promise.resolve(VERSION);
const call = (signal?: AbortSignal) => ({
  rpc: "Insert",
  options: signal === undefined ? {} : { signal },
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
Deno.test("a wait that an abort ends leaves no timer, though what it waited for never comes", async () => {
  const { controller, signal, listeners } = watched();
  const reason = new Error("enough");
  const waiting = within(never, {
    rpc: "Flush",
    options: { signal, deadlineMs: Date.now() + 1e8 },
  });
  assertEquals(listeners(), 1);
  controller.abort(reason);
  assertEquals(await assertRejects(() => waiting), reason);
  assertEquals(listeners(), 0);
});

Deno.test("a wait that its deadline ends leaves no listener", async () => {
  const { signal, listeners } = watched();
  const waiting = within(never, { rpc: "Flush", options: { signal, deadlineMs: Date.now() + 1 } });
  const error = await assertRejects(() => waiting, BTrDBError);
  assertEquals([error.status, listeners()], ["DEADLINE_EXCEEDED", 0]);
});

Deno.test("a deadline further away than any timer is none", async () => {
  let settled = false;
  const waited = Promise.withResolvers<number>();
  const options = { deadlineMs: Date.now() + 1e12 };
  const waiting = within(waited.promise, { rpc: "Flush", options }).finally(() => settled = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(settled, false);
  waited.resolve(7);
  assertEquals(await waiting, 7);
});

Deno.test("an abort ends a call that waits for news of the cluster", async () => {
  const { controller, signal, listeners } = watched();
  const reason = new Error("enough");
  const tries = new Tries(new RetryPolicy(undefined), { rpc: "Nearest", options: { signal } });
  const waiting = tries.within(never);
  controller.abort(reason);
  assertEquals(await assertRejects(() => waiting), reason);
  assertEquals(listeners(), 0);
});

Deno.test("an abort ends an insert that waits for another write, and a delete that waits for inserts", async () => {
  const writes = new WriteLedger();
  const reason = new Error("enough");
  await writes.begin(call(), look);

  const deleting = new AbortController();
  let deleted = false;
  const remove = writes.alone(call(deleting.signal), () => {
    deleted = true;
    return look();
  });
  deleting.abort(reason);
  assertEquals(await assertRejects(() => remove), reason);

  writes.stored(1, VERSION);
  const held = Promise.withResolvers<typeof VERSION>();
  const exclusive = writes.alone(call(), () => held.promise);
  const inserting = new AbortController();
  const insert = writes.begin(call(inserting.signal), look);
  inserting.abort(reason);
  assertEquals(await assertRejects(() => insert), reason);
  held.resolve(VERSION);
  await exclusive;
  assertEquals([deleted, writes.idle], [false, true]);
});

Deno.test("inserts that go on without end do not keep a delete waiting for ever", async () => {
  const writes = new WriteLedger();
  let stop = false;
  let inserts = 0;
  const insertOn = async () => {
    while (!stop) {
      await writes.begin(call(), look);
      inserts++;
      await new Promise((resolve) => setTimeout(resolve, 1));
      writes.stored(1, VERSION);
      assert(inserts < 10_000, "the delete starves");
    }
  };
  // They overlap, so that at no moment none is under way.
  const lanes = [insertOn(), insertOn(), insertOn()];
  await new Promise((resolve) => setTimeout(resolve, 5));
  await writes.alone(call(), look);
  const before = inserts;
  await new Promise((resolve) => setTimeout(resolve, 20));
  stop = true;
  await Promise.all(lanes);
  assert(inserts > before, "inserts go on after it");
});
