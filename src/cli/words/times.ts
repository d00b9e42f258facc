/**
 * Times as people write and read them: RFC 3339, dates, `now-2h`, `2h`, `+30m`, ns integers.
 *
 * @module
 */

import { usageError } from "../errors.ts";
import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import { readTime, type TimeFrame, type TimeSpec } from "../../core/time_words.ts";

export type { TimeFrame, TimeSpec };

const HINT = "times look like 2024-03-01, 2024-03-01T12:30:05.25Z, now-2h, 2h (ago), " +
  "+30m (after the start), last-10m or ns since 1970";

/**
 * Reads a time.
 *
 * @param text Text from the command line.
 * @param name The option, for the error, e.g. `"--start"`.
 * @param frame Time zone and present.
 * @throws {CliError} Usage error that shows the forms.
 */
export function parseTime(text: string, name: string, frame: TimeFrame): TimeSpec {
  const spec = readTime(text, frame);
  if (spec === undefined) throw usageError(`Cannot use ${name} ${text}: it is not a time`, HINT);
  if (spec.anchor === "epoch") checkRange(spec.offset, text, name);
  return spec;
}

/** Reads a time that may not hang on a stream's points: a tag of a row, not of a range. */
export function parseInstant(text: string, name: string, frame: TimeFrame): bigint {
  const spec = parseTime(text, name, frame);
  if (spec.anchor !== "epoch") {
    throw usageError(`Cannot use ${name} ${text}: there is nothing for it to be relative to`);
  }
  return spec.offset;
}

function checkRange(ns: bigint, text: string, name: string): void {
  if (ns < MIN_TIME || ns > MAX_TIME) {
    throw usageError(
      `Cannot use ${name} ${text}: BTrDB's times go from 1933-06-20T00:01:35Z to 2079-08-08T23:55:13Z`,
    );
  }
}

function zoned(ns: bigint, tz: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochNanoseconds(ns).toZonedDateTimeISO(tz);
}

/**
 * The time zone meant by `--tz`.
 *
 * @param text `"local"`, an IANA name or an offset; absent: UTC.
 * @throws {CliError} Usage error, if there is no such zone.
 */
export function resolveZone(text: string | undefined): string {
  if (text === undefined || /^(utc|z)$/i.test(text)) return "UTC";
  if (text === "local") return Temporal.Now.timeZoneId();
  try {
    return zoned(0n, text).timeZoneId;
  } catch {
    throw usageError(
      `Cannot use --tz ${text}: there is no such time zone`,
      "zones look like UTC, local, Europe/Berlin or +02:00",
    );
  }
}

/** Digits after the second, 0, 3, 6 or 9, that show all of `times` exactly. */
export function fractionDigits(times: Iterable<bigint>): 0 | 3 | 6 | 9 {
  let digits: 0 | 3 | 6 | 9 = 0;
  for (const time of times) {
    if (time % 1_000n !== 0n) return 9;
    if (digits < 6 && time % 1_000_000n !== 0n) digits = 6;
    if (digits < 3 && time % 1_000_000_000n !== 0n) digits = 3;
  }
  return digits;
}

/**
 * A time for people, RFC 3339, in a time zone.
 *
 * @param ns ns since the Unix epoch.
 * @param tz Time zone.
 * @param digits Digits after the second; absent: as many as it needs.
 */
export function formatTime(
  ns: bigint,
  tz: string,
  digits: 0 | 3 | 6 | 9 = fractionDigits([ns]),
): string {
  if (tz === "UTC") {
    return Temporal.Instant.fromEpochNanoseconds(ns).toString({
      fractionalSecondDigits: digits,
    });
  }
  return zoned(ns, tz).toString({ fractionalSecondDigits: digits, timeZoneName: "never" });
}
