// Times of rows of tables: in a cell, in several, or counted.

import { whole, wholeWithin } from "./bounded_number";
import { parseCalendarTime } from "./parse_calendar_time";
import { parseDays, parseDecimalTime, parseHundreds } from "./parse_numeric_time";
import { parsePatternTime } from "./parse_pattern_time";
import { parsedTime, timeMissing, timeMoved, timeOverflow, timePassed } from "./parsed_time";
import { isEnd, skipBlanks } from "./table_cells";
import { BAD_TIME, fail, NO_SUCH_TIME, passFar, TIME_RANGE } from "./table_outcome";
import { BLANK, LF, QUOTE } from "./table_rules";

/** Kinds of times; up to 9 the power of ten of the unit. */
const CALENDAR: i32 = 10;
const PATTERN: i32 = 11;
export const IMPLICIT: i32 = 12;
/** 100 ns since 0001-01-01 and since 1601-01-01. */
const TICKS: i32 = 13;
const FILETIME: i32 = 14;
const DAYS: i32 = 15;
const TICKS_SHIFT: i64 = 621355968000000000;
const FILETIME_SHIFT: i64 = 116444736000000000;

export let timeKind: i32 = 0;
let pattern: usize = 0;
let patternLength: usize = 0;
/** The time of the next row and the distance to the one after, where rows have no times. */
let nextTime: i64 = 0;
let step: i64 = 0;
/** 0 before the first row, 1 behind a row, 2 behind an empty line after one, if rows have no times. */
let place: i32 = 0;
/** Added to numbers that are times. */
let timeBase: i64 = 0;
/** Rows in `rateDen` seconds, to which times are snapped; 0 if they are not. */
let rateNum: i64 = 0;
let rateDen: i64 = 1;
/** True if times are snapped as distances from `timeBase`, not within their second. */
let rateFromBase: bool = false;
export let firstTime: i64 = i64.MIN_VALUE;
export let lastTime: i64 = i64.MAX_VALUE;
/** Parts of a time: their number and texts. */
let parts: u32 = 0;
const PART_BYTES: usize = 64;
const PARTS: usize = memory.data(512, 16);
const JOINED: usize = memory.data(640, 16);

/** The time of the row under way. */
export let time: i64 = 0;

/** Sets the form of times, their pattern where they have one, and the number of cells of one. */
export function tableTimeForm(kind: i32, at: usize, length: usize, timeParts: u32): void {
  timeKind = kind;
  pattern = at;
  patternLength = length;
  parts = timeParts;
}

/** Sets what is added to times that are numbers, and the rate they are snapped to. */
export function tableTimeBase(base: i64, num: i64, den: i64, fromBase: bool): void {
  timeBase = base;
  rateNum = num;
  rateDen = den;
  rateFromBase = fromBase;
}

/** Sets the smallest and the largest time of a row. */
export function tableTimeLimits(first: i64, last: i64): void {
  firstTime = first;
  lastTime = last;
}

/** Sets the time of the next row, the distance to the one after it, and what {@link tablePlace} gave. */
export function tableTimes(first: i64, distance: i64, placeBefore: i32): void {
  nextTime = first;
  step = distance;
  place = placeBefore;
}

/** The place before the next row. */
export function tablePlace(): i32 {
  return place;
}

/** Notes an empty line. */
export function passEmpty(): void {
  if (place == 1) place = 2;
}

/** True if times are counted by rows, and an empty line between two may be a row that is missing. */
// @ts-ignore: decorator
@inline
export function isAfterEmpty(): bool {
  return timeKind == IMPLICIT && place == 2;
}

/** Ends the time of a row that began at `row`; false if it is wrong. */
// @ts-ignore: decorator
@inline
export function endTime(row: usize): bool {
  if (timeKind == IMPLICIT) {
    time = rateNum == 0 ? nextTime : timeBase + perRate(nextTime);
    nextTime += step;
    place = 1;
    return true;
  }
  if (parts > 0 && !joinedTime(row)) return false;
  if (rateNum != 0) {
    snap();
    timeMoved();
  }
  timePassed(time);
  return true;
}

