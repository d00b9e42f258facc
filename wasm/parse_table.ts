// Rows of any table of numbers to columns: each column of the text is the time, values or skipped.
// Cells may be quoted (RFC 4180) and padded with blanks; lines end with LF or CRLF; empty lines are
// skipped; an empty cell, NaN, NA, null or none is no point.
//
// Where it stops early tableErrorCode and its companions say why.

import { parsedEnd, parseNumber } from "./parse_number";
import {
  parseCalendarTime,
  parseDecimalTime,
  parsedTime,
  parsePatternTime,
  timeOverflow,
} from "./parse_time";

/** The codes of {@link tableErrorCode}, those of parse_csv.ts; src/kernel/csv_error.ts has the words. */
const BAD_TIME: i32 = 1;
const TIME_RANGE: i32 = 2;
const BAD_NUMBER: i32 = 3;
const NUMBER_RANGE: i32 = 4;
const TOO_FEW: i32 = 5;
const TOO_MANY: i32 = 6;
const AFTER_QUOTE: i32 = 7;

/** Roles of columns. */
const SKIP: u8 = 0;
const TIME: u8 = 1;

/** Kinds of times; up to 9 the power of ten of the unit. */
const CALENDAR: i32 = 10;
const PATTERN: i32 = 11;
const IMPLICIT: i32 = 12;

const LF: u8 = 10;
const CR: u8 = 13;
const QUOTE: u8 = 34;
const BLANK: u8 = 32;

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

let lines: u32 = 0;
let rows: u32 = 0;
let errorCode: i32 = 0;
let errorAt: usize = 0;
let errorColumn: u32 = 0;
/** Value columns that the row under way has filled. */
let filled: u32 = 0;
let time: i64 = 0;

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
 * counts[k] (u32) says how many. `scratch` has room for a u32 for each column. Returns the address
 * of the first row not parsed.
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
  errorCode = 0;
  while (at < end && rows < capacity) {
    const before = lines;
    const next = parseRow(at, roles, columns, out, stride, counts, scratch);
    if (next == 0) {
      lines = before;
      break;
    }
    at = next;
  }
  return at;
}

function parseRow(
  at: usize,
  roles: usize,
  columns: u32,
  out: usize,
  stride: usize,
  counts: usize,
  scratch: usize,
): usize {
  const empty = lineEnd(at);
  if (empty != 0) return empty;
  const half = stride >> 1;
  let p = at;
  let k: u32 = 0;
  let to = out;
  filled = 0;
  for (let column: u32 = 0; column < columns; column++) {
    const role = load<u8>(roles + column);
    if (role == SKIP) {
      p = skipCell(p, column);
    } else if (role == TIME) {
      p = timeCell(p, column);
    } else {
      p = valueCell(p, column, to + half, counts + (<usize>k << 2), scratch, k);
      to += stride;
      k++;
    }
    if (p == 0) return 0;
    if (column + 1 == columns) break;
    if (load<u8>(p) != delimiter) return fail(TOO_FEW, p, column + 1);
    p++;
  }
  const next = lineEnd(p);
  if (next == 0) return fail(TOO_MANY, p, columns + 1);
  if (timeKind == IMPLICIT) {
    time = nextTime;
    nextTime += step;
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
  return c == delimiter || c == LF || (c == CR && load<u8>(p, 1) == LF);
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
  if (load<u8>(p) == QUOTE) {
    const cell = p++;
    while (load<u8>(p) != QUOTE || load<u8>(p, 1) == QUOTE) {
      const c = load<u8>(p);
      if (c == LF) return fail(AFTER_QUOTE, cell, column + 1);
      p += c == QUOTE ? 2 : 1;
    }
    return isEnd(p + 1) ? p + 1 : fail(AFTER_QUOTE, cell, column + 1);
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
  if (timeKind == CALENDAR) p = parseCalendarTime(p);
  else if (timeKind == PATTERN) p = parsePatternTime(p, pattern, patternLength);
  else p = parseDecimalTime(p, timeKind);
  if (p == 0) return fail(timeOverflow() ? TIME_RANGE : BAD_TIME, cell, column + 1);
  if (quoted && load<u8>(p++) != QUOTE) return fail(BAD_TIME, cell, column + 1);
  p = skipBlanks(p);
  if (!isEnd(p)) return fail(BAD_TIME, cell, column + 1);
  time = parsedTime();
  return p;
}

/** A value to `values` + 8 · n, n the number of points so far; the count is raised at the row's end. */
function valueCell(
  cell: usize,
  column: u32,
  values: usize,
  slot: usize,
  scratch: usize,
  k: u32,
): usize {
  let p = skipBlanks(cell);
  if (isEnd(p)) return p;
  const quoted = load<u8>(p) == QUOTE;
  if (quoted) p++;
  const start = p;
  let value: f64;
  if (decimal == 46) {
    value = parseNumber(p);
    p = parsedEnd();
  } else {
    const length = pointed(p);
    value = parseNumber(CELL);
    p = parsedEnd() == CELL + length ? start + length : 0;
  }
  if (p == 0) {
    p = gapEnd(start);
    if (p == 0) return fail(BAD_NUMBER, cell, column + 1);
    value = NaN;
  }
  if (quoted && load<u8>(p++) != QUOTE) return fail(BAD_NUMBER, cell, column + 1);
  p = skipBlanks(p);
  if (!isEnd(p)) return fail(BAD_NUMBER, cell, column + 1);
  if (value != value) return p;
  if (abs(value) == Infinity) return fail(NUMBER_RANGE, cell, column + 1);
  store<f64>(values + (<usize>load<u32>(slot) << 3), value);
  store<u32>(scratch + (<usize>filled << 2), k);
  filled++;
  return p;
}

/** Copies the number at `p` to CELL with a point for the decimal comma; its length. */
function pointed(p: usize): usize {
  let n: usize = 0;
  while (n < CELL_BYTES) {
    const c = load<u8>(p + n);
    if (c == delimiter || c == LF || c == CR || c == QUOTE || c == BLANK) break;
    store<u8>(CELL + n, c == decimal ? 46 : c);
    n++;
  }
  store<u8>(CELL + n, LF);
  return n;
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
