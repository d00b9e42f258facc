// Times as text: ns since the Unix epoch in decimal, and RFC 3339 in UTC with 0 or 9 decimals.
// Consecutive points mostly lie within the same second: its text is kept and only the nanoseconds
// are formatted.

import { spread8, write8, write9, writeI64 } from "./digits";

const SECOND: i64 = 1000000000;

/** First ns of the second whose text is kept. */
let keptStart: i64 = 0;
/** Usable length of it: 0 at first, and where the second begins before −2^63. */
let keptLength: u64 = 0;
/** `2019-07-01T04:00:00` of that second, 19 characters. */
const KEPT_DATE: usize = memory.data(32, 16);
/** The decimal seconds of that second, ten characters, right-aligned in 16. */
const KEPT_SECONDS: usize = memory.data(24, 16);
let keptDigits: i32 = 0;

/** Two digits and whatever stands after them. */
// @ts-ignore: decorator
@inline
function write2(v: i32, out: usize): void {
  const tens = v / 10;
  store<u16>(out, <u16>((48 + tens) | ((48 + v - tens * 10) << 8)));
}

/** Makes the second that contains `t` the kept one. */
function keepSecond(t: i64): void {
  let seconds = t / SECOND;
  if (seconds * SECOND > t) seconds--;
  keptStart = seconds * SECOND;
  keptLength = keptStart > t ? 0 : <u64>SECOND;
  let days = seconds / 86400;
  if (days * 86400 > seconds) days--;
  const clock = <i32>(seconds - days * 86400);
  writeDate(<i32>days);
  write2(clock / 3600, KEPT_DATE + 11);
  write2((clock / 60) % 60, KEPT_DATE + 14);
  write2(clock % 60, KEPT_DATE + 17);
  keptDigits = 0;
  if (seconds > 0) {
    keptDigits = <i32>(writeI64(seconds, KEPT_SECONDS) - KEPT_SECONDS);
  }
}

/** Makes the second that contains `t` the kept one, and the ns since its beginning. */
// @ts-ignore: decorator
@inline
function withinKept(t: i64): u64 {
  const within = <u64>(t - keptStart);
  if (t >= keptStart && within < keptLength) return within;
  keepSecond(t);
  return <u64>(t - keptStart);
}

/**
 * Year, month and day of a day counted from 1970-01-01 (Hinnant, "chrono-compatible low-level date
 * algorithms").
 */
function writeDate(days: i32): void {
  const shifted = days + 719468;
  const era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const mp = (5 * dayOfYear + 2) / 153;
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yearOfEra + era * 400 + <i32>(month <= 2);
  // Eight digits, of which the last four are the year; then the separators.
  store<u32>(KEPT_DATE, <u32>(spread8(<u32>year) >> 32) | 0x30303030);
  store<u8>(KEPT_DATE, 45, 4);
  write2(month, KEPT_DATE + 5);
  store<u8>(KEPT_DATE, 45, 7);
  write2(dayOfYear - (153 * mp + 2) / 5 + 1, KEPT_DATE + 8);
  store<u8>(KEPT_DATE, 84, 10);
  store<u8>(KEPT_DATE, 58, 13);
  store<u8>(KEPT_DATE, 58, 16);
  store<u8>(KEPT_DATE, 90, 19); // Z
}

/**
 * The two time cells of a row: `t` in decimal, a comma, and `t` as RFC 3339 with `decimals` (0 or
 * 9) decimals. At most 51 characters; may touch 16 bytes beyond them.
 */
export function writeTimeCells(t: i64, decimals: i32, out: usize): usize {
  const within = withinKept(t);
  if (keptDigits == 10) {
    v128.store(out, v128.load(KEPT_SECONDS));
    out = write9(<u32>within, out + 10);
  } else {
    out = writeI64(t, out);
  }
  store<u8>(out, 44);
  return writeDateTime(<u32>within, decimals, out + 1);
}

/** RFC 3339 of the kept second plus `within` ns. */
// @ts-ignore: decorator
@inline
function writeDateTime(within: u32, decimals: i32, out: usize): usize {
  v128.store(out, v128.load(KEPT_DATE));
  store<u32>(out, load<u32>(KEPT_DATE, 16), 16);
  if (decimals == 0) return out + 20;
  store<u8>(out, 46, 19);
  write9(within, out + 20);
  store<u8>(out, 90, 29);
  return out + 30;
}

/** `t` as RFC 3339 in UTC with 0 or 9 decimals: 20 or 30 characters. */
export function writeTime(t: i64, decimals: i32, out: usize): usize {
  const within = withinKept(t);
  return writeDateTime(<u32>within, decimals, out);
}
