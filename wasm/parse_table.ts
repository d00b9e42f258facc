// Rows of any table of numbers to columns: each column of the text is the time, values or skipped.
// Cells may be quoted (RFC 4180) and padded with blanks; lines end with LF or CRLF; empty lines are
// skipped; an empty cell, NaN, NA, null or none is no point.
// If it stops early, tableErrorCode and its companions say why.

import { shortNumberEnd } from "./parse_number";
import { timesCut, timesLeap, timesUnsure } from "./parsed_time";
import { beginPlainRows, plainRows } from "./plain_rows";
import {
  afterLine,
  isLineEnd,
  lineEnd,
  setTableEnd,
  skipBlanks,
  skipCell,
  skipRun,
} from "./table_cells";
import {
  AFTER_QUOTE,
  beginRow,
  beginTable,
  EMPTY_LINE,
  errorCode,
  fail,
  leaveOutRow,
  NO_SUCH_TIME,
  OUTSIDE,
  passLine,
  passRow,
  passTime,
  rows,
  TIME_RANGE,
  TOO_FEW,
  TOO_MANY,
  undoRow,
} from "./table_outcome";
import {
  blanks,
  comment,
  decimal,
  delimiter,
  LF,
  PART,
  SKIP,
  skipRows,
  SPARE,
  thousands,
  VALUE,
} from "./table_rules";
import {
  endTime,
  firstTime,
  IMPLICIT,
  isAfterEmpty,
  lastTime,
  partCell,
  passEmpty,
  time,
  timeCell,
  timeKind,
} from "./table_time";
import { hasValue, valueCell } from "./table_value";

/** Most rows in a row that are not tried as plain ones, where those before were none. */
const MOST_OTHERS: i32 = 32;

/** True while every row of the last parseTable has had a value in every column. */
let full: bool = false;
/** Value columns that the row under way has filled. */
let filled: u32 = 0;
/** The cell of the time, or of its first part, and its column. */
let timeFrom: usize = 0;
let timeColumn: u32 = 0;

/** True if all rows of the last parseTable have a value in every column; see there. */
export function tableIsFull(): bool {
  return full;
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
  beginTable();
  setTableEnd(end);
  full = true;
  const isPlain = decimal == 46 && thousands == 0 && !blanks;
  const hasPlain = beginPlainRows(roles, columns);
  /** Rows to read without trying, and how many the next time. */
  let others = 0;
  let pause = 1;
  while (at < end && rows < capacity) {
    if (hasPlain && others-- <= 0) {
      const after = plainRows(at, end, roles, columns, out, stride, counts, capacity, full);
      pause = after == at ? min(2 * pause, MOST_OTHERS) : 1;
      others = pause - 1;
      at = after;
      if (at >= end || rows >= capacity) break;
    }
    beginRow();
    let next = parseRow(at, roles, columns, out, stride, counts, scratch, isPlain);
    if (next == 0 && errorCode == 0) {
      // The first row with a gap is read again.
      undoRow();
      part(roles, columns, out, stride, counts);
      continue;
    }
    if (next == 0) {
      if (!skipRows || !isOfRow(errorCode)) {
        undoRow();
        break;
      }
      leaveOutRow();
      next = afterLine(at);
    }
    at = next;
  }
  return at;
}

/** Tells whether an error is one of the row, not of a single cell of values. */
function isOfRow(code: i32): bool {
  return code <= TIME_RANGE || code >= NO_SUCH_TIME || code >= TOO_FEW && code <= AFTER_QUOTE;
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
  if (empty != 0) {
    passEmpty();
    return empty;
  }
  if (comment != 0 && load<u8>(skipBlanks(p)) == comment) {
    passLine();
    return afterLine(p);
  }
  if (isAfterEmpty()) return fail(EMPTY_LINE, p, 1);
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
      const first = load<u8>(p);
      let isGap = !isFull && (first == between || first == LF);
      if (!isGap) {
        const end = isPlain ? shortNumberEnd(p, value) : 0;
        const c = load<u8>(end);
        if (end != 0 && (c == between || c == LF)) {
          p = end;
        } else {
          p = valueCell(p, column, value);
          isGap = !hasValue;
        }
      }
      if (isFull) {
        if (isGap) return 0;
      } else if (!isGap) {
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
  if (!endTime(at)) return 0;
  passTime(timesUnsure() > 0, timesCut() > 0, timesLeap() > 0);
  if (time < firstTime || time > lastTime) return fail(OUTSIDE, timeFrom, timeColumn + 1);
  if (isFull) {
    if (k > 0) store<i64>(out + n, time);
    passRow();
    return next;
  }
  for (let i: u32 = 0; i < filled; i++) {
    const c = load<u32>(scratch + (<usize>i << 2));
    const slot = counts + (<usize>c << 2);
    const n = load<u32>(slot);
    store<i64>(out + <usize>c * stride + (<usize>n << 3), time);
    store<u32>(slot, n + 1);
  }
  passRow();
  return next;
}
