import { assertEquals, assertThrows } from "@std/assert";
import { CliError } from "../../../src/cli/errors.ts";
import {
  formatTime,
  fractionDigits,
  parseInstant,
  parseTime,
  resolveZone,
  type TimeFrame,
} from "../../../src/cli/words/times.ts";

const SECOND = 1_000_000_000n;
const NOW = 1_700_000_000n * SECOND; // 2023-11-14T22:13:20Z
const UTC: TimeFrame = { tz: "UTC", now: NOW };
const BERLIN: TimeFrame = { tz: "Europe/Berlin", now: NOW };

function instant(text: string, frame: TimeFrame = UTC): bigint {
  return parseInstant(text, "--start", frame);
}

Deno.test("parseTime: what stands for itself", () => {
  const cases: [string, bigint][] = [
    ["1970-01-01T00:00:00Z", 0n],
    ["1970-01-01", 0n],
    ["1970-01", 0n],
    ["1969-12-31T23:59:59.999999999Z", -1n],
    ["2023-11-14T22:13:20Z", NOW],
    ["2023-11-14t22:13:20z", NOW],
    ["2023-11-14 22:13:20", NOW],
    ["2023-11-14 22:13:20 UTC", NOW],
    ["2023-11-14T22:13:20.5", NOW + SECOND / 2n],
    ["2023-11-14T22:13:20,123456789Z", NOW + 123_456_789n],
    ["2023-11-14T23:13:20+01:00", NOW],
    ["2023-11-14T23:13:20+0100", NOW],
    ["2023-11-14T17:13:20-05:00", NOW],
    ["2023-11-14T22:13", NOW - 20n * SECOND],
    ["2023-11-14T22", NOW - 800n * SECOND],
    ["1700000000000000000", NOW],
    ["0", 0n],
    ["-5", -5n],
    ["now", NOW],
    ["NOW", NOW],
    ["today", 1_699_920_000n * SECOND],
    ["yesterday", 1_699_833_600n * SECOND],
    ["today+9h", 1_699_952_400n * SECOND],
    ["now-2h", NOW - 7200n * SECOND],
    ["now - 2h", NOW - 7200n * SECOND],
    ["now+1.5s", NOW + 1_500_000_000n],
    ["2h", NOW - 7200n * SECOND],
    ["-2h", NOW - 7200n * SECOND],
    ["1h30m", NOW - 5400n * SECOND],
    ["  2023-11-14T22:13:20Z  ", NOW],
  ];
  for (const [text, expected] of cases) assertEquals(instant(text), expected, text);
});

Deno.test("parseTime: in a time zone", () => {
  assertEquals(instant("2023-11-14T23:13:20", BERLIN), NOW);
  assertEquals(instant("2023-11-14T22:13:20Z", BERLIN), NOW);
  assertEquals(instant("2023-11-14", BERLIN), instant("2023-11-13T23:00:00Z"));
  assertEquals(instant("2024-07-01", BERLIN), instant("2024-06-30T22:00:00Z"));
  assertEquals(instant("today", BERLIN), instant("2023-11-13T23:00:00Z"));
  assertEquals(
    instant("2024-03-31T02:30", BERLIN),
    instant("2024-03-31T01:30:00Z"),
    "skipped hour",
  );
  assertEquals(
    instant("2024-10-27T02:30", BERLIN),
    instant("2024-10-27T00:30:00Z"),
    "first of two",
  );
});

Deno.test("parseTime: what hangs on points", () => {
  const cases: [string, ReturnType<typeof parseTime>][] = [
    ["+30m", { anchor: "base", offset: 1800n * SECOND }],
    ["+1ns", { anchor: "base", offset: 1n }],
    ["first", { anchor: "first", offset: 0n }],
    ["last-10m", { anchor: "last", offset: -600n * SECOND }],
    ["last + 1ns", { anchor: "last", offset: 1n }],
  ];
  for (const [text, expected] of cases) assertEquals(parseTime(text, "--end", UTC), expected, text);
  assertThrows(() => instant("first"), CliError, "relative");
});

Deno.test("parseTime: what is none", () => {
  const none = [
    "",
    "yesterdy",
    "2023-13-01",
    "2023-02-29",
    "2023-11-14T24:00",
    "2023-11-14T22:60",
    "2023-11-14T22:13:61",
    "14.11.2023",
    "2h ago",
    "now-",
    "now*2h",
    "1.5",
    "+5",
    "5 parsecs",
  ];
  for (const text of none) {
    const error = assertThrows(() => parseTime(text, "--start", UTC), CliError, "--start", text);
    assertEquals(error.exit, 2);
  }
  assertThrows(() => instant("2100-01-01"), CliError, "2079");
  assertThrows(() => instant("1900-01-01"), CliError, "1933");
});

Deno.test("resolveZone: zones", () => {
  assertEquals(resolveZone(undefined), "UTC");
  assertEquals(resolveZone("utc"), "UTC");
  assertEquals(resolveZone("Europe/Berlin"), "Europe/Berlin");
  assertEquals(resolveZone("+02:00"), "+02:00");
  assertEquals(typeof resolveZone("local"), "string");
  assertThrows(() => resolveZone("Mars/Base"), CliError, "Mars/Base");
});

Deno.test("formatTime: shown", () => {
  assertEquals(formatTime(NOW, "UTC"), "2023-11-14T22:13:20Z");
  assertEquals(formatTime(NOW + 1n, "UTC"), "2023-11-14T22:13:20.000000001Z");
  assertEquals(formatTime(NOW, "UTC", 3), "2023-11-14T22:13:20.000Z");
  assertEquals(formatTime(NOW, "Europe/Berlin"), "2023-11-14T23:13:20+01:00");
  assertEquals(formatTime(-1n, "UTC"), "1969-12-31T23:59:59.999999999Z");
  assertEquals(fractionDigits([]), 0);
  assertEquals(fractionDigits([SECOND, 5_000_000n]), 3);
  assertEquals(fractionDigits([5_000n, 5_000_000n]), 6);
  assertEquals(fractionDigits([5n]), 9);
});

Deno.test("formatTime: what is shown reads back, in every zone", () => {
  for (const tz of ["UTC", "Europe/Berlin", "America/St_Johns", "+05:45"]) {
    for (let i = 0n; i < 200n; i++) {
      const time = NOW + i * 1_234_567_890_123_457n;
      assertEquals(instant(formatTime(time, tz), { tz, now: NOW }), time, tz);
    }
  }
});
