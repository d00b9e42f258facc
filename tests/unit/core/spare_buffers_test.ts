import { assertEquals } from "@std/assert";
import { SpareBuffers } from "../../../src/core/spare_buffers.ts";

Deno.test("SpareBuffers: the buffer that was given last and is large enough is taken, once", () => {
  const spare = new SpareBuffers(1 << 20);
  const [small, large, last] = [20_000, 60_000, 50_000].map((bytes) => new ArrayBuffer(bytes));
  for (const buffer of [small!, large!, last!]) spare.give(buffer);
  assertEquals(spare.take(40_000)!.buffer, last);
  assertEquals(spare.take(40_000)!.buffer, large);
  assertEquals(spare.take(16_384)!.buffer, small);
  assertEquals(spare.take(16_384), undefined);
});

Deno.test("SpareBuffers: small and huge buffers, and more than asked for, are not kept", () => {
  const spare = new SpareBuffers(100_000);
  for (const bytes of [0, 100, 16_383, 1_048_577]) spare.give(new ArrayBuffer(bytes));
  assertEquals(spare.take(16_384), undefined);
  for (let i = 0; i < 3; i++) spare.give(new ArrayBuffer(50_000));
  const taken = [1, 2, 3].map(() => spare.take(50_000)?.length);
  assertEquals(taken, [50_000, 50_000, undefined]);
});

Deno.test("SpareBuffers: buffers that are too small make room for larger ones", () => {
  const spare = new SpareBuffers(120_000);
  for (let i = 0; i < 2; i++) spare.give(new ArrayBuffer(50_000));
  assertEquals(spare.take(60_000), undefined);
  spare.give(new ArrayBuffer(50_001));
  assertEquals(spare.take(50_001)!.length, 50_001);
});
