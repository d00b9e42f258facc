import fc from "fast-check";
import { assertEquals } from "@std/assert";
import { fillRegular, regularUntil } from "../../../src/core/regular_times.ts";
import { holds } from "../../support/property.ts";

const MIN = -(1n << 63n), MAX = (1n << 63n) - 1n;

const step = fc.oneof(
  fc.bigInt(1n, 1n << 34n),
  fc.constantFrom(1n, (1n << 32n) - 1n, 1n << 32n, (1n << 32n) + 1n, 1n << 62n, MAX),
  fc.bigInt(1n, MAX),
);

const start = fc.oneof(
  fc.bigInt(MIN, MAX),
  fc.constantFrom(0n, -1n, MIN, MAX, MAX - 10n, (1n << 32n) - 1n, -(1n << 32n)),
);

Deno.test("fillRegular: times are those of a plain loop, modulo 2^64", () => {
  holds(
    fc.property(start, step, fc.nat(20), (start, step, n) => {
      const times = new BigInt64Array(n + 1).subarray(1);
      fillRegular(times, start, step);
      const expected = Array.from(
        { length: n },
        (_, i) => BigInt.asIntN(64, start + BigInt(i) * step),
      );
      assertEquals([...times], expected);
    }),
  );
});

Deno.test("regularUntil: ends where a time is not a step after the one before", () => {
  const off = fc.array(fc.tuple(fc.nat(12), fc.constantFrom(1n, -1n, 1n << 32n)), { maxLength: 2 });
  holds(
    fc.property(
      start,
      step,
      fc.integer({ min: 1, max: 12 }),
      off,
      fc.nat(11),
      (start, step, n, off, at) => {
        const times = new BigInt64Array(n);
        fillRegular(times, start, step);
        for (const [i, by] of off) if (i < n) times[i]! += by;
        const from = at % n;
        let end = from + 1;
        while (end < n && times[end] === times[end - 1]! + step) end++;
        assertEquals(regularUntil(times, from, step), end);
      },
    ),
  );
});
