/**
 * Times as people write them: RFC 3339, dates, `now-2h`, `2h`, `+30m`, `last-10m`, ns integers.
 *
 * @module
 */

import { fromLocal, offsetAt } from "./clock_changes.ts";
import { tryDuration } from "./duration_text.ts";
import { DAY } from "./time.ts";

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

const CALENDAR =
  /^(\d{4})-(\d{2})(?:-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?)?$/i;

// What follows the sign is trimmed later: blanks that two parts of a pattern could take are tried in
// every way, which takes seconds for those of a long URL.
const ANCHORED = /^(now|today|yesterday|first|last)\s*(?:([+-])([^]+))?$/i;

/**
 * Reads a time.
 *
 * @param text Text of a person.
 * @param frame Time zone and present.
 * @returns Undefined if it is no time.
 */
export function readTime(text: string, frame: TimeFrame): TimeSpec | undefined {
  const trimmed = text.trim();
  return integer(trimmed) ?? anchored(trimmed, frame) ?? relative(trimmed, frame) ??
    calendar(trimmed, frame);
}

/** Tells whether a time is another one tomorrow: it hangs on the present. */
export function isRelativeTime(text: string): boolean {
  return !/^-?\d+$/.test(text.trim()) && !CALENDAR.test(text.trim());
}

/**
 * Tells whether an integer is ns by the rules and was mostly meant otherwise: as seconds, ms or µs,
 * as a year, or as a date without hyphens.
 */
export function isOddInteger(text: string): boolean {
  return /^-?(?:\d{4}|\d{8,16})$/.test(text.trim());
}

function integer(text: string): TimeSpec | undefined {
  return /^-?\d+$/.test(text) ? { anchor: "epoch", offset: BigInt(text) } : undefined;
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

function wordTime(word: string, { now, tz }: TimeFrame): bigint {
  if (word === "now") return now;
  const local = now + offsetAt(tz, now);
  const today = local - ((local % DAY) + DAY) % DAY;
  return fromLocal(tz, word === "yesterday" ? today - DAY : today);
}

/** `2h` and `-2h` are that long ago, `+30m` is that long after the base. */
function relative(text: string, frame: TimeFrame): TimeSpec | undefined {
  const plus = text.startsWith("+");
  const ns = tryDuration(text.replace(/^[+-]\s*/, ""));
  if (ns === undefined) return undefined;
  return plus ? { anchor: "base", offset: ns } : { anchor: "epoch", offset: frame.now - ns };
}

function calendar(text: string, { tz }: TimeFrame): TimeSpec | undefined {
  const match = CALENDAR.exec(text);
  if (match === null) return undefined;
  const [, ...parts] = match;
  const [year, month, day, hour, minute, second] = parts.slice(0, 6).map((part, i) =>
    Number(part ?? (i === 2 ? 1 : 0))
  ) as [number, number, number, number, number, number];
  const [fraction = "", zone] = parts.slice(6);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (zone !== undefined && !/^(z|utc|[+-]([01]\d|2[0-3]):?[0-5]\d)$/i.test(zone)) return undefined;
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isDate || hour > 23 || minute > 59 || second > 59) return undefined;
  const seconds = BigInt(date.getTime() / 1000 + hour * 3600 + minute * 60 + second);
  const local = seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
  return { anchor: "epoch", offset: fromLocal(zone === undefined ? tz : offsetName(zone), local) };
}

function offsetName(offset: string): string {
  if (/^(z|utc)$/i.test(offset)) return "UTC";
  return offset.includes(":") ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`;
}
