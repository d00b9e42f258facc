// Rows of tables whose cells hold a number, a time or nothing, without quotes and blanks around them: as
// programs write them. Any other row, also a wrong one, is left to parse_table.ts.

import { makePowers, numberWithin } from "./bounded_number";
import { cellEnds, clearCells, MOST_CELLS, passCells, passCellsBefore } from "./cell_index";
import { beginTime, timePassed, timesCut, timesLeap, timesUnsure } from "./parsed_time";
import { skipBlanks } from "./table_cells";
import { clearError, passLine, passRow, passTime, rows } from "./table_outcome";
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
  const last = <usize>(columns - 1) << 2;
  passCellsBefore(at);
  beginTime();
  while (at < end && rows < capacity) {
    if (comment != 0 && load<u8>(skipBlanks(at)) == comment) break;
    const ends = cellEnds(at, end, columns, between);
    if (ends == 0) break;
    const feed = <usize>load<u32>(ends + last);
    if (!plainRow(at, ends, roles, columns, out, stride, counts, full)) {
      clearError();
      break;
    }
    at = feed + 1;
    passCells(columns);
    timePassed(time);
    passLine();
    if ((timesUnsure() | timesCut() | timesLeap()) != 0) {
      passTime(timesUnsure() > 0, timesCut() > 0, timesLeap() > 0);
    }
    passRow();
  }
  return at;
}

/** Reads a cell that is no value; false if it is not plain. */
// @ts-ignore: decorator
@inline
function otherCell(role: u8, from: usize, end: usize, column: u32): bool {
  if (role == TIME) return timeWithin(from, end, column) && time >= firstTime && time <= lastTime;
  const first = load<u8>(from);
  return first != QUOTE && first != BLANK;
}

/** Reads the row at `at`, whose cells have these ends; false if it is none, or has a gap where `full`. */
// @ts-ignore: decorator
@inline
function plainRow(
  at: usize,
  ends: usize,
  roles: usize,
  columns: u32,
  out: usize,
  stride: usize,
  counts: usize,
  full: bool,
): bool {
  const half = stride >> 1;
  const last = ends + (<usize>(columns - 1) << 2);
  const feed = <usize>load<u32>(last);
  if (load<u8>(feed) != LF) return false;
  // The last cell ends before a CR.
  if (load<u8>(feed - 1) == CR) store<u32>(last, <u32>feed - 1);
  let from = at;
  let to = out + half;
  let slot = counts;
  let n = <usize>rows << 3;
  for (let cell = ends; cell <= last; cell += 4) {
    const end = <usize>load<u32>(cell);
    if (load<u8>(end) != delimiter && cell != last) {
      return takeBack(at, ends, roles, cell, counts, full);
    }
    const role = load<u8>(roles);
    if (role == VALUE) {
      if (end != from) {
        if (!full) n = <usize>load<u32>(slot) << 3;
        if (!numberWithin(from, end, to + n)) return takeBack(at, ends, roles, cell, counts, full);
        if (!full) {
          store<i64>(to + n - half, time);
          store<u32>(slot, <u32>(n >> 3) + 1);
        }
      } else if (full) return false;
      to += stride;
      slot += 4;
    } else if (!otherCell(role, from, end, <u32>(cell - ends) >> 2)) {
      return takeBack(at, ends, roles, cell, counts, full);
    }
    from = end + 1;
    roles++;
  }
  if (full) store<i64>(out + n, time);
  return true;
}

/** Takes back the points of the row at `at` before the cell `cell`; always false. */
function takeBack(
  at: usize,
  ends: usize,
  roles: usize,
  cell: usize,
  counts: usize,
  full: bool,
): bool {
  // Those of full rows were not counted.
  for (roles -= (cell - ends) >> 2; ends < cell && !full; ends += 4) {
    const end = <usize>load<u32>(ends);
    if (load<u8>(roles++) == VALUE) {
      if (end != at) store<u32>(counts, load<u32>(counts) - 1);
      counts += 4;
    }
    at = end + 1;
  }
  return false;
}
