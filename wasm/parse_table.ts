// Rows of any table of numbers to columns: each column of the text is the time, values or skipped.
// Cells may be quoted (RFC 4180) and padded with blanks; lines end with LF or CRLF; empty lines are
// skipped; an empty cell, NaN, NA, null or none is no point.
// If it stops early, tableErrorCode and its companions say why.

import { parsedEnd, parseNumber, shortNumberEnd } from "./parse_number";
import {
  parseCalendarTime,
  parseDays,
  parseDecimalTime,
  parsedTime,
  parsePatternTime,
  setParsedTime,
  timeMissing,
  timeMoved,
  timeOverflow,
  timePassed,
  timesCut,
  timesUnsure,
} from "./parse_time";

/** The codes of {@link tableErrorCode}, those of parse_csv.ts; src/kernel/csv_error.ts has the words. */
const BAD_TIME: i32 = 1;
const TIME_RANGE: i32 = 2;
const BAD_NUMBER: i32 = 3;
const NUMBER_RANGE: i32 = 4;
const TOO_FEW: i32 = 5;
const TOO_MANY: i32 = 6;
const AFTER_QUOTE: i32 = 7;
const POINT_FOR_COMMA: i32 = 8;
/** A quoted cell goes on behind the bytes given. */
const INCOMPLETE: i32 = 9;
const THOUSANDS: i32 = 10;
/** Clocks were set forward over the time. */
const NO_SUCH_TIME: i32 = 11;
/** The time is outside of the limits. */
const OUTSIDE: i32 = 12;

/** Roles of columns. */
const SKIP: u8 = 0;
const TIME: u8 = 1;
const VALUE: u8 = 2;
/** A cell without a name at the end of a row, which may be missing. */
const SPARE: u8 = 3;
/** From here on: the first, the second … part of a time. */
const PART: u8 = 8;

/** Kinds of times; up to 9 the power of ten of the unit. */
const CALENDAR: i32 = 10;
const PATTERN: i32 = 11;
const IMPLICIT: i32 = 12;
/** 100 ns since 0001-01-01 and since 1601-01-01. */
const TICKS: i32 = 13;
const FILETIME: i32 = 14;
const DAYS: i32 = 15;
const TICKS_SHIFT: i64 = 621355968000000000;
const FILETIME_SHIFT: i64 = 116444736000000000;

const LF: u8 = 10;
const CR: u8 = 13;
const QUOTE: u8 = 34;
const BLANK: u8 = 32;
const TAB: u8 = 9;
/** Longest cell in quotes. */
const QUOTED_BYTES: usize = 1048576;

/** Longest cell with a decimal comma. */
const CELL_BYTES: usize = 512;
const CELL: usize = memory.data(544, 16);

let delimiter: u8 = 44;
let decimal: u8 = 46;
let timeKind: i32 = 0;
let pattern: usize = 0;
let patternLength: usize = 0;
/** The time of the next row and the distance to the one after, where rows have no times. */
let nextTime: i64 = 0;
let step: i64 = 0;

/** Runs of blanks and tabs are one delimiter. */
let blanks: bool = false;
/** First byte of a comment line; 0 if there are none. */
let comment: u8 = 0;
/** Mark before groups of three digits; 0 if there is none. */
let thousands: u8 = 0;
let skipRows: bool = false;
let skipCells: bool = false;
/** Words for no value: length, bytes in lower case; a length of 0 ends them. */
let words: usize = 0;
/** Added to numbers that are times. */
let timeBase: i64 = 0;
/** Rows in `rateDen` seconds, to which times are snapped; 0 if they are not. */
let rateNum: i64 = 0;
let rateDen: i64 = 1;
/** True if times are snapped as distances from `timeBase`, not within their second. */
let rateFromBase: bool = false;
/** Parts of a time: their number and texts. */
let parts: u32 = 0;
const PART_BYTES: usize = 64;
const PARTS: usize = memory.data(512, 16);
const JOINED: usize = memory.data(640, 16);
let tableEnd: usize = 0;
let badRows: u32 = 0;
let badCells: u32 = 0;
/** Lines passed with the first time that is unsure, or was cut; 0 if there is none. */
let unsureLine: u32 = 0;
let cutLine: u32 = 0;
/** Whole numbers of the last parseTable that no double holds, and lines passed with the first one. */
let rounded: u32 = 0;
let roundedLine: u32 = 0;

