import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { pointwidthOf } from "../../../src/core/pointwidth.ts";

Deno.test("pointwidthOf: windows of the pointwidth are the longest that are not longer", () => {
  fc.assert(fc.property(fc.bigInt(1n, (1n << 64n) - 1n), (ns) => {
    const p = BigInt(pointwidthOf(ns));
    assert(1n << p <= ns && ns < 1n << (p + 1n));
  }));
});

Deno.test("pointwidthOf: powers of two and their neighbours", () => {
  for (let p = 2; p <= 63; p++) {
    assertEquals(pointwidthOf(1n << BigInt(p)), p);
    assertEquals(pointwidthOf((1n << BigInt(p)) - 1n), p - 1);
  }
  assertEquals(pointwidthOf(1n << 100n), 63);
  assertEquals(pointwidthOf(1_000_000_000), 29);
});

Deno.test("pointwidthOf: what is no duration is refused", () => {
  assertThrows(() => pointwidthOf(0n), RangeError, "ns is 0, expected at least 1");
  assertThrows(() => pointwidthOf(-1), RangeError, "ns is -1, expected at least 1");
  assertThrows(() => pointwidthOf(1.5), RangeError, "ns is 1.5");
  assertThrows(() => pointwidthOf("1s" as never), TypeError, "ns is of type string");
});
