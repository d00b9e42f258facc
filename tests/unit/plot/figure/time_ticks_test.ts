/** Ticks of time axes. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { timeTicks } from "../../../../src/plot/figure/time_ticks.ts";
import {
  fromWall,
  momentText,
  offsetText,
  zoneOffset,
} from "../../../../src/plot/figure/zone_time.ts";
import { formatTime, toNanoseconds } from "../../../../src/core/time.ts";
import { holds } from "../../../support/property.ts";

const at = toNanoseconds;
const labels = (start: string, end: string, most: number, zone = "UTC") =>
  timeTicks(at(start), at(end), most, zone).ticks.map(({ label }) => label);

Deno.test("timeTicks: labels from decades to nanoseconds", () => {
  assertEquals(labels("1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 7), [
    "1970",
    "1980",
    "1990",
    "2000",
    "2010",
    "2020",
  ]);
  assertEquals(labels("2026-01-15T00:00:00Z", "2026-05-02T00:00:00Z", 6), [
    "2026-02",
    "2026-03",
    "2026-04",
    "2026-05",
  ]);
  assertEquals(labels("2026-01-01T22:30:00Z", "2026-01-02T01:30:00Z", 5), [
    "23:00",
    "2026-01-02",
    "01:00",
  ]);
  assertEquals(
    labels("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:02.5Z", 6),
    [
      "00:00:00.500",
      "00:00:01.000",
      "00:00:01.500",
      "00:00:02.000",
    ].map((text) => text.slice(0, 10)),
  );
  const { ticks, context } = timeTicks(
    at("2026-01-01T00:00:05.123456780Z"),
    at("2026-01-01T00:00:05.123456790Z"),
    6,
    "UTC",
  );
  assertEquals(ticks.map(({ label }) => label), [
    ":05.123456780",
    ":05.123456782",
    ":05.123456784",
    ":05.123456786",
    ":05.123456788",
  ]);
  assertEquals(context, "2026-01-01 00:00");
});

Deno.test("timeTicks: the clock of a zone, also where it is set forward and back", () => {
  const forward = timeTicks(
    at("2026-03-29T00:00:00Z"),
    at("2026-03-29T04:00:00Z"),
    6,
    "Europe/Berlin",
  );
  assertEquals(
    forward.ticks.map(({ time, label }) => `${formatTime(time).slice(11, 16)} ${label}`),
    ["00:00 01:00", "01:00 03:00", "02:00 04:00", "03:00 05:00"],
  );
  const back = timeTicks(
    at("2026-10-24T23:30:00Z"),
    at("2026-10-25T02:30:00Z"),
    6,
    "Europe/Berlin",
  );
  assertEquals(
    back.ticks.map(({ time, label }) => `${formatTime(time).slice(11, 16)} ${label}`),
    ["00:00 02:00", "01:00 02:00", "02:00 03:00"],
  );
  assertEquals(labels("2026-03-28T12:00:00Z", "2026-03-31T12:00:00Z", 5, "Europe/Berlin"), [
    "2026-03-29",
    "2026-03-30",
    "2026-03-31",
  ]);
});

Deno.test("timeTicks: weeks begin on Mondays", () => {
  for (const label of labels("2026-01-01T00:00:00Z", "2026-02-20T00:00:00Z", 9)) {
    assertEquals(new Date(label).getUTCDay(), 1, label);
  }
});

Deno.test("timeTicks: as many as have room, ascending, inside, in any zone at any scale", () => {
  const zones = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "America/St_Johns"];
  const property = fc.property(
    fc.bigInt(-(2n ** 60n), 2n ** 61n),
    fc.integer({ min: 4, max: 61 }),
    fc.integer({ min: 1, max: 30 }),
    fc.constantFrom(...zones),
    (start, exponent, most, zone) => {
      const end = start + 2n ** BigInt(exponent);
      const { ticks } = timeTicks(start, end, most, zone);
      assert(ticks.length <= 2 * most + 2, `${ticks.length} of ${most}`);
      if (most >= 12) assert(ticks.length >= 1, `none of ${most}`);
      for (const [i, { time }] of ticks.entries()) {
        assert(time >= start && time < end);
        if (i > 0) assert(time > ticks[i - 1]!.time);
      }
    },
  );
  holds(property, 600);
});

Deno.test("zoneOffset: differences to UTC are those that the platform's calendar has", () => {
  const property = fc.property(
    fc.bigInt(-(2n ** 60n), 3n * 2n ** 60n - 1n),
    fc.constantFrom("Europe/Berlin", "Asia/Kathmandu", "America/Caracas", "Pacific/Apia"),
    (time, zone) => {
      const zoned = Temporal.Instant.fromEpochNanoseconds(time).toZonedDateTimeISO(zone);
      assertEquals(zoneOffset(time, zone), BigInt(zoned.offsetNanoseconds));
      assert(fromWall(time + zoneOffset(time, zone), zone).includes(time));
    },
  );
  holds(property, 600);
});

Deno.test("momentText: every digit, before the epoch too", () => {
  assertEquals(momentText(-1n, "UTC"), "1969-12-31 23:59:59.999999999");
  assertEquals(
    momentText(at("2026-07-01T12:00:00.000000001Z"), "Asia/Kolkata"),
    "2026-07-01 17:30:00.000000001",
  );
  assertEquals(offsetText(0n, "UTC"), "UTC");
  assertEquals(offsetText(at("2026-07-01T12:00:00Z"), "America/St_Johns"), "UTC−02:30");
});