/** True while every row of the last parseTable has had a value in every column. */
let full: bool = false;
let lines: u32 = 0;
let rows: u32 = 0;
let errorCode: i32 = 0;
let errorAt: usize = 0;
let errorColumn: u32 = 0;
/** Value columns that the row under way has filled. */
let filled: u32 = 0;
let time: i64 = 0;
/** The cell of the time, or of its first part, and its column. */
let timeFrom: usize = 0;
let timeColumn: u32 = 0;
let firstTime: i64 = i64.MIN_VALUE;
let lastTime: i64 = i64.MAX_VALUE;

/** 0, or why the last parseTable stopped. */
export function tableErrorCode(): i32 {
  return errorCode;
}

/** Address of the cell with the error. */
export function tableErrorAt(): usize {
  return errorAt;
}

/** Number of that cell in its row, from 1. */
export function tableErrorColumn(): u32 {
  return errorColumn;
}

/** Line feeds passed by the last parseTable, those before the row of an error. */
export function tableLines(): u32 {
  return lines;
}

/** Rows parsed by the last parseTable. */
export function tableRows(): u32 {
  return rows;
}

/** Sets how cells look; `at` is the pattern of the times, where there is one. */
export function tableCells(between: u8, point: u8, kind: i32, at: usize, length: usize): void {
  delimiter = between;
  decimal = point;
  timeKind = kind;
  pattern = at;
  patternLength = length;
}

