/** Times as people write them, without `Temporal`, against `Temporal`. */

import { assert, assertEquals } from "@std/assert";
import { fromLocal, offsetAt } from "../../../src/core/clock_changes.ts";
import { isRelativeTime, readTime } from "../../../src/core/time_words.ts";
import { cpuMs } from "../../support/cpu_ms.ts";
import { Random } from "../../support/random.ts";

const ZONES = [
  "UTC",
  "+05:30",
  "-03:30",
  "Europe/Berlin",
  "America/St_Johns",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "Asia/Kathmandu",
  "America/Sao_Paulo",
];

Deno.test("offsetAt, fromLocal: as Temporal has them, where clocks skip and repeat too", () => {
  const random = new Random(5);
  for (const tz of ZONES) {
    for (let i = 0; i < 300; i++) {
      const time = BigInt(random.int(-1_000_000_000, 2_147_483_647)) * 1_000_000_000n + 7n;
      const zoned = Temporal.Instant.fromEpochNanoseconds(time).toZonedDateTimeISO(tz);
      assertEquals([tz, time, offsetAt(tz, time)], [tz, time, BigInt(zoned.offsetNanoseconds)]);
      // Around a change of the clocks, which is within a year.
      const next = tz.includes("/") ? zoned.getTimeZoneTransition("next") ?? zoned : zoned;
      const minutes = random.int(-200, 200);
      const plain = next.toPlainDateTime().add({ minutes });
      const local = BigInt(plain.toZonedDateTime("UTC").epochNanoseconds);
      const right = plain.toZonedDateTime(tz).epochNanoseconds;
      assertEquals([tz, String(plain), fromLocal(tz, local)], [tz, String(plain), right]);
    }
  }
});

Deno.test("readTime: offsets and dates that there are not", () => {
  const frame = { tz: "UTC", now: 0n };
  for (
    const text of [
      "2026-02-29",
      "2026-13-01",
      "2026-00-10",
      "2026-01-01T24:00",
      "2026-01-01T00:60",
      "2026-01-01T00:00:60Z",
      "2026-01-01T00:00+24:00",
      "2026-01-01T00:00+01:60",
      "2026-01-01T00:00:00.1234567890Z",
      "+",
      "-",
      "",
      "now+",
      "1.5ns",
      "2026-01-01Z",
    ]
  ) assertEquals([text, readTime(text, frame)], [text, undefined]);
  const offset = Temporal.Instant.from("2026-01-01T00:00:00.5Z").epochNanoseconds;
  for (const text of ["2026-01-01T01:00:00.5+0100", "2026-01-01 00:00:00,5 UTC"]) {
    assertEquals(readTime(text, frame), { anchor: "epoch", offset });
  }
});

Deno.test("isRelativeTime: a time that hangs on the present, or on points", () => {
  for (const text of ["now", "2h", "+1d", "last-10m", "today"]) {
    assertEquals([text, isRelativeTime(text)], [text, true]);
  }
  for (const text of ["-5", "17", "2026-01-01", "2026-01-01T00:00Z"]) {
    assertEquals([text, isRelativeTime(text)], [text, false]);
  }
});

// The pattern tried blanks behind a sign in every way. A URL of 15 KB with them blocked a server for
// nine tenths of a second, also without a key.
Deno.test("readTime: blanks are looked at once", () => {
  const frame = { tz: "UTC", now: 0n };
  const text = `now+${" ".repeat(60_000)}x\ny`;
  assert(cpuMs(() => assertEquals(readTime(text, frame), undefined)) < 2_000);
  assertEquals(readTime("now + \n 1h", frame), readTime("now+1h", frame));
});
