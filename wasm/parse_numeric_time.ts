// Times that are numbers: of a unit, of 100 ns, of days.

import { composeTime } from "./calendar";
import { zonedTime } from "./clock_changes";
import { beginZone, zone } from "./parse_zone";
import { beginTime, noteFiner, noteOverflow, setParsedTime } from "./parsed_time";
import { digitsAt, numberOf16, othersOf } from "./read_digits";
import { digitAt, powerOfTen } from "./time_digits";

/** A decimal number of 10^unit ns; digits below a ns are cut and counted. */
export function parseDecimalTime(p: usize, unit: i32): usize {
  beginTime();
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
        noteFiner();
      }
      any = true;
      digit = digitAt(++p);
    }
  }
  if (!any) return 0;
  digits += v == 0 ? 0 : left;
  const scaled = v * <u64>powerOfTen(left);
  if (digits > 19 || scaled > <u64>i64.MAX_VALUE + <u64>negative) {
    noteOverflow();
    return 0;
  }
  setParsedTime(negative ? <i64>(0 - scaled) : <i64>scaled);
  return p;
}

/** A number of 100 ns since the time that is `shift` of them before 1970. */
export function parseHundreds(p: usize, shift: i64): usize {
  beginTime();
  let v: i64 = 0;
  let n = 0;
  let digit = digitAt(p);
  while (digit < 10 && n < 19) {
    v = v * 10 + <i64>digit;
    n++;
    digit = digitAt(++p);
  }
  const within = v - shift;
  if (n == 0 || n > 18 || within > i64.MAX_VALUE / 100 || within < i64.MIN_VALUE / 100) return 0;
  setParsedTime(within * 100);
  return p;
}

/** Half of a ms, and what half of the last bit of a double of our age's days is, ns. */
const HALF_MS: i64 = 500000;
const DOUBLE_NOISE: i64 = 400;

/**
 * Days and parts of a day since 1899-12-30, as spreadsheets count. A ms that is nearer than half of
 * the last digit, or than a double can tell, is meant.
 */
export function parseDays(p: usize): usize {
  beginTime();
  beginZone();
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
  if (!composeTime(days - 25569, within - zone)) return 0;
  return zonedTime() ? p : 0;
}
