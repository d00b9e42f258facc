/**
 * Times as text in the forms that exports and data by URL have.
 *
 * @module
 */

import { offsetAt } from "../core/clock_changes.ts";
import { formatTime, MINUTE, toNanoseconds } from "../core/time.ts";

/** Form of the times: instants, ns since 1970, or what clocks of a zone show. */
export type TimeWord = "rfc3339" | "ns" | "naive";

/** Length of `2026-01-02T03:04`. */
const MINUTE_LENGTH = 16;

/** Length of `2026-01-02T03:04:05.`. */
const FRACTION_AT = 20;

/**
 * Makes the text of a time from its ns and its RFC 3339 in UTC with nine digits.
 *
 * @param isShort True to leave out zeros at the end of the fraction.
 */
export function timeText(
  time: TimeWord,
  tz: string,
  isShort: boolean,
): (ns: string, utc: string) => string {
  if (time === "ns") return (ns) => ns;
  const whole = wholeText(time === "naive", tz);
  return isShort ? (ns, utc) => shorten(whole(ns, utc)) : whole;
}

/** Makes the text of a time with nine digits. */
function wholeText(isNaive: boolean, tz: string): (ns: string, utc: string) => string {
  if (tz === "UTC") return isNaive ? (_ns, utc) => utc.slice(0, -1) : (_ns, utc) => utc;
  let minute = "";
  let isWhole = false;
  let before = "";
  let after = "";
  return (ns, utc) => {
    if (!isWhole || !utc.startsWith(minute)) {
      minute = utc.slice(0, MINUTE_LENGTH);
      const start = toNanoseconds(`${minute}:00Z`);
      const offset = offsetAt(tz, start);
      isWhole = offset % MINUTE === 0n && offset === offsetAt(tz, start + MINUTE - 1n);
      if (!isWhole) return localText(BigInt(ns), tz, isNaive);
      before = formatTime(start + offset).slice(0, MINUTE_LENGTH);
      after = isNaive ? "" : offsetText(offset);
    }
    return before + utc.slice(MINUTE_LENGTH, -1) + after;
  };
}

/** A time as clocks of a zone show it. RFC 3339 has offsets of whole minutes only. */
function localText(ns: bigint, tz: string, isNaive: boolean): string {
  const offset = offsetAt(tz, ns);
  const shown = isNaive ? offset : offset - offset % MINUTE;
  return formatTime(ns + shown).slice(0, -1) + (isNaive ? "" : offsetText(shown));
}

function offsetText(offset: bigint): string {
  const minutes = Number((offset < 0n ? -offset : offset) / MINUTE);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${offset < 0n ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Leaves out zeros at the end of the fraction. */
function shorten(text: string): string {
  const fraction = FRACTION_AT + 9;
  let end = fraction;
  while (end > FRACTION_AT && text[end - 1] === "0") end--;
  return text.slice(0, end === FRACTION_AT ? end - 1 : end) + text.slice(fraction);
}

/**
 * The form of the times of Parquet and Arrow.
 *
 * @param time Absent: instants.
 */
export function columnarTimes(
  time: TimeWord | undefined,
  tz: string,
): { times: "instant" | "local" | "ns"; zone?: string } {
  if (time === "ns") return { times: "ns" };
  if (time !== "naive") return { times: "instant" };
  return tz === "UTC" ? { times: "local" } : { times: "local", zone: tz };
}
