// Times in cells of tables: decimal numbers of a unit, RFC 3339 and its looser relatives, and
// patterns in the manner of strptime. Every function returns the address after the text, or 0, and
// leaves the time in parsedTime().

import { digitsAt, numberOf16, othersOf } from "./read_digits";

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

/** True if a comma may stand before a fraction of a second. */
let commaFraction: bool = false;
/** Names of zones: length, letters in upper case, ns ahead of UTC (i64); a length of 0 ends them. */
let zoneNames: usize = 0;
/** True if the text named its zone. */
let zoneSaid: bool = false;
/** Changes of the clocks of a place: number, and (since UTC, ns ahead from then on) for each. */
let changes: usize = 0;
let changeCount: i32 = 0;
/** Clock times in [safeFrom, safeTo) have this offset alone. */
let safeFrom: i64 = 1;
let safeTo: i64 = 0;
let safeOffset: i64 = 0;
/** The time of the row before and its distance to the one before it; 0 where there is none. */
let before: i64 = i64.MIN_VALUE;
let distance: i64 = 0;
/** Clock times that come twice and could not be told apart by the rows around. */
let unsure: u32 = 0;
/** True if the text is a clock time that was left out when clocks were set forward. */
let missing: bool = false;
/** True if the text is a clock time that comes twice and could not be told apart. */
let doubtful: bool = false;
/** True if the text has digits below a ns. */
let finer: bool = false;
let cut: u32 = 0;

/** Sets what zones may be called, and whether commas may stand before fractions. */
export function setTimeWords(names: usize, comma: bool): void {
  zoneNames = names;
  commaFraction = comma;
}

/** Sets the changes of the clocks of a place; 0 of them: offsets are fixed. */
export function setTimeZone(at: usize, count: i32): void {
  changes = at;
  changeCount = count;
  safeFrom = 1;
  safeTo = 0;
}

/** Sets the time of the row before the next one, and its distance to the one before it. */
export function setTimeBefore(last: i64, step: i64): void {
  before = last;
  distance = step;
  unsure = 0;
  cut = 0;
}

export function timeBefore(): i64 {
  return before;
}

export function timeDistance(): i64 {
  return distance;
}

/** Times since {@link setTimeBefore} that come twice and could not be told apart. */
export function timesUnsure(): u32 {
  return unsure;
}

/** Times since {@link setTimeBefore} with digits below a ns, which were cut. */
export function timesCut(): u32 {
  return cut;
}

/** Tells whether the last failure was a clock time that does not exist. */
export function timeMissing(): bool {
  return missing;
}

/** Forgets digits below a ns, where times are moved anyway. */
export function timeMoved(): void {
  finer = false;
}

/** Notes that a row has a time. */
// @ts-ignore: decorator
@inline
export function timePassed(ns: i64): void {
  if (before != i64.MIN_VALUE && ns > before) distance = ns - before;
  before = ns;
  if (doubtful) {
    doubtful = false;
    unsure++;
  }
  if (finer) {
    finer = false;
    cut++;
  }
}

// @ts-ignore: decorator
@inline
function changeAt(i: i32): i64 {
  return load<i64>(changes + (<usize>i << 4));
}

// @ts-ignore: decorator
@inline
function offsetAfter(i: i32): i64 {
  return load<i64>(changes + (<usize>i << 4), 8);
}

