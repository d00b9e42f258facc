/** When turns of the event loop have to be short (docs/security.md). */

import { assertEquals } from "@std/assert";
import { Crowding } from "../../../src/server/transport/crowding.ts";
import { ResetCalls } from "../../../src/server/transport/reset_calls.ts";

const [A, B] = [{}, {}];

/** A server on which something waits from one time to another, with what it answers then. */
function after({ ms, keys }: { ms: number; keys: (object | undefined)[] }) {
  let nowMs = 10_000;
  const crowding = new Crowding(() => nowMs);
  for (const key of keys) crowding.use(key);
  for (let waited = 0; waited <= ms; waited += 10, nowMs += 10) crowding.isCrowded(true);
  const later = (ms: number) => {
    nowMs += ms;
    return crowding.isCrowded(false);
  };
  return { crowding, later };
}

Deno.test("Crowding: several keys, or one and none, share a server that is behind", () => {
  assertEquals(after({ ms: 50, keys: [A, B] }).later(0), false);
  assertEquals(after({ ms: 60, keys: [A, B] }).later(0), true);
  assertEquals(after({ ms: 60, keys: [A, undefined] }).later(0), true);
  assertEquals(after({ ms: 60, keys: [A, B] }).later(900), true);
  assertEquals(after({ ms: 60, keys: [A, B] }).later(1_000), false);
});

// Turns of 64 frames are quicker for many calls at once, of which nobody else suffers.
Deno.test("Crowding: whoever has a server alone is not held back, however much waits", () => {
  assertEquals(after({ ms: 5_000, keys: [A, A, A] }).later(0), false);
  assertEquals(after({ ms: 5_000, keys: [A, B, B, B] }).later(0), false);
});

Deno.test("Crowding: waiting that has ended begins anew", () => {
  const { crowding, later } = after({ ms: 40, keys: [A, B] });
  assertEquals(later(0), false);
  assertEquals(crowding.isCrowded(true), false);
});

Deno.test("ResetCalls: 2,000 calls of a key may be given up at once, and 200 in each second", () => {
  const calls = new ResetCalls();
  for (let i = 0; i < 2_000; i++) calls.add(A, 0);
  assertEquals(calls.waitMs(A, 0), 0);
  calls.add(A, 0);
  assertEquals(calls.waitMs(A, 0), 5);
  assertEquals(calls.waitMs(B, 0), 0);
  assertEquals(calls.waitMs(undefined, 0), 0);
  assertEquals(calls.waitMs(A, 5), 0);
  for (let ms = 5; ms < 60_000; ms += 5) {
    calls.add(A, ms);
    assertEquals(calls.waitMs(A, ms), 5);
  }
  for (let i = 0; i < 10_000; i++) calls.add(A, 60_000);
  assertEquals(calls.waitMs(A, 60_000), 1_000);
  for (let i = 0; i < 2_000; i++) calls.add(A, 120_000);
  assertEquals(calls.waitMs(A, 120_000), 0);
});
