// Rows of tables whose cells hold a number, a time or nothing, without quotes and blanks around them: as
// programs write them. Any other row, also a wrong one, is left to parse_table.ts.

import { makePowers, numberWithin } from "./bounded_number";
import { cellEnds, clearCells, MOST_CELLS } from "./cell_index";
import { timePassed, timesCut, timesUnsure } from "./parsed_time";
import { skipBlanks } from "./table_cells";
import { beginRow, clearError, passLine, passRow, passTime, rows, undoRow } from "./table_outcome";
import {
  BLANK,
  blanks,
  comment,
  CR,
  decimal,
  delimiter,
  LF,
  QUOTE,
  TAB,
  thousands,
  TIME,
  VALUE,
} from "./table_rules";
import { firstTime, isTimeInCell, lastTime, time, timeWithin } from "./table_time";

/** Begins a table; tells whether it can have such rows. */
export function beginPlainRows(roles: usize, columns: u32): bool {
  clearCells();
  makePowers();
  if (decimal != 46 || thousands != 0 || blanks || !isTimeInCell()) return false;
  if (delimiter != 44 && delimiter != 59 && delimiter != TAB && delimiter != 124) return false;
  if (columns < 2 || columns > MOST_CELLS) return false;
  let timed = false;
  let values = false;
  for (let column: u32 = 0; column < columns; column++) {
    const role = load<u8>(roles + column);
    if (role > VALUE || role == VALUE && !timed) return false;
    if (role == TIME) timed = true;
    if (role == VALUE) values = true;
  }
  return values;
}

/**
 * Parses such rows from `at` on; see parseTable. Returns the address of the first one that is none, has
 * a gap where `full`, or has no room.
 */
export function plainRows(
  at: usize,
  end: usize,
  roles: usize,
  columns: u32,
  out: usize,
  stride: usize,
  counts: usize,
  capacity: u32,
  full: bool,
): usize {
  const between = delimiter;
  while (at < end && rows < capacity) {
    if (comment != 0 && load<u8>(skipBlanks(at)) == comment) break;
    const ends = cellEnds(at, end, columns, between);
    if (ends == 0) break;
    beginRow();
    const done = full
      ? fullRow(at, ends, roles, columns, out, stride)
      : gappyRow(at, ends, roles, columns, out, stride, counts);
    if (!done) {
      undoRow();
      clearError();
      break;
    }
    at = <usize>load<u32>(ends + (<usize>(columns - 1) << 2)) + 1;
    timePassed(time);
    passLine();
    passTime(timesUnsure() > 0, timesCut() > 0);
    passRow();
  }
  return at;
}

/** The end of what is in the last cell. */
// @ts-ignore: decorator
@inline
function lastEnd(feed: usize): usize {
  return feed - <usize>(load<u8>(feed - 1) == CR);
}

/** Reads a cell that is no value; false if it is not plain. */
// @ts-ignore: decorator
@inline
function otherCell(role: u8, from: usize, end: usize, column: u32): bool {
  if (role == TIME) return timeWithin(from, end, column) && time >= firstTime && time <= lastTime;
  const first = load<u8>(from);
  return first != QUOTE && first != BLANK;
}

/** A row with a value in each column; false if it is none. */
// @ts-ignore: decorator
@inline
function fullRow(
  at: usize,
  ends: usize,
  roles: usize,
  columns: u32,
  out: usize,
  stride: usize,
): bool {
  let from = at;
  const n = <usize>rows << 3;
  let to = out + (stride >> 1) + n;
  for (let column: u32 = 0; column < columns; column++) {
    let end = <usize>load<u32>(ends + (<usize>column << 2));
    const after = end + 1;
    const isLast = column + 1 == columns;
    if (load<u8>(end) != (isLast ? LF : delimiter)) return false;
    if (isLast) end = lastEnd(end);
    const role = load<u8>(roles + column);
    if (role == VALUE) {
      if (end == from || !numberWithin(from, end, to)) return false;
      to += stride;
    } else if (!otherCell(role, from, end, column)) return false;
    from = after;
  }
  store<i64>(out + n, time);
  return true;
}

/** A row in which values may be missing; false if it is none. */
// @ts-ignore: decorator
@inline
function gappyRow(
  at: usize,
  ends: usize,
  roles: usize,
  columns: u32,
  out: usize,
  stride: usize,
  counts: usize,
): bool {
  const half = stride >> 1;
  let from = at;
  let to = out;
  let slot = counts;
  for (let column: u32 = 0; column < columns; column++) {
    let end = <usize>load<u32>(ends + (<usize>column << 2));
    const after = end + 1;
    const isLast = column + 1 == columns;
    let good = load<u8>(end) == (isLast ? LF : delimiter);
    if (good) {
      if (isLast) end = lastEnd(end);
      const role = load<u8>(roles + column);
      if (role == VALUE) {
        if (end != from) {
          const n = load<u32>(slot);
          const point = to + (<usize>n << 3);
          store<i64>(point, time);
          store<u32>(slot, n + 1);
          good = numberWithin(from, end, point + half);
          if (!good) store<u32>(slot, n);
        }
        to += stride;
        slot += 4;
      } else good = otherCell(role, from, end, column);
    }
    if (!good) {
      takeBack(at, ends, roles, column, counts);
      return false;
    }
    from = after;
  }
  return true;
}

/** Takes back the points of the row at `at` before `column`. */
function takeBack(at: usize, ends: usize, roles: usize, column: u32, counts: usize): void {
  let from = at;
  for (let c: u32 = 0; c < column; c++) {
    const end = <usize>load<u32>(ends + (<usize>c << 2));
    if (load<u8>(roles + c) == VALUE) {
      if (end != from) store<u32>(counts, load<u32>(counts) - 1);
      counts += 4;
    }
    from = end + 1;
  }
}