/** The time that clocks show, to UTC, if the text did not say its zone; false if there is none. */
function zonedTime(): bool {
  if (zoneSaid || changeCount == 0) return true;
  const local = time;
  if (local >= safeFrom && local < safeTo) {
    time = local - safeOffset;
    return true;
  }
  let low = 0, high = changeCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (changeAt(middle) <= local + DAY_NS) low = middle;
    else high = middle - 1;
  }
  // The last change that may have been; offsets are less than a day, so at most a few are near.
  let first: i64 = 0, second: i64 = 0, found = 0, i = low;
  for (; i >= 0 && i > low - 6; i--) {
    const utc = local - offsetAfter(i);
    const next = i + 1 < changeCount ? changeAt(i + 1) : i64.MAX_VALUE;
    if (utc < changeAt(i) || utc >= next) continue;
    if (found == 0) second = utc;
    first = utc;
    found++;
    const from = i == 0 ? i64.MIN_VALUE : changeAt(i) + max(offsetAfter(i), offsetAfter(i - 1));
    const to = i + 1 == changeCount
      ? i64.MAX_VALUE
      : next + min(offsetAfter(i), offsetAfter(i + 1));
    if (local >= from && local < to) {
      safeFrom = from;
      safeTo = to;
      safeOffset = offsetAfter(i);
    }
  }
  if (found == 0) {
    missing = true;
    return false;
  }
  time = found == 1 ? first : ofTwo(first, second);
  return true;
}

/**
 * The one of two times that the rows before lead to: where clocks go back, the one nearer to a step
 * like the last; where they go on, the first, but for a step of just the same length. Unsure, unless
 * one is twice as near as the other.
 */
function ofTwo(first: i64, second: i64): i64 {
  if (before == i64.MIN_VALUE) {
    doubtful = true;
    return first;
  }
  const expected = before + distance;
  const a = first > expected ? first - expected : expected - first;
  const b = second > expected ? second - expected : expected - second;
  const isSecond = first > before ? b == 0 : b <= a;
  const half = (isSecond ? a : b) >> 1;
  if ((isSecond ? b : a) > half) doubtful = true;
  return isSecond ? second : first;
}

/** The time that was read, ns since the Unix epoch. */
// @ts-ignore: decorator
@inline
export function parsedTime(): i64 {
  return time;
}

