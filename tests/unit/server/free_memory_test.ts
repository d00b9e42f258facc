import { assertEquals } from "@std/assert";
import { GrownMemory } from "../../../src/server/free_memory.ts";

const MIB = 1 << 20;
const WORTH = 128 * MIB;

// Strangers' calls on 10,000 streams, each refused at once, had all garbage collected every few seconds:
// honest calls beside them waited for it, four times as long at the 99th percentile as alone.
Deno.test("GrownMemory: small growth is not worth a collection, however often it is asked", () => {
  const memory = new GrownMemory();
  assertEquals(memory.isWorth(200 * MIB, WORTH), true);
  memory.keep(150 * MIB);
  for (let i = 0; i < 100; i++) assertEquals(memory.isWorth((150 + i) * MIB, WORTH), false);
  assertEquals(memory.isWorth(278 * MIB, WORTH), true);
});

Deno.test("GrownMemory: growth counts from the least that was in use", () => {
  const memory = new GrownMemory();
  memory.keep(1_000 * MIB);
  assertEquals(memory.isWorth(100 * MIB, WORTH), false);
  assertEquals(memory.isWorth(227 * MIB, WORTH), false);
  assertEquals(memory.isWorth(228 * MIB, WORTH), true);
});
