/**
 * Times as people write and read them: RFC 3339, dates, `now-2h`, `2h`, `+30m`, ns integers.
 *
 * @module
 */

import { tryDuration } from "./durations.ts";
import { usageError } from "../errors.ts";
import { MAX_TIME, MIN_TIME } from "../../core/range.ts";

/**
 * A time that may hang on something not yet known: `anchor` plus `offset` ns. `base` is what `+30m`
 * counts from: the start for an end, the first point for a start.
 */
export interface TimeSpec {
  anchor: "epoch" | "first" | "last" | "base";
  /** ns. */
  offset: bigint;
}

/** Time zone and present against which times are read. */
export interface TimeFrame {
  /** IANA name or offset, e.g. `"UTC"`, `"Europe/Berlin"`, `"+02:00"`. */
  tz: string;
  /** The present, ns since the Unix epoch. */
  now: bigint;
}

const HINT = "times look like 2024-03-01, 2024-03-01T12:30:05.25Z, now-2h, 2h (ago), " +
  "+30m (after the start), last-10m or ns since 1970";

const CALENDAR =
  /^(\d{4})-(\d{2})(?:-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?)?$/i;

const ANCHORED = /^(now|today|yesterday|first|last)\s*(?:([+-])\s*(.+))?$/i;

/**
 * Reads a time.
 *
 * @param text Text from the command line.
 * @param name The option, for the error, e.g. `"--start"`.
 * @param frame Time zone and present.
 * @throws {CliError} Usage error that shows the forms.
 */
export function parseTime(text: string, name: string, frame: TimeFrame): TimeSpec {
  const trimmed = text.trim();
  const spec = integer(trimmed) ?? anchored(trimmed, frame) ?? relative(trimmed, frame) ??
    calendar(trimmed, frame);
  if (spec === undefined) throw usageError(`Cannot use ${name} ${text}: it is not a time`, HINT);
  if (spec.anchor === "epoch") checkRange(spec.offset, text, name);
  return spec;
}

/** Reads a time that may not hang on a stream's points: a tag of a row, not of a range. */
export function parseInstant(text: string, name: string, frame: TimeFrame): bigint {
  const spec = parseTime(text, name, frame);
  if (spec.anchor !== "epoch") {
    throw usageError(`Cannot use ${name} ${text}: nothing here that it could be relative to`);
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

function integer(text: string): TimeSpec | undefined {
  return /^[+-]?\d+$/.test(text) && !text.startsWith("+")
    ? { anchor: "epoch", offset: BigInt(text) }
    : undefined;
}

function anchored(text: string, frame: TimeFrame): TimeSpec | undefined {
  const match = ANCHORED.exec(text);
  if (match === null) return undefined;
  const shift = match[3] === undefined ? 0n : tryDuration(match[3]);
  if (shift === undefined) return undefined;
  const signed = match[2] === "-" ? -shift : shift;
  const word = match[1]!.toLowerCase();
  if (word === "first" || word === "last") return { anchor: word, offset: signed };
  return { anchor: "epoch", offset: wordTime(word, frame) + signed };
}

function wordTime(word: string, frame: TimeFrame): bigint {
  if (word === "now") return frame.now;
  const today = zoned(frame.now, frame.tz).startOfDay();
  const day = word === "yesterday" ? today.subtract({ days: 1 }) : today;
  return day.epochNanoseconds;
}

/** `2h` and `-2h` are that long ago, `+30m` is that long after the base. */
function relative(text: string, frame: TimeFrame): TimeSpec | undefined {
  const plus = text.startsWith("+");
  const ns = tryDuration(text.replace(/^[+-]\s*/, ""));
  if (ns === undefined) return undefined;
  return plus ? { anchor: "base", offset: ns } : { anchor: "epoch", offset: frame.now - ns };
}

function calendar(text: string, frame: TimeFrame): TimeSpec | undefined {
  const match = CALENDAR.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const iso = `${year}-${month}-${day ?? "01"}T${hour ?? "00"}:${minute ?? "00"}:${second ?? "00"}`;
  const nanos = BigInt((fraction ?? "").padEnd(9, "0"));
  const zone = offset === undefined ? frame.tz : offsetName(offset);
  try {
    const plain = Temporal.PlainDateTime.from(iso, { overflow: "reject" });
    return { anchor: "epoch", offset: plain.toZonedDateTime(zone).epochNanoseconds + nanos };
  } catch {
    return undefined;
  }
}

function offsetName(offset: string): string {
  if (/^(z|utc)$/i.test(offset)) return "UTC";
  return offset.includes(":") ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`;
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
