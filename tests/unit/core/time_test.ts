import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MAX_TIME, MIN_TIME } from "../../../src/core/range.ts";
import { DAY, formatTime, HOUR, MINUTE, SECOND, toNanoseconds } from "../../../src/core/time.ts";

const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;

Deno.test("formatTime: what is formatted reads back to the same nanosecond", () => {
  fc.assert(
    fc.property(fc.bigInt(INT64_MIN, INT64_MAX), (ns) => {
      const text = formatTime(ns);
      assertEquals(text.length, 30);
      assertEquals(toNanoseconds(text), ns);
      assertEquals(Temporal.Instant.from(text).epochNanoseconds, ns);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("formatTime, toNanoseconds: times at the edges of the axis and around the epoch", () => {
  const cases: [bigint, string][] = [
    [0n, "1970-01-01T00:00:00.000000000Z"],
    [1n, "1970-01-01T00:00:00.000000001Z"],
    [-1n, "1969-12-31T23:59:59.999999999Z"],
    [-SECOND, "1969-12-31T23:59:59.000000000Z"],
    [MIN_TIME, "1933-06-20T00:01:35.393153024Z"],
    [MAX_TIME, "2079-08-08T23:55:13.820540928Z"],
    [INT64_MIN, "1677-09-21T00:12:43.145224192Z"],
    [INT64_MAX, "2262-04-11T23:47:16.854775807Z"],
  ];
  for (const [ns, text] of cases) {
    assertEquals(formatTime(ns), text);
    assertEquals(toNanoseconds(text), ns);
  }
});

Deno.test("toNanoseconds: strings as Temporal reads them, with any offset and number of digits", () => {
  const offset = fc.tuple(fc.constantFrom("+", "-"), fc.nat(23), fc.nat(59)).map(
    ([sign, hours, minutes]) =>
      `${sign}${`${hours}`.padStart(2, "0")}:${`${minutes}`.padStart(2, "0")}`,
  );
  const zone = fc.oneof(fc.constantFrom("Z", "z"), offset);
  const moment = fc.bigInt(INT64_MIN + 2n * DAY, INT64_MAX - 2n * DAY);
  fc.assert(
    fc.property(moment, fc.nat(9), fc.constantFrom("T", "t", " "), zone, (ns, digits, t, z) => {
      const full = formatTime(ns).slice(0, 29);
      const cut = digits === 0 ? full.slice(0, 19) : full.slice(0, 20 + digits);
      const text = cut.replace("T", t) + z;
      assertEquals(toNanoseconds(text), Temporal.Instant.from(text).epochNanoseconds);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("toNanoseconds: leap days exist where the calendar has them", () => {
  assertEquals(toNanoseconds("2000-02-29T00:00:00Z"), 951_782_400n * SECOND);
  assertEquals(toNanoseconds("2024-02-29T23:59:59.5Z"), 1_709_251_199_500_000_000n);
  for (const text of ["2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z"]) {
    assertThrows(() => toNanoseconds(text), RangeError, "has no such day, expected 01 to 28");
  }
});

Deno.test("toNanoseconds: a Date, a number and Temporal objects name the same moment", () => {
  const ns = 1_767_225_600_123_000_000n;
  assertEquals(toNanoseconds(new Date(1_767_225_600_123)), ns);
  assertEquals(toNanoseconds(Temporal.Instant.fromEpochNanoseconds(ns + 7n)), ns + 7n);
  assertEquals(
    toNanoseconds(Temporal.ZonedDateTime.from("2026-01-01T01:00:00.123[Europe/Paris]")),
    ns,
  );
  assertEquals(toNanoseconds(new Date(-1)), -1_000_000n);
  assertEquals(toNanoseconds(-5), -5n);
});

Deno.test("toNanoseconds: strings that are not RFC 3339 are refused by name", () => {
  const problems: Record<string, string> = {
    "2026-01-02": "is not a time, expected RFC 3339",
    "2026-01-02T03:04:05": "is not a time",
    "2026-01-02T03:04Z": "is not a time",
    "2026-01-02T03:04:05.Z": "is not a time",
    "2026-01-02T03:04:05+0100": "is not a time",
    "20260102T030405Z": "is not a time",
    " 2026-01-02T03:04:05Z": "is not a time",
    "+002026-01-02T03:04:05Z": "is not a time",
    "now": "is not a time",
    "": "is not a time",
    "2026-13-02T03:04:05Z": "no such month, expected 01 to 12",
    "2026-00-02T03:04:05Z": "no such month",
    "2026-04-31T03:04:05Z": "no such day, expected 01 to 30",
    "2026-04-00T03:04:05Z": "no such day",
    "2026-04-30T24:00:00Z": "no such hour, expected 00 to 23",
    "2026-04-30T23:60:00Z": "no such minute",
    "2016-12-31T23:59:60Z": "no such second",
    "2026-04-30T23:00:00+24:00": "no such offset",
    "2026-04-30T23:00:00-00:60": "no such offset",
    "2026-04-30T23:00:00.1234567890Z": "has 10 fractional digits, expected at most 9",
    "0001-01-01T00:00:00Z": "does not fit in 64 bits of ns",
    "9999-12-31T23:59:59Z": "does not fit in 64 bits of ns",
  };
  for (const [text, problem] of Object.entries(problems)) {
    const error = assertThrows(() => toNanoseconds(text, "start"), RangeError, problem);
    assertMatch(error.message, /^Cannot use start: "/);
  }
});

Deno.test("toNanoseconds: values that name no moment are refused by name", () => {
  assertThrows(() => toNanoseconds(1.5), RangeError, "1.5 is not a safe integer");
  assertThrows(() => toNanoseconds(2 ** 53), RangeError, "is not a safe integer");
  assertThrows(() => toNanoseconds(NaN), RangeError, "NaN is not a safe integer");
  assertThrows(() => toNanoseconds(new Date(NaN)), RangeError, "the Date is invalid");
  assertThrows(() => toNanoseconds(new Date(9e15 - 4e14)), RangeError, "does not fit in 64 bits");
  assertThrows(() => toNanoseconds(1n << 63n), RangeError, "does not fit in 64 bits");
  assertThrows(() => toNanoseconds(INT64_MIN - 1n), RangeError, "does not fit in 64 bits");
  for (const value of [null, undefined, {}, true, [1n]]) {
    assertThrows(() => toNanoseconds(value as never), TypeError, "expected a bigint of ns");
  }
});

Deno.test("SECOND, MINUTE, HOUR, DAY: each is a multiple of the one before", () => {
  assertEquals([MINUTE, HOUR, DAY], [60n * SECOND, 3600n * SECOND, 86_400n * SECOND]);
});
