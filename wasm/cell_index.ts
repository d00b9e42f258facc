// Addresses of the delimiters and line feeds of rows, some thousand ahead. Rows of which only these are
// known can be read cell by cell without waiting for the end of the one before.

/** Ends of cells looked up in one go. */
const AHEAD: usize = 4096;
/** Room behind them: those of 64 bytes, ten at a time. */
const ROOM: usize = 80;
const ENDS: usize = memory.data((AHEAD + ROOM) << 2, 16);

/** Most columns of rows whose cells can be looked up. */
export const MOST_CELLS: u32 = 1024;

/** The address of the entry of the next cell, and behind the last entry. */
let next: usize = ENDS;
let last: usize = ENDS;

/** Forgets what was looked up. */
export function clearCells(): void {
  next = ENDS;
  last = ENDS;
}

/** Passes what is before `at`. */
export function passCellsBefore(at: usize): void {
  while (next < last && load<u32>(next) < <u32>at) next += 4;
}

/** Passes so many cells. */
// @ts-ignore: decorator
@inline
export function passCells(cells: u32): void {
  next += <usize>cells << 2;
}

/**
 * The address of the ends of the next `cells` cells, which begin at `at`, a u32 each; 0 if there are not
 * as many before `end`. Delimiters in quotes count as ends.
 */
// @ts-ignore: decorator
@inline
export function cellEnds(at: usize, end: usize, cells: u32, between: u8): usize {
  if (next + (<usize>cells << 2) > last) {
    lookAhead(at, end, between);
    if (next + (<usize>cells << 2) > last) return 0;
  }
  return next;
}

/** Looks up the ends of cells from `at` on; those behind `end` may be among them. */
function lookAhead(at: usize, end: usize, between: u8): void {
  const delimiters = i8x16.splat(between);
  const most = ENDS + (AHEAD << 2);
  let to = ENDS;
  for (; at < end && to < most; at += 64) {
    let ends = endsAt(at, delimiters) | endsAt(at + 16, delimiters) << 16 |
      endsAt(at + 32, delimiters) << 32 | endsAt(at + 48, delimiters) << 48;
    const after = to + (<usize>popcnt(ends) << 2);
    // Ten at a time, whatever their number: a branch for each costs more.
    do {
      for (let i = 0; i < 10; i++) {
        store<u32>(to + (<usize>i << 2), <u32>at + <u32>ctz(ends));
        ends &= ends - 1;
      }
      to += 40;
    } while (ends != 0);
    to = after;
  }
  next = ENDS;
  last = to;
}

/** A bit for each of 16 bytes that is a delimiter or a line feed. */
// @ts-ignore: decorator
@inline
function endsAt(at: usize, delimiters: v128): u64 {
  const bytes = v128.load(at);
  return <u64>i8x16.bitmask(v128.or(i8x16.eq(bytes, delimiters), i8x16.eq(bytes, i8x16.splat(10))));
}
