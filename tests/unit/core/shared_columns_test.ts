import { assertEquals } from "@std/assert";

// Columns without points were asked for before any others: there was no memory yet of which to have none.
Deno.test("sharedRaw: no points are the first that a process may ask for", async () => {
  const { copyRaw, emptyRaw, sharedRaw } = await import(`../../../src/core/columns.ts?fresh`);
  assertEquals(copyRaw(emptyRaw()), emptyRaw());
  assertEquals(sharedRaw(0), emptyRaw());
});

Deno.test("sharedRaw: columns of any length are zero and have their own places", async () => {
  const { sharedRaw } = await import("../../../src/core/columns.ts");
  const all = Array.from({ length: 2_000 }, (_, i) => ({ n: i % 700, ...sharedRaw(i % 700) }));
  for (const { n, times, values } of all) {
    assertEquals([times.length, values.length], [n, n]);
    assertEquals([times.some((time: bigint) => time !== 0n), values.some(Boolean)], [false, false]);
    times.fill(1n);
    values.fill(1);
  }
});
