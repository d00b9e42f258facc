// Times by patterns in the manner of strptime.

import {
  composeTime,
  daysOf,
  HOUR_NS,
  isDate,
  isLeapYear,
  MINUTE_NS,
  SECOND_NS,
} from "./calendar";
import { zonedTime } from "./clock_changes";
import { beginZone, zone, zoneAt } from "./parse_zone";
import { beginTime, takeLeapSecond } from "./parsed_time";
import {
  clearFraction,
  field,
  fixedDigits,
  fraction,
  fractionAt,
  isPoint,
  numberAt,
} from "./time_digits";

/** The first three letters of each month, lower case, as 32-bit numbers. */
const MONTH_NAMES: usize = memory.data<u32>([
  0x6e616a, 0x626566, 0x72616d, 0x727061, 0x79616d, 0x6e756a, 0x6c756a, 0x677561, 0x706573,
  0x74636f, 0x766f6e, 0x636564,
]);

/** True if the pattern has a directive for the fraction. */
let fractionAsked: bool = false;
/** Fields of a pattern, as they are read. */
let year: i32 = 1970;
let month: i32 = 1;
let day: i32 = 1;
let dayOfYear: i32 = 0;
let hour: i32 = 0;
let minute: i32 = 0;
let second: i32 = 0;
let afternoon: i32 = -1;

/**
 * A time by a pattern: bytes above 127 are directives (the letter of strptime plus 128, or 129 to 134
 * for m, d, j, H or I, M and S with all of their digits), all others stand for themselves.
 */
export function parsePatternTime(p: usize, pattern: usize, length: usize): usize {
  beginTime();
  fractionAsked = false;
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(pattern + i) == 230) fractionAsked = true;
  }
  year = 1970;
  month = day = 1;
  dayOfYear = hour = minute = second = 0;
  afternoon = -1;
  clearFraction();
  beginZone();
  for (let i: usize = 0; i < length; i++) {
    const c = load<u8>(pattern + i);
    const fractionNext = i + 1 < length && load<u8>(pattern + i + 1) == 230;
    if (fractionNext && (c == 46 || c == 44) && load<u8>(p) != c) {
      // Some clocks leave out a fraction of 0.
      i++;
      continue;
    }
    if (c < 128) {
      if (load<u8>(p) != c) return 0;
      p++;
      continue;
    }
    p = directive(p, c - 128);
    if (p == 0) return 0;
  }
  return composeFields() ? p : 0;
}

/** Reads one directive; the address after it, or 0. */
function directive(p: usize, letter: u8): usize {
  switch (letter) {
    // The numbers that another one stands beside.
    case 1: return (month = fixedDigits(p, 2)) < 0 ? 0 : p + 2;
    case 2: return (day = fixedDigits(p, 2)) < 0 ? 0 : p + 2;
    case 3: return (dayOfYear = fixedDigits(p, 3)) < 0 ? 0 : p + 3;
    case 4: return (hour = fixedDigits(p, 2)) < 0 ? 0 : p + 2;
    case 5: return (minute = fixedDigits(p, 2)) < 0 ? 0 : p + 2;
    case 6: {
      second = fixedDigits(p, 2);
      if (second < 0) return 0;
      p += 2;
      return isPoint(p) && !fractionAsked ? fractionAt(p + 1) : p;
    }
    case 89: { // Y
      year = fixedDigits(p, 4);
      return year < 0 ? 0 : p + 4;
    }
    case 121: { // y, 69 to 99 in the 1900s (POSIX)
      const v = fixedDigits(p, 2);
      year = v < 69 ? 2000 + v : 1900 + v;
      return v < 0 ? 0 : p + 2;
    }
    case 109: return (p = numberAt(p, 2)) != 0 ? (month = field, p) : 0; // m
    case 98: return monthNameAt(p); // b
    case 100: return (p = numberAt(p, 2)) != 0 ? (day = field, p) : 0; // d
    case 106: return (p = numberAt(p, 3)) != 0 ? (dayOfYear = field, p) : 0; // j
    case 72: // H
    case 73: return (p = numberAt(p, 2)) != 0 ? (hour = field, p) : 0; // I
    case 77: return (p = numberAt(p, 2)) != 0 ? (minute = field, p) : 0; // M
    case 83: { // S, and a fraction that the pattern does not speak of
      p = numberAt(p, 2);
      if (p == 0) return 0;
      second = field;
      return isPoint(p) && !fractionAsked ? fractionAt(p + 1) : p;
    }
    case 102: return fractionAt(p); // f
    case 112: { // p
      const c = load<u8>(p) | 32;
      afternoon = c == 112 ? 1 : 0;
      return (c == 112 || c == 97) && (load<u8>(p, 1) | 32) == 109 ? p + 2 : 0;
    }
    case 90: // Z
    case 122: { // z
      const after = zoneAt(p);
      return after == p ? 0 : after;
    }
    default: return 0;
  }
}

function monthNameAt(p: usize): usize {
  const name = (<u32>load<u8>(p) | <u32>load<u8>(p, 1) << 8 | <u32>load<u8>(p, 2) << 16) | 0x202020;
  for (let i = 0; i < 12; i++) {
    if (load<u32>(MONTH_NAMES + (i << 2)) != name) continue;
    month = i + 1;
    return p + 3;
  }
  return 0;
}

function composeFields(): bool {
  if (afternoon >= 0) {
    if (hour < 1 || hour > 12) return false;
    hour = hour % 12 + 12 * afternoon;
  }
  if (hour > 24 || minute > 59 || second > 60) return false;
  if (hour == 24 && (minute != 0 || second != 0 || fraction != 0)) return false;
  let days: i64;
  if (dayOfYear > 0) {
    if (dayOfYear > 365 + <i32>isLeapYear(year)) return false;
    days = daysOf(year, 1, 1) + dayOfYear - 1;
  } else {
    if (!isDate(year, month, day)) return false;
    days = daysOf(year, month, day);
  }
  const clock = <i64>hour * HOUR_NS + <i64>minute * MINUTE_NS + <i64>second * SECOND_NS;
  if (!composeTime(days, clock + fraction - zone)) return false;
  return zonedTime() && (second < 60 || takeLeapSecond(fraction));
}
