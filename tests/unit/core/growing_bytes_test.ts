import { assert, assertEquals, assertLess } from "@std/assert";
import { GrowingBytes } from "../../../src/core/growing_bytes.ts";

Deno.test("GrowingBytes: bytes are whole, however they are cut", () => {
  const all = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 7 + (i >> 8));
  for (const piece of [9_999, 65_536, 3_000_000]) {
    const growing = new GrowingBytes(all.length - 10);
    let at = 5;
    while (!growing.isWhole) {
      at += growing.take(all.subarray(0, Math.min(all.length, at + piece)), at);
    }
    assertEquals(at, all.length - 5);
    assert(growing.bytes.every((byte, i) => byte === all[i + 5]));
    assertEquals(growing.bytes.buffer.byteLength, growing.bytes.length);
  }
});

Deno.test("GrowingBytes: little memory is taken for bytes that were only announced", () => {
  const growing = new GrowingBytes(64 << 20);
  assertEquals(growing.capacity, 65_536);
  growing.take(new Uint8Array(70_000), 0);
  assertLess(growing.capacity, (1 << 20) + 1);
  assertEquals(new GrowingBytes(10).capacity, 10);
  assert(new GrowingBytes(0).isWhole);
});
