// Times as RFC 3339 and its looser relatives have them.

import { composeTime, daysOf, HOUR_NS, isDate, MINUTE_NS, SECOND_NS } from "./calendar";
import { zonedTime } from "./clock_changes";
import { beginZone, zone, zoneAt } from "./parse_zone";
import { beginTime, parsedTime, setParsedTime, takeLeapSecond } from "./parsed_time";
import { digitAt, fixedDigits, fraction, fractionAt, isPoint } from "./time_digits";

/** The last minute read, as text and as ns: neighbours mostly share it. */
const KEPT: usize = memory.data(16, 16);
let keptTime: i64 = 0;

/** `YYYY-MM-DDThh:mm` at `p`, or the same with a blank or `/`; leaves its time. */
function minuteAt(p: usize): bool {
  const text = v128.load(p);
  if (!v128.any_true(v128.xor(text, v128.load(KEPT)))) {
    setParsedTime(keptTime);
    return true;
  }
  const separator = load<u8>(p, 4);
  const middle = load<u8>(p, 10) | 32;
  if (separator != 45 && separator != 47 || load<u8>(p, 7) != separator) return false;
  if (middle != 116 && middle != 32 || load<u8>(p, 13) != 58) return false;
  const year = fixedDigits(p, 4), month = fixedDigits(p + 5, 2), day = fixedDigits(p + 8, 2);
  const hour = fixedDigits(p + 11, 2), minute = fixedDigits(p + 14, 2);
  if (!isDate(year, month, day) || <u32>minute > 59) return false;
  if (<u32>hour > 23 && (hour != 24 || minute != 0)) return false;
  const clock = <i64>hour * HOUR_NS + <i64>minute * MINUTE_NS;
  if (!composeTime(daysOf(year, month, day), clock)) return false;
  v128.store(KEPT, text);
  keptTime = parsedTime();
  return true;
}

/**
 * RFC 3339, also with a blank for the T, slashes for the dashes, without seconds, without a zone
 * (then {@link setTimeOffset} counts), or a date alone.
 */
export function parseCalendarTime(p: usize): usize {
  beginTime();
  const c = load<u8>(p, 10);
  beginZone();
  if (c != 84 && c != 116 && !(c == 32 && digitAt(p + 11) < 10)) return dateAt(p);
  if (!minuteAt(p)) return 0;
  let result = parsedTime();
  const midnight = load<u8>(p, 11) == 50 && load<u8>(p, 12) == 52;
  p += 16;
  let second = 0;
  let within: i64 = 0;
  if (load<u8>(p) == 58) {
    second = fixedDigits(p + 1, 2);
    if (<u32>second > 60 || midnight && second != 0) return 0;
    result += <i64>second * SECOND_NS;
    p += 3;
    if (isPoint(p)) {
      p = fractionAt(p + 1);
      if (p == 0 || midnight && fraction != 0) return 0;
      within = fraction;
      result += within;
    }
  }
  const blank = <usize>(load<u8>(p) == 32);
  const after = zoneAt(p + blank);
  if (after == 0) return 0;
  setParsedTime(result - zone);
  if (!zonedTime() || second == 60 && !takeLeapSecond(within)) return 0;
  return after == p + blank ? p : after;
}

/** A date alone: its midnight. */
function dateAt(p: usize): usize {
  const separator = load<u8>(p, 4);
  if (separator != 45 && separator != 47 || load<u8>(p, 7) != separator) return 0;
  const year = fixedDigits(p, 4), month = fixedDigits(p + 5, 2), day = fixedDigits(p + 8, 2);
  if (!isDate(year, month, day) || !composeTime(daysOf(year, month, day), -zone)) return 0;
  return zonedTime() ? p + 10 : 0;
}
