import { assertEquals, assertThrows } from "@std/assert";
import {
  describePointwidth,
  formatDuration,
  parseDuration,
  parsePointwidth,
  roughDuration,
  tryDuration,
} from "../../../src/cli/words/durations.ts";
import { CliError } from "../../../src/cli/errors.ts";

Deno.test("tryDuration: read exactly", () => {
  const cases: [string, bigint][] = [
    ["1ns", 1n],
    ["8333333ns", 8_333_333n],
    ["200ms", 200_000_000n],
    ["1.5s", 1_500_000_000n],
    ["0.000000001s", 1n],
    ["1us", 1_000n],
    ["1µs", 1_000n],
    ["1μs", 1_000n],
    ["2 min", 120_000_000_000n],
    ["2m", 120_000_000_000n],
    ["1h30m", 5_400_000_000_000n],
    ["1h 30m 5s", 5_405_000_000_000n],
    ["1d", 86_400_000_000_000n],
    ["0.5d", 43_200_000_000_000n],
    ["1w", 604_800_000_000_000n],
    ["9007199254740993ns", 9_007_199_254_740_993n],
  ];
  for (const [text, expected] of cases) assertEquals(tryDuration(text), expected, text);
});

Deno.test("parseDuration: what is none", () => {
  for (
    const text of ["", "5", "s", "1.s", ".5s", "1.5ns", "0.1ns", "-1s", "1x", "1s2", "1 fortnight"]
  ) {
    assertEquals(tryDuration(text), undefined, text);
  }
  assertEquals(parseDuration("15", "--width"), 15n);
  assertThrows(() => parseDuration("0s", "--width"), CliError, "--width 0s");
  assertThrows(() => parseDuration("soon", "--width"), CliError, "at least 1 ns");
});

Deno.test("formatDuration: shown and read again", () => {
  const cases: [bigint, string][] = [
    [0n, "0 ns"],
    [999n, "999 ns"],
    [1_500n, "1.5 µs"],
    [8_333_333n, "8.333333 ms"],
    [1_073_741_824n, "1.073741824 s"],
    [5_400_000_000_000n, "1 h 30 min"],
    [273_600_000_000_000n, "3 d 4 h"],
    [-1_500n, "-1.5 µs"],
  ];
  for (const [ns, text] of cases) {
    assertEquals(formatDuration(ns), text);
    if (ns > 0n) assertEquals(tryDuration(text), ns, text);
  }
  assertEquals(roughDuration(1_073_741_824n), "1.07 s");
  assertEquals(roughDuration(5_400_000_000_000n), "1.5 h");
  assertEquals(roughDuration(12n), "12 ns");
});

Deno.test("parsePointwidth: exponents and durations", () => {
  assertEquals(parsePointwidth("0", "-p"), 0);
  assertEquals(parsePointwidth("63", "-p"), 63);
  assertEquals(parsePointwidth("1s", "-p"), 29);
  assertEquals(parsePointwidth("1073741824ns", "-p"), 30);
  assertEquals(parsePointwidth("1073741823ns", "-p"), 29);
  assertEquals(parsePointwidth("1ns", "-p"), 0);
  for (const text of ["64", "-1", "1000", "x", "0s"]) {
    assertThrows(() => parsePointwidth(text, "-p"), CliError, "0 to 63", text);
  }
  assertEquals(describePointwidth(30), "2^30 ns (1.073741824 s)");
});