/** Sets how rows look, and what becomes of those that cannot be read. */
export function tableRules(
  runs: bool,
  commentByte: u8,
  thousandsMark: u8,
  rowsMayBeBad: bool,
  cellsMayBeBad: bool,
  wordsAt: usize,
  timeParts: u32,
): void {
  blanks = runs;
  comment = commentByte;
  thousands = thousandsMark;
  skipRows = rowsMayBeBad;
  skipCells = cellsMayBeBad;
  words = wordsAt;
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

/** Rows left out by the last parseTable. */
export function tableBadRows(): u32 {
  return badRows;
}

/** Cells left out by the last parseTable. */
export function tableBadCells(): u32 {
  return badCells;
}

/** Lines up to the first time of the last parseTable that comes twice and is unsure; 0: none. */
export function tableUnsureLine(): u32 {
  return unsureLine;
}

/** Lines up to the first time of the last parseTable that was cut to a ns; 0: none. */
export function tableCutLine(): u32 {
  return cutLine;
}

/** Whole numbers of the last parseTable that no double holds, which were rounded. */
export function tableRounded(): u32 {
  return rounded;
}

/** Lines up to the first of them; 0: none. */
export function tableRoundedLine(): u32 {
  return roundedLine;
}

/** True if all rows of the last parseTable have a value in every column; see there. */
export function tableIsFull(): bool {
  return full;
}

/** Sets the time of the next row, and the distance to the one after it. */
export function tableTimes(first: i64, distance: i64): void {
  nextTime = first;
  step = distance;
}

function fail(code: i32, at: usize, column: u32): usize {
  errorCode = code;
  errorAt = at;
  errorColumn = column;
  return 0;
}

/**
 * Parses rows from `at` until `end` (the byte before it is a line feed), until `capacity` rows are
 * done or something is wrong. `roles` has a byte for each of the `columns` of the text. The k-th
 * value column puts its points to `out` + k · stride: times, then at half of the stride values;
 * counts[k] (u32) says how many; where {@link tableIsFull}, it says nothing, each has as many as there
 * are rows, and only the first one has times. `scratch` has room for a u32 for each column. Returns
 * the address of the first row not parsed.
 */
export function parseTable(
  at: usize,
  end: usize,
  roles: usize,
  columns: u32,
  out: usize,
  stride: usize,
  counts: usize,
  scratch: usize,
  capacity: u32,
): usize {
  lines = 0;
  rows = 0;
  badRows = 0;
  badCells = 0;
  unsureLine = 0;
  cutLine = 0;
  rounded = 0;
  roundedLine = 0;
  errorCode = 0;
  tableEnd = end;
  full = true;
  const isPlain = decimal == 46 && thousands == 0 && !blanks;
  while (at < end && rows < capacity) {
    const before = lines;
    const cellsBefore = badCells;
    const roundedBefore = rounded;
    let next = parseRow(at, roles, columns, out, stride, counts, scratch, isPlain);
    if (next == 0 && errorCode == 0) {
      // The first row with a gap is read again.
      lines = before;
      badCells = cellsBefore;
      rounded = roundedBefore;
      if (rounded == 0) roundedLine = 0;
      part(roles, columns, out, stride, counts);
      continue;
    }
    if (next == 0) {
      lines = before;
      const ofRow = errorCode <= TIME_RANGE || errorCode >= NO_SUCH_TIME ||
        errorCode >= TOO_FEW && errorCode <= AFTER_QUOTE;
      if (!skipRows || !ofRow) break;
      errorCode = 0;
      badCells = cellsBefore;
      rounded = roundedBefore;
      if (rounded == 0) roundedLine = 0;
      badRows++;
      next = afterLine(at);
      lines++;
    }
    at = next;
  }
  return at;
}

/** Gives every column times and a count of its own. */
function part(roles: usize, columns: u32, out: usize, stride: usize, counts: usize): void {
  full = false;
  let to = out;
  for (let column: u32 = 0; column < columns; column++) {
    if (load<u8>(roles + column) != VALUE) continue;
    store<u32>(counts, rows);
    if (to != out) memory.copy(to, out, <usize>rows << 3);
    counts += 4;
    to += stride;
  }
}

/** Parses a row; 0 without an error if it is the first one with a gap. */
// @ts-ignore: decorator
@inline
function parseRow(
  at: usize,
  roles: usize,
  columns: u32,
  out: usize,
  stride: usize,
  counts: usize,
  scratch: usize,
  isPlain: bool,
): usize {
  let p = blanks ? skipRun(at) : at;
  const empty = lineEnd(skipBlanks(p));
  if (empty != 0) return empty;
  if (comment != 0 && load<u8>(skipBlanks(p)) == comment) {
    lines++;
    return afterLine(p);
  }
  const half = stride >> 1;
  const between = delimiter;
  const isFull = full;
  const n = <usize>rows << 3;
  let k: u32 = 0;
  let to = out + half;
  filled = 0;
  timeFrom = timeKind == IMPLICIT ? p : 0;
  timeColumn = 0;
  for (let column: u32 = 0; column < columns; column++) {
    const role = load<u8>(roles + column);
    if (role == VALUE) {
      const value = isFull ? to + n : to + (<usize>load<u32>(counts + (<usize>k << 2)) << 3);
      const end = isPlain ? shortNumberEnd(p, value) : 0;
      const c = load<u8>(end);
      if (end != 0 && (c == between || c == LF)) {
        p = end;
        hasValue = true;
      } else {
        p = valueCell(p, column, value);
      }
      if (isFull) {
        if (!hasValue && p != 0) return 0;
      } else if (hasValue) {
        store<u32>(scratch + (<usize>filled << 2), k);
        filled++;
      }
      to += stride;
      k++;
    } else if (role == SKIP || role == SPARE) {
      p = skipCell(p, column);
    } else if (role >= PART) {
      if (timeFrom == 0) {
        timeFrom = p;
        timeColumn = column;
      }
      p = partCell(p, column, role - PART);
    } else {
      timeFrom = p;
      timeColumn = column;
      p = timeCell(p, column);
    }
    if (p == 0) return 0;
    if (column + 1 == columns) break;
    if (blanks) {
      const after = skipRun(p);
      if (after == p || isLineEnd(after)) return fail(TOO_FEW, p, column + 1);
      p = after;
      continue;
    }
    if (load<u8>(p) != between) {
      if (load<u8>(roles + column + 1) == SPARE && isLineEnd(p)) break;
      return fail(TOO_FEW, p, column + 1);
    }
    p++;
  }
  if (blanks) p = skipRun(p);
  let next = lineEnd(p);
  if (next == 0 && load<u8>(p) == delimiter) next = lineEnd(skipBlanks(p + 1));
  if (next == 0) return fail(TOO_MANY, p, columns + 1);
  if (timeKind == IMPLICIT) {
    time = rateNum == 0 ? nextTime : timeBase + perRate(nextTime);
    nextTime += step;
  } else {
    if (parts > 0 && !joinedTime(at)) return 0;
    if (rateNum != 0) {
      snap();
      timeMoved();
    }
    timePassed(time);
    if (unsureLine == 0 && timesUnsure() > 0) unsureLine = lines;
    if (cutLine == 0 && timesCut() > 0) cutLine = lines;
  }
  if (time < firstTime || time > lastTime) return fail(OUTSIDE, timeFrom, timeColumn + 1);
  if (isFull) {
    if (k > 0) store<i64>(out + n, time);
    rows++;
    return next;
  }
  for (let i: u32 = 0; i < filled; i++) {
    const c = load<u32>(scratch + (<usize>i << 2));
    const slot = counts + (<usize>c << 2);
    const n = load<u32>(slot);
    store<i64>(out + <usize>c * stride + (<usize>n << 3), time);
    store<u32>(slot, n + 1);
  }
  rows++;
  return next;
}

// @ts-ignore: decorator
@inline
function isEnd(p: usize): bool {
  const c = load<u8>(p);
  return c == delimiter || c == LF || (c == CR && load<u8>(p, 1) == LF) || (blanks && c == TAB);
}

// @ts-ignore: decorator
@inline
function isLineEnd(p: usize): bool {
  const c = load<u8>(p);
  return c == LF || (c == CR && load<u8>(p, 1) == LF);
}

/** The address after blanks and tabs. */
function skipRun(p: usize): usize {
  let c = load<u8>(p);
  while (c == BLANK || c == TAB) c = load<u8>(++p);
  return p;
}

/** The address after the next line feed. */
function afterLine(p: usize): usize {
  while (load<u8>(p) != LF) p++;
  return p + 1;
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
  time = base + perRate(n);
}

/** Keeps a part of a time. */
function partCell(cell: usize, column: u32, part: u8): usize {
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

// @ts-ignore: decorator
@inline
function skipBlanks(p: usize): usize {
  while (load<u8>(p) == BLANK && delimiter != BLANK) p++;
  return p;
}

/** The address after the line end at `p`; 0 if there is none. */
// @ts-ignore: decorator
@inline
function lineEnd(p: usize): usize {
  const c = load<u8>(p);
  const feed = p + <usize>(c == CR);
  if (load<u8>(feed) != LF) return 0;
  lines++;
  return feed + 1;
}

/** The address of the delimiter or line end after a cell that is not looked at. */
function skipCell(p: usize, column: u32): usize {
  const opening = skipBlanks(p);
  if (load<u8>(opening) == QUOTE) {
    const cell = opening;
    p = cell + 1;
    while (load<u8>(p) != QUOTE || load<u8>(p, 1) == QUOTE) {
      const c = load<u8>(p);
      if (c == LF) {
        if (p - cell > QUOTED_BYTES) return fail(AFTER_QUOTE, cell, column + 1);
        if (p + 1 >= tableEnd) return fail(INCOMPLETE, cell, column + 1);
        lines++;
      }
      p += c == QUOTE ? 2 : 1;
    }
    p = skipBlanks(p + 1);
    return isEnd(p) ? p : fail(AFTER_QUOTE, cell, column + 1);
  }
  if (blanks) {
    while (!isEnd(p)) p++;
    return p;
  }
  const between = i8x16.splat(delimiter);
  const feeds = i8x16.splat(10);
  let mask = 0;
  while (true) {
    const bytes = v128.load(p);
    mask = i8x16.bitmask(v128.or(i8x16.eq(bytes, between), i8x16.eq(bytes, feeds)));
    if (mask != 0) break;
    p += 16;
  }
  p += ctz(mask);
  return load<u8>(p) == LF && load<u8>(p - 1) == CR ? p - 1 : p;
}

function timeCell(cell: usize, column: u32): usize {
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

/** The reason why no time could be read. */
function timeError(): i32 {
  return timeMissing() ? NO_SUCH_TIME : timeOverflow() ? TIME_RANGE : BAD_TIME;
}

function timeAt(p: usize): usize {
  if (timeKind == CALENDAR) return parseCalendarTime(p);
  if (timeKind == PATTERN) return parsePatternTime(p, pattern, patternLength);
  if (timeKind == DAYS) return parseDays(p);
  if (timeKind < CALENDAR) return parseDecimalTime(p, timeKind);
  return parseHundreds(p, timeKind == TICKS ? TICKS_SHIFT : FILETIME_SHIFT);
}

/** A number of 100 ns since the time that is `shift` of them before 1970. */
function parseHundreds(p: usize, shift: i64): usize {
  let v: i64 = 0;
  let n = 0;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10 && n < 19) {
    v = v * 10 + <i64>digit;
    n++;
    digit = <u32>load<u8>(++p) - 48;
  }
  const within = v - shift;
  if (n == 0 || n > 18 || within > i64.MAX_VALUE / 100 || within < i64.MIN_VALUE / 100) return 0;
  setParsedTime(within * 100);
  return p;
}

/** Up to here doubles hold every whole number. */
const TWO_53: f64 = 9007199254740992;
/** From here on whole numbers that are one modulo 2^64 can have one nearest double. */
const TWO_116: f64 = 8.307674973655724e34;

/**
 * Counts the number at `p` if it is a whole one, of digits alone, and `value`, the nearest double,
 * is another one. From 2^116 on every one counts.
 */
function noteRounded(p: usize, value: f64): void {
  const sign = load<u8>(p);
  if (sign == 45 || sign == 43) p++;
  let whole: u64 = 0;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10) {
    whole = whole * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  if (digit == <u32>-2 || digit == 53 || digit == 21) return; // a point, e or E
  const bits = reinterpret<u64>(abs(value));
  const shift = <i32>(bits >> 52) - 1075; // from 1 on, as the value is at least 2^53
  const mantissa = (bits & 0x000fffffffffffff) | 0x0010000000000000;
  const nearest = shift < 64 ? mantissa << shift : 0;
  if (abs(value) < TWO_116 && whole == nearest) return;
  rounded++;
  if (roundedLine == 0) roundedLine = lines + 1;
}

/** True if the last {@link valueCell} had a value. */
let hasValue: bool = false;

/** Writes the value of a cell to `to`, if it has one. */
function valueCell(cell: usize, column: u32, to: usize): usize {
  hasValue = false;
  let p = skipBlanks(cell);
  if (isEnd(p)) return p;
  const quoted = load<u8>(p) == QUOTE;
  if (quoted) p++;
  const start = p;
  let value: f64;
  if (decimal == 46 && thousands == 0) {
    value = parseNumber(p);
    p = parsedEnd();
  } else {
    const length = pointed(p, quoted);
    value = parseNumber(CELL);
    p = parsedEnd() == CELL + pointedLength ? start + length : 0;
  }
  p = p == 0 ? 0 : cellEnd(p, quoted);
  if (p == 0) {
    p = gapEnd(start);
    if (p != 0) p = cellEnd(p, quoted);
    if (p == 0) p = wordEnd(start, quoted);
    if (p != 0) return p;
    const code = markError != 0 ? markError : BAD_NUMBER;
    markError = 0;
    return badCell(code, cell, column);
  }
  if (abs(value) >= TWO_53) {
    if (abs(value) == Infinity) return badCell(NUMBER_RANGE, cell, column);
    noteRounded(decimal == 46 && thousands == 0 ? start : CELL, value);
  }
  store<f64>(to, value);
  hasValue = true;
  return p;
}

/** Why the last cell with a comma or marks is no number, where the reason is those. */
let markError: i32 = 0;
/** Bytes in CELL. */
let pointedLength: usize = 0;

/**
 * Copies the number at `p` to CELL with a point for the decimal comma and without thousands marks;
 * its length in the row.
 */
function pointed(p: usize, quoted: bool): usize {
  let n: usize = 0;
  let to = CELL;
  let group = -1;
  let whole = true;
  markError = 0;
  while (n < CELL_BYTES) {
    const c = load<u8>(p + n);
    if (quoted ? c == QUOTE || c == LF : c == delimiter || c == LF || c == CR || c == QUOTE) break;
    const digit = <u32>c - 48 < 10;
    if (c == thousands && thousands != 0) {
      const ok = whole && n > 0 && (group < 0 ? n <= 4 : group == 3) &&
        <u32>load<u8>(p + n - 1) - 48 < 10 && <u32>load<u8>(p + n + 1) - 48 < 10;
      if (!ok) markError = THOUSANDS;
      group = 0;
      n++;
      continue;
    }
    if (c == BLANK) break;
    if (!digit && n > 0) {
      if (group >= 0 && group != 3) markError = THOUSANDS;
      group = -1;
      whole = false;
    }
    if (group >= 0 && ++group > 3) markError = THOUSANDS;
    if (c == 46 && decimal != 46) markError = POINT_FOR_COMMA;
    store<u8>(to++, c == decimal ? 46 : c);
    n++;
  }
  if (group >= 0 && group != 3) markError = THOUSANDS;
  store<u8>(to, LF);
  pointedLength = markError != 0 ? <usize>-1 : to - CELL;
  return n;
}

/** The address of the delimiter or line end behind what was read of a cell; 0 if more is there. */
// @ts-ignore: decorator
@inline
function cellEnd(p: usize, quoted: bool): usize {
  if (quoted) {
    p = skipBlanks(p);
    if (load<u8>(p++) != QUOTE) return 0;
  }
  p = skipBlanks(p);
  return isEnd(p) ? p : 0;
}

/** A cell that is no number: an error, or left out. */
function badCell(code: i32, cell: usize, column: u32): usize {
  if (!skipCells) return fail(code, cell, column + 1);
  const p = skipCell(cell, column);
  if (p != 0) badCells++;
  return p;
}

/** The address after a cell that is one of the words for no value; 0 if it is none. */
function wordEnd(start: usize, quoted: bool): usize {
  if (words == 0) return 0;
  let end = start;
  while (quoted ? load<u8>(end) != QUOTE && load<u8>(end) != LF : !isEnd(end)) end++;
  let length = end - start;
  while (length > 0 && load<u8>(start + length - 1) == BLANK) length--;
  for (let word = words; load<u8>(word) != 0; word += <usize>load<u8>(word) + 1) {
    if (<usize>load<u8>(word) != length) continue;
    let same = true;
    for (let i: usize = 0; same && i < length; i++) {
      const c = load<u8>(start + i);
      same = (<u32>c - 65 < 26 ? c | 32 : c) == load<u8>(word + 1 + i);
    }
    if (same) return cellEnd(end, quoted);
  }
  return 0;
}

/** The address after a word that stands for no value: nothing, -, NA, NaN, N/A, null, none; or 0. */
function gapEnd(p: usize): usize {
  const c = load<u8>(p);
  if (c == QUOTE) return p;
  if (c == 45) return p + 1;
  const word = load<u32>(p) | 0x20202020;
  if ((word & 0xffff) == 0x616e) { // na
    return ((word >> 16) & 0xff) == 0x6e ? p + 3 : p + 2; // nan
  }
  if ((word & 0xffffff) == 0x612f6e) return p + 3; // n/a
  if (word == 0x6c6c756e || word == 0x656e6f6e) return p + 4; // null, none
  return 0;
}