/** Sets the time that was read. */
export function setParsedTime(ns: i64): void {
  overflow = false;
  missing = false;
  doubtful = false;
  finer = false;
  time = ns;
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

/** A decimal number of 10^unit ns; digits below a ns are cut and counted. */
export function parseDecimalTime(p: usize, unit: i32): usize {
  overflow = missing = doubtful = finer = false;
  const negative = load<u8>(p) == 45;
  if (negative || load<u8>(p) == 43) p++;
  const start = p;
  while (digitAt(p) == 0) p++;
  const first = p;
  let v: u64 = 0;
  const sixteen = digitsAt(p);
  if (othersOf(sixteen) == 0x10000) {
    v = numberOf16(sixteen);
    p += 16;
  }
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
      } else if (digit != 0) {
        finer = true;
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
    } else if (digit != 0) {
      finer = true;
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
  const letter = <u32>(c | 32) - 97;
  if (letter < 26) {
    const named = zoneNameAt(p);
    if (named != 0) zoneSaid = true;
    return named != 0 ? named : p;
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
  zoneSaid = true;
  zone = c == 45 ? -ns : ns;
  return p;
}

/** The name of a zone at `p`: the ns in `zone`; 0 if it is not known. */
function zoneNameAt(p: usize): usize {
  let n: usize = 0;
  while (n < 8 && <u32>(load<u8>(p + n) | 32) - 97 < 26) n++;
  const c = load<u8>(p);
  zone = 0;
  if (n == 1 && (c | 32) == 122) return p + 1;
  let entry = zoneNames;
  if (entry == 0) return 0;
  while (load<u8>(entry) != 0) {
    const length = <usize>load<u8>(entry);
    let same = length == n;
    for (let i: usize = 0; same && i < n; i++) {
      same = (load<u8>(p + i) & 0xdf) == load<u8>(entry + 1 + i);
    }
    if (same) {
      zone = load<i64>(entry + 1 + n);
      return p + n;
    }
    entry += length + 9;
  }
  return 0;
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
  if (!isDate(year, month, day) || <u32>minute > 59) return false;
  if (<u32>hour > 23 && (hour != 24 || minute != 0)) return false;
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
  overflow = missing = doubtful = finer = false;
  const c = load<u8>(p, 10);
  zoneSaid = false;
  if (c != 84 && c != 116 && !(c == 32 && digitAt(p + 11) < 10)) return dateAt(p);
  if (!minuteAt(p)) return 0;
  let result = time;
  const midnight = load<u8>(p, 11) == 50 && load<u8>(p, 12) == 52;
  p += 16;
  if (load<u8>(p) == 58) {
    const second = fixedDigits(p + 1, 2);
    if (<u32>second > 60 || midnight && second != 0) return 0;
    result += <i64>second * SECOND_NS;
    p += 3;
    if (isPoint(p)) {
      p = fractionAt(p + 1);
      if (p == 0 || midnight && fraction != 0) return 0;
      result += fraction;
    }
  }
  const blank = <usize>(load<u8>(p) == 32);
  const after = zoneAt(p + blank);
  if (after == 0) return 0;
  time = result - zone;
  if (!zonedTime()) return 0;
  return after == p + blank ? p : after;
}

function dateAt(p: usize): usize {
  const separator = load<u8>(p, 4);
  if (separator != 45 && separator != 47 || load<u8>(p, 7) != separator) return 0;
  const year = fixedDigits(p, 4), month = fixedDigits(p + 5, 2), day = fixedDigits(p + 8, 2);
  if (!isDate(year, month, day) || !compose(daysOf(year, month, day), -offset)) return 0;
  return zonedTime() ? p + 10 : 0;
}

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

/** Tells whether the mark of a fraction of a second is at `p`, with a digit behind it. */
// @ts-ignore: decorator
@inline
function isPoint(p: usize): bool {
  const c = load<u8>(p);
  return (c == 46 || c == 44 && commaFraction) && digitAt(p + 1) < 10;
}

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
  overflow = missing = doubtful = finer = false;
  fractionAsked = false;
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(pattern + i) == 230) fractionAsked = true;
  }
  year = 1970;
  month = day = 1;
  dayOfYear = hour = minute = second = 0;
  afternoon = -1;
  fraction = 0;
  zone = offset;
  zoneSaid = false;
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
    const leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    if (dayOfYear > 365 + <i32>leap) return false;
    days = daysOf(year, 1, 1) + dayOfYear - 1;
  } else {
    if (!isDate(year, month, day)) return false;
    days = daysOf(year, month, day);
  }
  const clock = <i64>hour * HOUR_NS + <i64>minute * MINUTE_NS + <i64>second * SECOND_NS;
  if (!compose(days, clock + fraction - zone)) return false;
  return zonedTime();
}

/** Half of a ms, and what half of the last bit of a double of our age's days is, ns. */
const HALF_MS: i64 = 500000;
const DOUBLE_NOISE: i64 = 400;

/**
 * Days and parts of a day since 1899-12-30, as spreadsheets count. A ms that is nearer than half of
 * the last digit, or than a double can tell, is meant.
 */
export function parseDays(p: usize): usize {
  overflow = missing = doubtful = finer = false;
  let days: i64 = 0;
  let digits = 0;
  let digit = digitAt(p);
  while (digit < 10) {
    if (digits++ < 9) days = days * 10 + <i64>digit;
    digit = digitAt(++p);
  }
  if (digits == 0 || digits > 9) return 0;
  // In 10^-14 days, which are 0.864 ns.
  let part: i64 = 0;
  let unit: i64 = 100000000000000;
  if (load<u8>(p) == 46) {
    digit = digitAt(++p);
    while (digit < 10) {
      if (unit > 1) {
        unit /= 10;
        part += <i64>digit * unit;
      }
      digit = digitAt(++p);
    }
  }
  let within = (part * 864 + 500) / 1000;
  const near = (within + HALF_MS) / (2 * HALF_MS) * (2 * HALF_MS);
  const off = near > within ? near - within : within - near;
  if (off <= max(DOUBLE_NOISE, min(HALF_MS, unit * 432 / 1000))) within = near;
  if (!compose(days - 25569, within - offset)) return 0;
  zoneSaid = false;
  return zonedTime() ? p : 0;
}
