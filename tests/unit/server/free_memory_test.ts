import { assert, assertEquals } from "@std/assert";
import { GrownMemory, PacedCollections } from "../../../src/server/free_memory.ts";

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

/** Collections on a clock of their own: their times, ms. */
function paced() {
  const clock = { ms: 0, bytes: 0, resident: 300 * MIB, collected: [] as number[] };
  const collections = new PacedCollections({
    collect() {
      clock.collected.push(clock.ms);
      clock.bytes = 50 * MIB;
      return Promise.resolve();
    },
    bytesInUse: () => clock.bytes,
    residentBytes: () => clock.resident,
    now: () => clock.ms,
  });
  return { clock, collections };
}

// A client that makes a large call every few seconds had all garbage collected after each of them, a tenth
// of a second in which nobody else is answered.
Deno.test("PacedCollections: after calls, garbage is collected every ten seconds at most, however much there is", () => {
  const { clock, collections } = paced();
  for (; clock.ms < 60_000; clock.ms += 500) {
    clock.bytes += 200 * MIB;
    collections.collectIfWorth(WORTH);
  }
  assertEquals(clock.collected, [0, 10_000, 20_000, 30_000, 40_000, 50_000]);
});

// Refused headers leave half a MiB each, so that memory must not wait ten seconds for them.
Deno.test("PacedCollections: at once, garbage is collected every second at most, and then not after calls", () => {
  const { clock, collections } = paced();
  for (; clock.ms < 3_000; clock.ms += 250) {
    clock.resident += 32 * MIB;
    collections.collectAtOnce();
  }
  assertEquals(clock.collected, [0, 1_000, 2_000]);
  clock.bytes = 500 * MIB;
  for (; clock.ms < 20_000; clock.ms += 500) collections.collectIfWorth(WORTH);
  assertEquals(clock.collected, [0, 1_000, 2_000, 12_000]);
});

// One request with refused headers each second, without a key, had all garbage collected each second: 75 to
// 140 ms in which nobody else was answered.
Deno.test("PacedCollections: at once, garbage is collected only when the process has grown", async () => {
  const { clock, collections } = paced();
  for (; clock.ms < 127_000; clock.ms += 1_000) {
    collections.collectAtOnce();
    await Promise.resolve();
    clock.resident += MIB / 2;
  }
  assertEquals(clock.collected, [0]);
  clock.resident += MIB / 2;
  collections.collectAtOnce();
  assertEquals(clock.collected, [0, 127_000]);
  await Promise.resolve();
  // The memory that is free then is used first.
  clock.ms += 60_000;
  collections.collectAtOnce();
  assertEquals(clock.collected, [0, 127_000]);
});

// What was freed a second after a collection stayed for twenty: 200 MiB of calls that nobody had read.
Deno.test("PacedCollections: what is freed just after a collection can wait for the next one", () => {
  const { clock, collections } = paced();
  clock.bytes = 500 * MIB;
  assertEquals(collections.restMs, 0);
  collections.collectIfWorth(WORTH);
  clock.ms = 1_000;
  clock.bytes = 500 * MIB;
  clock.ms += collections.restMs;
  collections.collectIfWorth(WORTH);
  assertEquals(clock.collected, [0, 10_001]);
});

Deno.test("PacedCollections: what a collection has left is not worth another one", async () => {
  const { clock, collections } = paced();
  clock.bytes = 500 * MIB;
  for (; clock.ms < 100_000; clock.ms += 500) {
    collections.collectIfWorth(16 * MIB);
    await Promise.resolve();
  }
  assertEquals(clock.collected, [0]);
});

// A collection at once stopped everybody for 140 to 210 ms.
Deno.test("collectGarbage: V8 collects in steps, beside other work", async () => {
  const url = new URL("../../../src/server/free_memory.ts", import.meta.url).href;
  const code = `import { collectGarbage, freeMemoryWhileServing } from ${JSON.stringify(url)};
    const collected = Promise.withResolvers();
    const registry = new FinalizationRegistry(collected.resolve);
    const end = freeMemoryWhileServing();
    let objects = Array.from({ length: 300_000 }, (_, i) => [i]);
    // Short-lived ones, until the others are old.
    for (let i = 0; i < 10_000_000; i++) [i];
    registry.register(objects[0], true);
    objects = undefined;
    console.log("collecting");
    collectGarbage();
    await collected.promise;
    end();`;
  const flags = "--v8-flags=--trace-gc,--trace-gc-ignore-scavenger";
  const args = ["eval", "--no-check", flags, code];
  const output = await new Deno.Command(Deno.execPath(), { args }).output();
  const text = new TextDecoder().decode(output.stdout);
  const full = text.split("\n").filter((line) => line.includes("Mark-Compact"));
  assertEquals(full.filter((line) => !line.includes("Incremental")), [], text);
  assert(full.length > 0, text);
});
