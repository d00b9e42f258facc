// Days of the Gregorian calendar as ns since the Unix epoch.

import { noteOverflow, setParsedTime } from "./parsed_time";

export const DAY_NS: i64 = 86400000000000;
export const HOUR_NS: i64 = 3600000000000;
export const MINUTE_NS: i64 = 60000000000;
export const SECOND_NS: i64 = 1000000000;

const MONTH_DAYS: usize = memory.data<u8>([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);

/** Days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms"). */
export function daysOf(year: i32, month: i32, day: i32): i64 {
  const y = year - <i32>(month <= 2);
  const era = (y >= 0 ? y : y - 399) / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return <i64>era * 146097 + dayOfEra - 719468;
}

/** Tells whether a year has a 29th of February. */
export function isLeapYear(year: i32): bool {
  return year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
}

/** Tells whether the calendar has a day. */
export function isDate(year: i32, month: i32, day: i32): bool {
  if (year < 0 || month < 1 || month > 12 || day < 1) return false;
  const leap = month == 2 && isLeapYear(year);
  return day <= <i32>load<u8>(MONTH_DAYS + month - 1) + <i32>leap;
}

/** Sets the time from days and ns; false if 64 bits do not hold it (they hold the years 1678 to 2261). */
export function composeTime(days: i64, within: i64): bool {
  if (days < -106751 || days > 106750) {
    noteOverflow();
    return false;
  }
  setParsedTime(days * DAY_NS + within);
  return true;
}
