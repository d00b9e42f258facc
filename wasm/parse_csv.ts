// Rows of BTrDB's CSV back to columns: `time,human time,cells…`. The time is an int64, the human
// time is skipped, a cell is empty (no point) or a number. Cells may be quoted (RFC 4180), lines end
// with LF or CRLF, empty lines are skipped.
// If it stops early, tableErrorCode and its companions say why, and how many lines stand before the row.

import { parsedEnd, parseNumber } from "./parse_number";
import { isEnd, lineEnd } from "./table_cells";
import {
  AFTER_QUOTE,
  BAD_NUMBER,
  BAD_TIME,
  beginRow,
  beginTable,
  fail,
  NUMBER_RANGE,
  passLine,
  passRow,
  rows,
  TIME_RANGE,
  TOO_FEW,
  TOO_MANY,
  undoRow,
} from "./table_outcome";
import { CR, LF, QUOTE, tableCells, tableRules } from "./table_rules";

const COMMA: u8 = 44;

/** End of the input. */
let limit: usize = 0;
/** The time of the row under way. */
let time: i64 = 0;

/**
 * Parses rows from `at` until `end` (the byte before it is a line feed), until `capacity` rows are
 * done or something is wrong. Column c of `columns` puts its points to `out` + c · stride: times,
 * then at half of the stride values; counts[c] (u32) says how many. Returns the address of the
 * first row not parsed.
 */
export function parseRows(
  at: usize,
  end: usize,
  columns: u32,
  out: usize,
  stride: usize,
  counts: usize,
  capacity: u32,
): usize {
  memory.fill(counts, 0, <usize>columns << 2);
  beginTable();
  limit = end;
  tableCells(COMMA, 46, 0, 0);
  tableRules(false, 0, false, false);
  while (at < end && rows < capacity) {
    beginRow();
    const next = parseRow(at, columns, out, stride, counts);
    if (next == 0) {
      undoRow();
      break;
    }
    at = next;
  }
  return at;
}

/** One row; 0 if something is wrong with it or it is not complete. */
function parseRow(at: usize, columns: u32, out: usize, stride: usize, counts: usize): usize {
  const empty = lineEnd(at);
  if (empty != 0) return empty;
  let p = parseTimeCell(at);
  if (p == 0) return 0;
  p = skipHumanTime(p + 1);
  if (p == 0) return 0;
  const half = stride >> 1;
  let column: u32 = 0;
  while (load<u8>(p) == COMMA) {
    if (column == columns) return fail(TOO_MANY, p + 1, column + 3);
    const cell = ++p;
    const first = load<u8>(p);
    if (first == COMMA) {
      out += stride;
      column++;
      continue;
    }
    if (first == QUOTE) p++;
    else if (first == LF || first == CR) {
      column++;
      break;
    }
    if (first == QUOTE && load<u8>(p) == QUOTE) {
      p++;
    } else {
      const value = parseNumber(p);
      p = parsedEnd();
      if (p == 0) return failNumber(cell, column);
      if (first == QUOTE && load<u8>(p++) != QUOTE) return failNumber(cell, column);
      if (!isEnd(p)) return failNumber(cell, column);
      if (abs(value) == Infinity) return fail(NUMBER_RANGE, cell, column + 3);
      const slot = counts + (<usize>column << 2);
      const n = load<u32>(slot);
      store<u32>(slot, n + 1);
      const to = out + (<usize>n << 3);
      store<i64>(to, time);
      store<f64>(to + half, value);
    }
    out += stride;
    column++;
  }
  const next = lineEnd(p);
  if (next == 0) return fail(AFTER_QUOTE, p, column + 2);
  if (column != columns) return fail(TOO_FEW, p, column + 2);
  passRow();
  return next;
}

/** A cell that is no number; the row may just not be complete. */
function failNumber(cell: usize, column: u32): usize {
  if (load<u8>(cell) == QUOTE && skipQuoted(cell) == 0) return 0;
  return fail(BAD_NUMBER, cell, column + 3);
}

/** The address after the closing quote of the cell at `p`; 0 if the input ends before it. */
function skipQuoted(p: usize): usize {
  p++;
  while (p < limit) {
    const c = load<u8>(p++);
    if (c == LF) passLine();
    if (c != QUOTE) continue;
    if (p < limit && load<u8>(p) == QUOTE) p++;
    else return p;
  }
  return 0;
}

/** Skips the second cell; returns the address of the delimiter after it. */
// @ts-ignore: decorator
@inline
function skipHumanTime(p: usize): usize {
  if (load<u8>(p) == QUOTE) {
    const after = skipQuoted(p);
    if (after == 0) return 0;
    return isEnd(after) ? after : fail(AFTER_QUOTE, p, 2);
  }
  const commas = i8x16.splat(44);
  const feeds = i8x16.splat(10);
  let mask = 0;
  while (true) {
    const bytes = v128.load(p);
    mask = i8x16.bitmask(v128.or(i8x16.eq(bytes, commas), i8x16.eq(bytes, feeds)));
    if (mask != 0) break;
    p += 16;
  }
  p += ctz(mask);
  return load<u8>(p) == LF && load<u8>(p - 1) == CR ? p - 1 : p;
}

/** Eight ASCII digits as a number, or −1 if they are not all digits. */
// @ts-ignore: decorator
@inline
function eightDigits(p: usize): i64 {
  let v = load<u64>(p) - 0x3030303030303030;
  if (((v | (v + 0x7676767676767676)) & 0x8080808080808080) != 0) return -1;
  v = v * 10 + (v >> 8);
  const low = (v & 0x000000ff000000ff) * 0x000f424000000064;
  const high = ((v >> 16) & 0x000000ff000000ff) * 0x0000271000000001;
  return <i64>((low + high) >> 32);
}

/** Parses the first cell into `time`; the address of the comma after it, or 0. */
// @ts-ignore: decorator
@inline
function parseTimeCell(cell: usize): usize {
  let p = cell;
  const quoted = load<u8>(p) == QUOTE;
  if (quoted) p++;
  const negative = load<u8>(p) == 45;
  if (negative) p++;
  const from = p;
  while (load<u8>(p) == 48) p++;
  const first = p;
  let v: u64 = 0;
  while (p - first < 16) {
    const eight = eightDigits(p);
    if (eight < 0) break;
    v = v * 100000000 + <u64>eight;
    p += 8;
  }
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10) {
    v = v * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  const bad = p == from;
  const digits = p - first;
  if (quoted && load<u8>(p++) != QUOTE) return failTime(cell, BAD_TIME);
  if (bad || !isEnd(p)) return failTime(cell, BAD_TIME);
  const most = <u64>i64.MAX_VALUE + <u64>negative;
  if (digits > 19 || v > most) return failTime(cell, TIME_RANGE);
  if (load<u8>(p) != COMMA) return fail(TOO_FEW, p, 1);
  time = negative ? <i64>(0 - v) : <i64>v;
  return p;
}

function failTime(cell: usize, code: i32): usize {
  if (load<u8>(cell) == QUOTE && skipQuoted(cell) == 0) return 0;
  return fail(code, cell, 1);
}