/** Reads the cell of the time; the address behind it, or 0. */
export function timeCell(cell: usize, column: u32): usize {
  let p = skipBlanks(cell);
  const quoted = load<u8>(p) == QUOTE;
  if (quoted) p++;
  p = timeAt(p);
  if (p == 0) return fail(timeError(), cell, column + 1);
  if (quoted && load<u8>(p++) != QUOTE) return fail(BAD_TIME, cell, column + 1);
  p = skipBlanks(p);
  if (!isEnd(p)) return fail(BAD_TIME, cell, column + 1);
  time = timeKind < CALENDAR ? parsedTime() + timeBase : parsedTime();
  return p;
}

/** Tells whether rows have a time of their own, in one cell, that is taken as it is. */
export function isTimeInCell(): bool {
  return timeKind != IMPLICIT && parts == 0 && rateNum == 0;
}

/**
 * Reads the cell of the time from `cell` to `end`; false if something is wrong or else is there. Nothing
 * may be left to say of the time before.
 */
// @ts-ignore: decorator
@inline
export function timeWithin(cell: usize, end: usize, column: u32): bool {
  if (timeKind == 0 && timeBase == 0 && wholeWithin(cell, end) && <i64>whole >= 0) {
    time = <i64>whole;
    return true;
  }
  return timeCell(cell, column) == end;
}

/** Keeps a part of a time. */
export function partCell(cell: usize, column: u32, part: u8): usize {
  let p = skipBlanks(cell);
  const quoted = load<u8>(p) == QUOTE;
  if (quoted) p++;
  const to = PARTS + <usize>part * PART_BYTES;
  let n: usize = 0;
  while (quoted ? load<u8>(p) != QUOTE && load<u8>(p) != LF : !isEnd(p)) {
    if (n >= PART_BYTES - 1) return fail(BAD_TIME, cell, column + 1);
    store<u8>(to + 1 + n++, load<u8>(p++));
  }
  if (quoted && load<u8>(p++) != QUOTE) return fail(BAD_TIME, cell, column + 1);
  while (n > 0 && load<u8>(to + n) == BLANK) n--;
  if (n == 0) return fail(BAD_TIME, cell, column + 1);
  store<u8>(to, <u8>n);
  p = skipBlanks(p);
  return isEnd(p) ? p : fail(BAD_TIME, cell, column + 1);
}

/** Reads the parts of a time, put together with blanks. */
function joinedTime(row: usize): bool {
  let to = JOINED;
  for (let i: u32 = 0; i < parts; i++) {
    const from = PARTS + <usize>i * PART_BYTES;
    const n = <usize>load<u8>(from);
    if (i > 0) store<u8>(to++, BLANK);
    memory.copy(to, from + 1, n);
    to += n;
  }
  store<u8>(to, LF);
  const p = timeAt(JOINED);
  if (p == to) {
    time = parsedTime();
    return true;
  }
  fail(p == 0 ? timeError() : BAD_TIME, row, 1);
  return false;
}

/** The reason why no time could be read. */
function timeError(): i32 {
  return timeMissing() ? NO_SUCH_TIME : timeOverflow() ? TIME_RANGE : BAD_TIME;
}

/** Reads a time in its form; the address behind it, or 0. */
function timeAt(p: usize): usize {
  if (timeKind == CALENDAR) return parseCalendarTime(p);
  if (timeKind == PATTERN) return parsePatternTime(p, pattern, patternLength);
  if (timeKind == DAYS) return parseDays(p);
  if (timeKind < CALENDAR) return parseDecimalTime(p, timeKind);
  return parseHundreds(p, timeKind == TICKS ? TICKS_SHIFT : FILETIME_SHIFT);
}

/** ns of `n` rows at the rate. */
function perRate(n: i64): i64 {
  const total = n * rateDen;
  const whole = total / rateNum;
  const rest = total % rateNum;
  return whole * 1000000000 + (rest * 1000000000 + (rest < 0 ? -rateNum : rateNum) / 2) / rateNum;
}

/** Moves the time to the nearest row of the rate. */
function snap(): void {
  let base = timeBase;
  if (!rateFromBase) {
    let within = time % 1000000000;
    if (within < 0) within += 1000000000;
    base = time - within;
  }
  const n = <i64>nearest(<f64>(time - base) * <f64>rateNum / <f64>rateDen / 1e9);
  const moved = base + perRate(n) - time;
  time += moved;
  if (4 * (moved < 0 ? -moved : moved) * rateNum > 1000000000 * rateDen) passFar();
}
