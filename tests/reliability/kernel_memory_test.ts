import { assert, assertEquals, assertLess } from "@std/assert";
import { concatStat, type RawColumns, sliceRaw, type StatColumns } from "../../src/core/columns.ts";
import { arena } from "../../src/kernel/arena.ts";
import { instantiate } from "../../src/kernel/loader.ts";
import { KERNEL_BYTES } from "../../src/kernel/kernel.gen.ts";
import { reducePixels, rewindow, Rewindower, sortPoints } from "../../src/kernel/mod.ts";
import { decodeRawResponse, encodeRawResponse } from "../../src/kernel/wire.ts";
import { assertWindows, magnitude } from "../support/kernel_compare.ts";
import { samples, shuffled, START, STEP } from "../../bench/support/data.ts";

const GRID = { start: START, width: STEP * 10n, stddev: true };

Deno.test("kernel: is small, imports nothing, and each instance has a memory of its own", () => {
  assertLess(KERNEL_BYTES, 65_536);
  const [a, b] = [instantiate(), instantiate()];
  assert(a.memory !== b.memory);
});

Deno.test("the memory grows under a user's feet: results before, during and after are right", () => {
  const columns = samples(1_000);
  const before = decodeRawResponse(encodeRawResponse(columns, 0, 1_000, 1n, 0n)).columns;
  const windows = new Rewindower({ ...GRID, end: START + STEP * 1_000n });
  const first = windows.push(sliceRaw(columns, 0, 505));
  const { buffer } = arena(0).u8;
  const grown = arena(arena(0).capacity + 1);
  assert(grown.u8.buffer !== buffer && buffer.byteLength === 0);
  const second = windows.push(sliceRaw(columns, 505, 1_000));
  assertEquals(before, columns);
  const whole = rewindow(columns, { ...GRID, end: START + STEP * 1_000n });
  assertWindows(concatStat([first, second, windows.finish()]), whole, magnitude(columns));
  assertEquals(sortPoints(shuffled(columns)), columns);
});

Deno.test("kernel: a large input passes through without the memory growing with it", () => {
  const small = shuffled(samples(300_000)), large = shuffled(samples(2_000_000));
  sortPoints(small);
  const { capacity } = arena(0);
  const sorted = sortPoints(large);
  const end = START + STEP * 2_000_000n;
  assertEquals(rewindow(sorted, { ...GRID, end }).times.length, 200_000);
  reducePixels(sorted, { start: START, end, pixels: 100 });
  const bytes = encodeRawResponse(sorted, 0, 2_000_000, 1n, 0n);
  assertEquals(decodeRawResponse(bytes).columns.times, sorted.times);
  assertEquals(arena(0).capacity, capacity);
});

Deno.test("kernel: a million calls leave nothing behind", () => {
  const columns = samples(8);
  const bytes = encodeRawResponse(columns, 0, 8, 1n, 0n);
  const mixed = shuffled(columns);
  const end = START + STEP * 8n;
  const run = (calls: number) => {
    for (let i = 0; i < calls; i += 4) {
      decodeRawResponse(bytes);
      encodeRawResponse(columns, 0, 8, 1n, 0n);
      sortPoints(mixed);
      rewindow(columns, { start: START, end, width: STEP });
    }
  };
  run(100_000);
  const { capacity } = arena(0);
  const used: number[] = [];
  for (let i = 0; i < 40; i++) {
    run(25_000);
    const { heapUsed, external } = Deno.memoryUsage();
    used.push(heapUsed + external);
  }
  assertEquals(arena(0).capacity, capacity);
  // What is used right after a collection, the least of many looks, does not grow.
  assertLess(Math.min(...used.slice(20)) - Math.min(...used.slice(0, 20)), 8 * 2 ** 20);
});

/** Windows of `columns`, in pieces, other work getting its turn after each. */
async function inTurns(columns: RawColumns, end: bigint, piece: number): Promise<StatColumns> {
  const windows = new Rewindower({ ...GRID, end });
  const parts: StatColumns[] = [];
  for (let at = 0; at < columns.times.length; at += piece) {
    for (const batch of windows.batches(sliceRaw(columns, at, at + piece))) {
      parts.push(batch);
      await Promise.resolve();
    }
    await new Promise((done) => setTimeout(done, 0));
  }
  parts.push(...windows.rest());
  return concatStat(parts);
}

Deno.test("kernel: two users that take turns do not see each other", async () => {
  const a = samples(50_000, 1), b = samples(50_000, 2);
  b.values.forEach((v, i) => b.values[i] = -v);
  const end = START + STEP * 50_000n;
  const [fromA, fromB] = await Promise.all([inTurns(a, end, 7_001), inTurns(b, end, 3_333)]);
  assertWindows(fromA, rewindow(a, { ...GRID, end }), magnitude(a));
  assertWindows(fromB, rewindow(b, { ...GRID, end }), magnitude(b));
});
