// Numbers in cells of tables, and words for no value.

import { parsedEnd, parseNumber } from "./parse_number";
import { cellEnd, isEnd, skipBlanks, skipCell } from "./table_cells";
import {
  BAD_NUMBER,
  fail,
  NUMBER_RANGE,
  passBadCell,
  passRounded,
  POINT_FOR_COMMA,
  THOUSANDS,
} from "./table_outcome";
import {
  BLANK,
  CR,
  decimal,
  delimiter,
  LF,
  QUOTE,
  skipCells,
  thousands,
  words,
} from "./table_rules";

/** Longest cell with a decimal comma. */
const CELL_BYTES: usize = 512;
const CELL: usize = memory.data(544, 16);

/** Up to here doubles hold every whole number. */
const TWO_53: f64 = 9007199254740992;
/** From here on whole numbers that are one modulo 2^64 can have one nearest double. */
const TWO_116: f64 = 8.307674973655724e34;

/** True if the last {@link valueCell} had a value. */
export let hasValue: bool = false;

/** Writes the value of a cell to `to`, if it has one. */
export function valueCell(cell: usize, column: u32, to: usize): usize {
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
  passRounded();
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
      const ok = whole && n > 0 && (group < 0 ? leads(p, n) : group == 3) &&
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

/**
 * Tells whether the `n` bytes at `p` can stand before the first mark: a sign, and one to three digits,
 * which are more than a zero alone. `0,001` and `1234,567` have the mark of decimals.
 */
function leads(p: usize, n: usize): bool {
  const first = load<u8>(p);
  const digits = first == 43 || first == 45 ? n - 1 : n;
  return digits <= 3 && (digits != 1 || load<u8>(p + n - 1) != 48);
}

/** A cell that is no number: an error, or left out. */
function badCell(code: i32, cell: usize, column: u32): usize {
  if (!skipCells) return fail(code, cell, column + 1);
  const p = skipCell(cell, column);
  if (p != 0) passBadCell();
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
