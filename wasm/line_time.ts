// Times of lines of line protocol.

import { BAD_TIME, fail, TIME_RANGE } from "./line_error";

/** ns of a unit of the times; 0 if that is guessed for each. */
let unit: i64 = 1;
/** Time of lines without one. */
export let now: i64 = 0;
let minTime: i64 = 0;
let maxTime: i64 = 0;

/** The time that {@link parseTime} read. */
export let time: i64 = 0;

/** Sets how times are read and which are allowed, `[min, max)`. */
export function lineTimes(nsPerUnit: i64, ofNone: i64, min: i64, max: i64): void {
  unit = nsPerUnit;
  now = ofNone;
  minTime = min;
  maxTime = max;
}

/** Parses a time into `time`; the address after it, or 0. */
export function parseTime(start: usize): usize {
  let p = start;
  const isNegative = load<u8>(p) == 45;
  if (isNegative) p++;
  const first = p;
  let v: u64 = 0;
  let isLong = false;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10) {
    if (v > 922337203685477580) isLong = true;
    v = v * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  if (p == first) return fail(BAD_TIME, start);
  if (isLong || v > <u64>i64.MAX_VALUE) return fail(TIME_RANGE, start);
  const scale = unit != 0 ? unit : guessedUnit(<i64>v);
  if (<i64>v > i64.MAX_VALUE / scale) return fail(TIME_RANGE, start);
  time = (isNegative ? -<i64>v : <i64>v) * scale;
  if (time < minTime || time >= maxTime) return fail(TIME_RANGE, start);
  return p;
}

/** The unit of a time by its magnitude, as InfluxDB 3 takes it. */
function guessedUnit(v: i64): i64 {
  if (v < 5000000000) return 1000000000;
  if (v < 5000000000000) return 1000000;
  return v < 5000000000000000 ? 1000 : 1;
}
