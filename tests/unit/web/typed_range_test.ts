/** Ranges as people type them. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseRange } from "../../../src/web/plotter/typed_range.ts";
import { toNanoseconds } from "../../../src/core/time.ts";

const now = toNanoseconds("2026-06-15T12:34:56.789Z");
const UTC = { now, zone: "UTC" };
const BERLIN = { now, zone: "Europe/Berlin" };

function range(start: string, end: string) {
  return { start: toNanoseconds(start), end: toNanoseconds(end) };
}

Deno.test("parseRange: dates and times to the nanosecond, in UTC and other zones", () => {
  const day = range("2026-01-31T00:00:00Z", "2026-01-31T12:00:00.123456789Z");
  assertEquals(parseRange("2026-01-31", "2026-01-31 12:00:00.123456789", UTC), day);
  assertEquals(parseRange("2026-01-31T00:00", "2026-01-31T12:00:00.123456789Z", UTC), day);
  const berlin = range("2026-01-31T11:00:00Z", "2026-07-31T10:00:00Z");
  assertEquals(parseRange("2026-01-31 12:00", "2026-07-31 12:00", BERLIN), berlin);
  assertEquals(parseRange("2026-01-31 12:00+01:00", "2026-07-31 12:00+0200", UTC), berlin);
});

Deno.test("parseRange: times of today, words, and durations from the other end", () => {
  assertEquals(
    parseRange("00:00", "24:00", BERLIN),
    range("2026-06-14T22:00:00Z", "2026-06-15T22:00:00Z"),
  );
  assertEquals(
    parseRange("yesterday", "today", UTC),
    range("2026-06-14T00:00:00Z", "2026-06-15T00:00:00Z"),
  );
  assertEquals(
    parseRange("2026-01-01", "+1h30m", UTC),
    range("2026-01-01T00:00:00Z", "2026-01-01T01:30:00Z"),
  );
  assertEquals(
    parseRange("-250ns", "2026-01-01", UTC),
    range("2025-12-31T23:59:59.999999750Z", "2026-01-01T00:00:00Z"),
  );
  assertEquals(parseRange("now-2d", "now-1.5 h", UTC), {
    start: now - 172_800_000_000_000n,
    end: now - 5_400_000_000_000n,
  });
  assertEquals(parseRange("0000000000000000", "1000000000000000000", UTC), {
    start: 0n,
    end: 10n ** 18n,
  });
});

Deno.test("parseRange: a range that ends now follows the clock", () => {
  assertEquals(parseRange("now-15m", "now", UTC), { last: 900_000_000_000n });
  assertEquals(parseRange("-15m", "now", UTC), { last: 900_000_000_000n });
  assertEquals(
    parseRange("2026-06-15", "now", UTC),
    range("2026-06-15", "2026-06-15T12:34:56.789Z"),
  );
  function range(start: string, end: string) {
    return { start: toNanoseconds(`${start}T00:00:00Z`), end: toNanoseconds(end) };
  }
});

Deno.test("parseRange: an hour that clocks show twice is the first one, a skipped one is refused", () => {
  assertEquals(
    parseRange("2026-10-25 02:30", "2026-10-25 03:30", BERLIN),
    range("2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"),
  );
  assertEquals(
    parseRange("2026-10-25 02:30+01:00", "2026-10-25 03:30", BERLIN),
    range("2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"),
  );
  const skipped = parseRange("2026-03-29 02:30", "2026-03-29 04:00", BERLIN);
  assertStringIncludes((skipped as { problem: string }).problem, "set forward");
});

Deno.test("parseRange: whatever cannot be read is quoted, with the field it is in", () => {
  const cases: [start: string, end: string, field: string, text: string][] = [
    ["", "now", "start", '""'],
    ["gestern", "now", "start", '"gestern"'],
    ["2026-02-30", "now", "start", '"2026-02-30"'],
    ["2026-01-01 25:00", "now", "start", '"25:00"'],
    ["2026-01-01", "2026-01-01", "end", "not after the start"],
    ["now-1x", "now", "start", '"x"'],
    ["now-1constructor", "now", "start", '"constructor"'],
    ["now-", "now", "start", '"now-"'],
    ["1900-01-01", "now", "start", "out of range"],
    ["2026-01-01", "9999-01-01", "end", "out of range"],
    ["now-1h", "later", "end", '"later"'],
    ["2026-01-01 12:00:00.1234567891", "now", "start", "2026-01-01 12:00:00.1234567891"],
    [`now-${"1h".repeat(200)}`, "now", "start", "duration"],
  ];
  for (const [start, end, field, text] of cases) {
    const found = parseRange(start, end, UTC) as { problem: string; field: string };
    assertEquals(found.field, field, `${start} ${end}`);
    assertStringIncludes(found.problem, text);
  }
});
