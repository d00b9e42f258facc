import { assertEquals, assertThrows } from "@std/assert";
import { type DurationLike, toDuration } from "../../../src/core/duration.ts";

Deno.test("toDuration: ns, text and Temporal.Duration name the same durations", () => {
  const hour = 3_600_000_000_000n;
  const parts = { weeks: 1, days: 2, hours: 3, minutes: 4, seconds: 5 };
  const cases: [DurationLike, bigint][] = [
    [hour, hour],
    [3_600_000_000_000, hour],
    ["1h", hour],
    ["1h30m", hour + hour / 2n],
    ["90d", 90n * 24n * hour],
    [Temporal.Duration.from({ hours: 1 }), hour],
    [Temporal.Duration.from({ nanoseconds: 1, microseconds: 2, milliseconds: 3 }), 3_002_001n],
    [Temporal.Duration.from(parts), (9n * 24n + 3n) * hour + 245_000_000_000n],
    [Temporal.Duration.from({ days: -1 }), -24n * hour],
    [0, 0n],
  ];
  for (const [duration, ns] of cases) assertEquals(toDuration("test", duration, "age"), ns);
});

Deno.test("toDuration: what is no duration is refused with its value", () => {
  const refused: [unknown, string][] = [
    ["90 Tage", 'age is "90 Tage", expected a duration such as "90d"'],
    ["", 'age is ""'],
    [1.5, "age is 1.5, expected a bigint or safe integer"],
    [NaN, "age is NaN"],
    [2 ** 53, "age is 9007199254740992"],
    [Temporal.Duration.from({ months: 3 }), "age is P3M, expected weeks or smaller parts"],
    [Temporal.Duration.from({ years: 1 }), "age is P1Y"],
    [undefined, "age is undefined, expected a bigint of ns"],
    [null, "age is null"],
    [{ days: 3 }, "age is an object"],
    [new Date(), "age is a Date"],
    [true, "age is true"],
  ];
  for (const [duration, message] of refused) {
    assertThrows(() => toDuration("test", duration as DurationLike, "age"), Error, message);
  }
});
