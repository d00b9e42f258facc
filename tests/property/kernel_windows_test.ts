import fc from "fast-check";
import { assertEquals } from "@std/assert";
import { concatStat, sliceRaw, sliceStat } from "../../src/core/columns.ts";
import { alignedRewindow, reducePixels, rewindow, Rewindower } from "../../src/kernel/mod.ts";
import { sortedPoints, sortedWindows } from "../support/columns_arbitrary.ts";
import { assertWindows, magnitude } from "../support/kernel_compare.ts";
import { referencePixels, referenceRewindow } from "../support/kernel_reference.ts";
import { holds } from "../support/property.ts";

const start = fc.bigInt(-1200n, 1200n);
const length = fc.oneof(fc.bigInt(0n, 5n), fc.bigInt(0n, 4000n));
const width = fc.oneof(fc.bigInt(1n, 12n), fc.bigInt(1n, 900n));
const mode = fc.constantFrom("sparse" as const, "dense" as const);
const input = fc.oneof(sortedPoints, sortedWindows);

Deno.test("rewindow: equals the reference, raw points and windows", () => {
  holds(fc.property(input, start, length, width, mode, fc.boolean(), (c, from, n, w, m, s) => {
    const actual = rewindow(c, { start: from, end: from + n, width: w, mode: m, stddev: s });
    const expected = referenceRewindow(c, from, from + n, w, m === "dense", s);
    assertWindows(actual, expected, magnitude(c));
  }));
});

Deno.test("alignedRewindow: equals the reference on the grid", () => {
  holds(fc.property(input, start, length, fc.nat(12), mode, (c, from, n, pw, m) => {
    const options = { pointwidth: pw, start: from, end: from + n, mode: m };
    const down = (t: bigint) => (t >> BigInt(pw)) << BigInt(pw);
    const expected = referenceRewindow(
      c,
      down(from),
      down(from + n),
      1n << BigInt(pw),
      m === "dense",
      false,
    );
    assertWindows(alignedRewindow(c, options), expected, magnitude(c));
  }));
});

Deno.test("alignedRewindow: without a range takes in all points", () => {
  holds(fc.property(sortedPoints, fc.integer({ min: 0, max: 63 }), (c, pointwidth) => {
    const windows = alignedRewindow(c, { pointwidth });
    assertEquals(windows.count.reduce((a, b) => a + b, 0n), BigInt(c.times.length));
  }));
});

Deno.test("Rewindower: gives the same windows however the input is cut", () => {
  const cuts = fc.array(fc.nat(80), { maxLength: 6 });
  holds(fc.property(input, cuts, start, length, width, mode, (c, at, from, n, w, m) => {
    const options = { start: from, end: from + n, width: w, mode: m, stddev: true };
    const windows = new Rewindower(options);
    const edges = [
      0,
      ...at.filter((i) => i < c.times.length).sort((a, b) => a - b),
      c.times.length,
    ];
    const parts = edges.slice(1).map((to, k) =>
      windows.push("values" in c ? sliceRaw(c, edges[k]!, to) : sliceStat(c, edges[k]!, to))
    );
    const actual = concatStat([...parts, windows.finish()]);
    assertWindows(actual, rewindow(c, options), magnitude(c));
  }));
});

Deno.test("rewindow: windows of windows hold the points that the points' own windows hold", () => {
  const factor = fc.bigInt(1n, 9n);
  holds(fc.property(sortedPoints, start, width, factor, fc.nat(60), (c, from, w, k, n) => {
    const end = from + w * k * BigInt(n);
    const fine = rewindow(c, { start: from, end, width: w, stddev: true });
    const coarse = rewindow(fine, { start: from, end, width: w * k, stddev: true });
    const direct = rewindow(c, { start: from, end, width: w * k, stddev: true });
    assertWindows(coarse, direct, magnitude(c));
  }));
});

Deno.test("reducePixels: equals the reference", () => {
  const pixels = fc.integer({ min: 1, max: 40 });
  holds(fc.property(input, start, length, pixels, (c, from, n, p) => {
    const actual = reducePixels(c, { start: from, end: from + n, pixels: p });
    assertWindows(actual, referencePixels(c, from, from + n, p), magnitude(c));
  }));
});
