// Rows of BTrDB's CSV straight to bytes: the merge of merge.ts, `time,human time,cells…\n`.
// A raw stream has one cell, a stream of windows four: min, mean, max, count. A stream without a point there has empty cells.

import { writeU64 } from "./digits";
import { writeFixed6, writeShortest } from "./format_number";
import { writeTimeCells } from "./format_time";
import {
  mergeCursor,
  mergeMembers,
  mergeNext,
  mergeOpen,
  mergeShared,
  mergeSkip,
  mergeStep,
  mergeSteppedBefore,
  mergeTime,
} from "./merge";

/** More than the two time cells of a row and what their writers touch beyond. */
const TIME_ROOM: usize = 80;
/** More than one number with its comma, likewise. */
const CELL_ROOM: usize = 336;

const COMMAS: v128 = i8x16(44, 44, 44, 44, 44, 44, 44, 44, 44, 44, 44, 44, 44, 44, 44, 44);

/** Rows that are worth a look at whether the streams share their times. */
const LEAST_SHARED: usize = 16;

let rows: u32 = 0;
let full: bool = false;

/** Rows written by the last call of csvRows. */
export function csvRowCount(): u32 {
  return rows;
}

/** Tells whether the last call of csvRows stopped because enough was written or the next row might not fit. */
export function csvIsFull(): bool {
  return full;
}

/** `n` commas; may touch 16 bytes beyond them. */
// @ts-ignore: decorator
@inline
function writeCommas(n: usize, out: usize): usize {
  v128.store(out, COMMAS);
  if (n > 16) writeMoreCommas(n, out);
  return out + n;
}

function writeMoreCommas(n: usize, out: usize): void {
  for (let done: usize = 16; done < n; done += 16) v128.store(out + done, COMMAS);
}

// @ts-ignore: decorator
@inline
function writeNumber(x: f64, fixed: bool, out: usize): usize {
  return fixed ? writeFixed6(x, out) : writeShortest(x, out);
}

/** The cells of the point whose time is at `at`, each after a comma. */
// @ts-ignore: decorator
@inline
function writePoint(at: usize, stride: usize, windows: bool, fixed: bool, out: usize): usize {
  if (windows && !fixed && load<u64>(at + 4 * stride) == 0) {
    // Nothing has no statistics. The server writes 0, and with it what is to be the server's.
    store<u32>(out, 0x2c2c2c2c);
    store<u8>(out, 48, 4);
    return out + 5;
  }
  store<u8>(out, 44);
  out = writeNumber(load<f64>(at + stride), fixed, out + 1);
  if (!windows) return out;
  store<u8>(out, 44);
  out = writeNumber(load<f64>(at + 2 * stride), fixed, out + 1);
  store<u8>(out, 44);
  out = writeNumber(load<f64>(at + 3 * stride), fixed, out + 1);
  store<u8>(out, 44);
  return writeU64(load<u64>(at + 4 * stride), out + 1);
}

/**
 * Writes rows until a stream runs dry, all are at their end, enough is written, or the next row
 * might not fit.
 *
 * `plan`, `groups`: see merge.ts. `streams` ≤ 64 · groups. `stride`: bytes from one column of a
 * stream to the next. `windows`: columns are time, min, mean, max, count instead of time, value.
 * `fixed`: `%f` instead of shortest. `decimals`: 0 or 9, of the human time. `out`, `end`: where to
 * write; no row begins at or after `enough`. Returns the address after the last byte; the cursors in
 * the plan are moved on.
 */
export function csvRows(
  plan: usize,
  groups: i32,
  streams: i32,
  stride: usize,
  windows: bool,
  fixed: bool,
  decimals: i32,
  out: usize,
  enough: usize,
  end: usize,
): usize {
  mergeOpen(plan, groups);
  const cells: usize = windows ? 4 : 1;
  const room = TIME_ROOM + <usize>streams * cells + 32;
  rows = 0;
  full = false;
  // Rows of streams with the same times need no merge, as far as they are sure to fit.
  const widest = room + <usize>streams * cells * CELL_ROOM;
  while (streams > 1 && out + LEAST_SHARED * widest <= end) {
    const shared = mergeShared(streams, <u32>((end - out) / widest));
    if (shared == 0) break;
    out = csvShared(streams, shared, stride, windows, fixed, decimals, out);
    mergeSkip(streams, shared);
    rows += shared;
  }
  for (let points = mergeNext(); points != 0; points = mergeNext()) {
    if (out >= enough || out + room + <usize>points * cells * CELL_ROOM > end) {
      full = true;
      break;
    }
    out = csvRow(groups, streams, stride, windows, fixed, decimals, out);
    rows++;
  }
  return out;
}

/** `n` rows with a point of every stream. */
function csvShared(
  streams: i32,
  n: u32,
  stride: usize,
  windows: bool,
  fixed: bool,
  decimals: i32,
  out: usize,
): usize {
  const first = mergeCursor(0);
  const bytes = <usize>n << 3;
  for (let at: usize = 0; at < bytes; at += 8) {
    out = writeTimeCells(load<i64>(first + at), decimals, out);
    for (let s = 0; s < streams; s++) {
      out = writePoint(mergeCursor(s) + at, stride, windows, fixed, out);
    }
    store<u8>(out, 10);
    out++;
  }
  return out;
}

/** The row that mergeNext found. */
// @ts-ignore: decorator
@inline
function csvRow(
  groups: i32,
  streams: i32,
  stride: usize,
  windows: bool,
  fixed: bool,
  decimals: i32,
  out: usize,
): usize {
  const cells: usize = windows ? 4 : 1;
  out = writeTimeCells(mergeTime(), decimals, out);
  let written: i32 = 0; // streams whose cells are written
  let g = 0;
  do {
    let members = mergeMembers(g);
    if (members == 0) continue;
    while (members != 0) {
      const s = (g << 6) + <i32>ctz(members);
      members &= members - 1;
      out = writeCommas(<usize>(s - written) * cells, out);
      const cursor = mergeCursor(s);
      mergeStep(s);
      out = writePoint(cursor, stride, windows, fixed, out);
      written = s + 1;
    }
    mergeSteppedBefore(g);
  } while (++g < groups);
  out = writeCommas(<usize>(streams - written) * cells, out);
  store<u8>(out, 10);
  return out + 1;
}
