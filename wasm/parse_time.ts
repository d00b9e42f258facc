// Times in cells of tables: decimal numbers of a unit, RFC 3339 and its looser relatives, and
// patterns in the manner of strptime. Every function returns the address after the text, or 0, and
// leaves the time in parsedTime().

const DAY_NS: i64 = 86400000000000;
const HOUR_NS: i64 = 3600000000000;
const MINUTE_NS: i64 = 60000000000;
const SECOND_NS: i64 = 1000000000;

const POWERS: usize = memory.data<i64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
]);
const MONTH_DAYS: usize = memory.data<u8>([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
/** The first three letters of each month, lower case, as 32-bit numbers. */
const MONTH_NAMES: usize = memory.data<u32>([
  0x6e616a, 0x626566, 0x72616d, 0x727061, 0x79616d, 0x6e756a, 0x6c756a, 0x677561, 0x706573,
  0x74636f, 0x766f6e, 0x636564,
]);

let time: i64 = 0;
let overflow: bool = false;
/** Offset of local time from UTC where a text does not say, ns. */
let offset: i64 = 0;

/** The time that was read, ns since the Unix epoch. */
// @ts-ignore: decorator
@inline
export function parsedTime(): i64 {
  return time;
}

/** Tells whether the last failure was a time beyond 64 bits of ns. */
export function timeOverflow(): bool {
  return overflow;
}

/** Sets what local time is ahead of UTC, ns. */
export function setTimeOffset(ns: i64): void {
  offset = ns;
}

// @ts-ignore: decorator
@inline
function digitAt(p: usize): u32 {
  return <u32>load<u8>(p) - 48;
}

/** A decimal number of 10^unit ns; digits below a ns are cut. */
export function parseDecimalTime(p: usize, unit: i32): usize {
  overflow = false;
  const negative = load<u8>(p) == 45;
  if (negative || load<u8>(p) == 43) p++;
  const start = p;
  while (digitAt(p) == 0) p++;
  const first = p;
  let v: u64 = 0;
  let digit = digitAt(p);
  while (digit < 10) {
    v = v * 10 + digit;
    digit = digitAt(++p);
  }
  let digits = <i32>(p - first);
  let any = p != start;
  let left = unit;
  if (load<u8>(p) == 46) {
    p++;
    digit = digitAt(p);
    while (digit < 10) {
      if (left > 0 && digits <= 19) {
        v = v * 10 + digit;
        digits += <i32>(v != 0);
        left--;
      }
      any = true;
      digit = digitAt(++p);
    }
  }
  if (!any) return 0;
  digits += v == 0 ? 0 : left;
  const scaled = v * <u64>load<i64>(POWERS + (<usize>left << 3));
  if (digits > 19 || scaled > <u64>i64.MAX_VALUE + <u64>negative) {
    overflow = true;
    return 0;
  }
  time = negative ? <i64>(0 - scaled) : <i64>scaled;
  return p;
}

/** `digits` digits at `p`, or −1. */
function fixedDigits(p: usize, digits: i32): i32 {
  let v = 0;
  for (let i = 0; i < digits; i++) {
    const digit = digitAt(p + i);
    if (digit > 9) return -1;
    v = v * 10 + <i32>digit;
  }
  return v;
}

/** Days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms"). */
function daysOf(year: i32, month: i32, day: i32): i64 {
  const y = year - <i32>(month <= 2);
  const era = (y >= 0 ? y : y - 399) / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return <i64>era * 146097 + dayOfEra - 719468;
}

function isDate(year: i32, month: i32, day: i32): bool {
  if (year < 0 || month < 1 || month > 12 || day < 1) return false;
  const leap = month == 2 && (year % 4 == 0 && year % 100 != 0 || year % 400 == 0);
  return day <= <i32>load<u8>(MONTH_DAYS + month - 1) + <i32>leap;
}

/** ns from days and clock; 0 if that does not fit (years 1678 to 2261 do). */
function compose(days: i64, within: i64): bool {
  overflow = days < -106751 || days > 106750;
  time = days * DAY_NS + within;
  return !overflow;
}

/** Digits after the point at `p`; the ns in `fraction`. */
let fraction: i64 = 0;
function fractionAt(p: usize): usize {
  let v: i64 = 0;
  let n = 0;
  let digit = digitAt(p);
  if (digit > 9) return 0;
  while (digit < 10) {
    if (n < 9) {
      v = v * 10 + digit;
      n++;
    }
    digit = digitAt(++p);
  }
  fraction = v * load<i64>(POWERS + ((9 - n) << 3));
  return p;
}

/** `Z`, `UTC`, `±hh`, `±hhmm` or `±hh:mm`; the ns in `zone`. `p` itself if there is none. */
let zone: i64 = 0;
function zoneAt(p: usize): usize {
  const c = load<u8>(p);
  zone = offset;
  if (c == 90 || c == 122) {
    zone = 0;
    return p + 1;
  }
  if (c == 85 && load<u8>(p, 1) == 84 && load<u8>(p, 2) == 67) {
    zone = 0;
    return p + 3;
  }
  if (c != 43 && c != 45) return p;
  const hours = fixedDigits(p + 1, 2);
  if (hours < 0 || hours > 23) return 0;
  p += 3;
  let minutes = 0;
  const colon = load<u8>(p) == 58;
  if (colon || digitAt(p) < 10) {
    minutes = fixedDigits(p + <usize>colon, 2);
    if (minutes < 0 || minutes > 59) return 0;
    p += 2 + <usize>colon;
  }
  const ns = <i64>hours * HOUR_NS + <i64>minutes * MINUTE_NS;
  zone = c == 45 ? -ns : ns;
  return p;
}

/** The last minute read, as text and as ns: neighbours mostly share it. */
const KEPT: usize = memory.data(16, 16);
let keptTime: i64 = 0;

/** `YYYY-MM-DDThh:mm` at `p`, or the same with a blank or `/`; the ns in `time`. */
function minuteAt(p: usize): bool {
  const text = v128.load(p);
  if (!v128.any_true(v128.xor(text, v128.load(KEPT)))) {
    time = keptTime;
    return true;
  }
  const separator = load<u8>(p, 4);
  const middle = load<u8>(p, 10) | 32;
  if (separator != 45 && separator != 47 || load<u8>(p, 7) != separator) return false;
  if (middle != 116 && middle != 32 || load<u8>(p, 13) != 58) return false;
  const year = fixedDigits(p, 4), month = fixedDigits(p + 5, 2), day = fixedDigits(p + 8, 2);
  const hour = fixedDigits(p + 11, 2), minute = fixedDigits(p + 14, 2);
  if (!isDate(year, month, day) || <u32>hour > 23 || <u32>minute > 59) return false;
  if (!compose(daysOf(year, month, day), <i64>hour * HOUR_NS + <i64>minute * MINUTE_NS)) return false;
  v128.store(KEPT, text);
  keptTime = time;
  return true;
}

/**
 * RFC 3339, also with a blank for the T, slashes for the dashes, without seconds, without a zone
 * (then {@link setTimeOffset} counts), or a date alone.
 */
export function parseCalendarTime(p: usize): usize {
  overflow = false;
  const c = load<u8>(p, 10);
  if (c != 84 && c != 116 && !(c == 32 && digitAt(p + 11) < 10)) return dateAt(p);
  if (!minuteAt(p)) return 0;
  let result = time;
  p += 16;
  if (load<u8>(p) == 58) {
    const second = fixedDigits(p + 1, 2);
    if (<u32>second > 59) return 0;
    result += <i64>second * SECOND_NS;
    p += 3;
    if (load<u8>(p) == 46) {
      p = fractionAt(p + 1);
      if (p == 0) return 0;
      result += fraction;
    }
  }
  const blank = <usize>(load<u8>(p) == 32);
  const after = zoneAt(p + blank);
  if (after == 0) return 0;
  time = result - zone;
  return after == p + blank ? p : after;
}

function dateAt(p: usize): usize {
  const separator = load<u8>(p, 4);
  if (separator != 45 && separator != 47 || load<u8>(p, 7) != separator) return 0;
  const year = fixedDigits(p, 4), month = fixedDigits(p + 5, 2), day = fixedDigits(p + 8, 2);
  if (!isDate(year, month, day) || !compose(daysOf(year, month, day), -offset)) return 0;
  return p + 10;
}

/** Fields of a pattern, as they are read. */
let year: i32 = 1970;
let month: i32 = 1;
let day: i32 = 1;
let dayOfYear: i32 = 0;
let hour: i32 = 0;
let minute: i32 = 0;
let second: i32 = 0;
let afternoon: i32 = -1;

/** A number of one to `most` digits; the value in `field`. */
let field: i32 = 0;
function numberAt(p: usize, most: i32): usize {
  let v = 0;
  let n = 0;
  let digit = digitAt(p);
  while (digit < 10 && n < most) {
    v = v * 10 + <i32>digit;
    digit = digitAt(p + ++n);
  }
  field = v;
  return n == 0 ? 0 : p + n;
}

/**
 * A time by a pattern: bytes above 127 are directives (the letter of strptime plus 128), all others
 * stand for themselves.
 */
export function parsePatternTime(p: usize, pattern: usize, length: usize): usize {
  overflow = false;
  year = 1970;
  month = day = 1;
  dayOfYear = hour = minute = second = 0;
  afternoon = -1;
  fraction = 0;
  zone = offset;
  for (let i: usize = 0; i < length; i++) {
    const c = load<u8>(pattern + i);
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
    case 83: return (p = numberAt(p, 2)) != 0 ? (second = field, p) : 0; // S
    case 102: return fractionAt(p); // f
    case 112: { // p
      const c = load<u8>(p) | 32;
      afternoon = c == 112 ? 1 : 0;
      return (c == 112 || c == 97) && (load<u8>(p, 1) | 32) == 109 ? p + 2 : 0;
    }
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
  if (hour > 23 || minute > 59 || second > 59) return false;
  let days: i64;
  if (dayOfYear > 0) {
    const leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    if (dayOfYear > 365 + <i32>leap) return false;
    days = daysOf(year, 1, 1) + dayOfYear - 1;
  } else {
    if (!isDate(year, month, day)) return false;
    days = daysOf(year, month, day);
  }
  const clock = <i64>hour * HOUR_NS + <i64>minute * MINUTE_NS + <i64>second * SECOND_NS;
  return compose(days, clock + fraction - zone);
}
