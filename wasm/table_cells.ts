// The edges of cells and lines of tables.

import { AFTER_QUOTE, fail, INCOMPLETE, passLine } from "./table_outcome";
import { BLANK, blanks, CR, delimiter, LF, QUOTE, TAB } from "./table_rules";

/** Longest cell in quotes. */
const QUOTED_BYTES: usize = 1048576;

/** The end of the bytes of the table. */
let tableEnd: usize = 0;

/** Sets the end of the bytes of the table. */
export function setTableEnd(end: usize): void {
  tableEnd = end;
}

/** Tells whether a cell ends at `p`. */
// @ts-ignore: decorator
@inline
export function isEnd(p: usize): bool {
  const c = load<u8>(p);
  return c == delimiter || c == LF || (c == CR && load<u8>(p, 1) == LF) || (blanks && c == TAB);
}

/** Tells whether a line ends at `p`. */
// @ts-ignore: decorator
@inline
export function isLineEnd(p: usize): bool {
  const c = load<u8>(p);
  return c == LF || (c == CR && load<u8>(p, 1) == LF);
}

/** The address after blanks and tabs. */
export function skipRun(p: usize): usize {
  let c = load<u8>(p);
  while (c == BLANK || c == TAB) c = load<u8>(++p);
  return p;
}

/** The address after blanks. */
// @ts-ignore: decorator
@inline
export function skipBlanks(p: usize): usize {
  while (load<u8>(p) == BLANK && delimiter != BLANK) p++;
  return p;
}

/** The address after the line end at `p`; 0 if there is none. */
// @ts-ignore: decorator
@inline
export function lineEnd(p: usize): usize {
  const c = load<u8>(p);
  const feed = p + <usize>(c == CR);
  if (load<u8>(feed) != LF) return 0;
  passLine();
  return feed + 1;
}

/** The address after the next line feed. */
export function afterLine(p: usize): usize {
  while (load<u8>(p) != LF) p++;
  return p + 1;
}

/** The address of the delimiter or line end after a cell that is not looked at. */
export function skipCell(p: usize, column: u32): usize {
  const opening = skipBlanks(p);
  if (load<u8>(opening) == QUOTE) {
    const cell = opening;
    p = cell + 1;
    while (load<u8>(p) != QUOTE || load<u8>(p, 1) == QUOTE) {
      const c = load<u8>(p);
      if (c == LF) {
        if (p - cell > QUOTED_BYTES) return fail(AFTER_QUOTE, cell, column + 1);
        if (p + 1 >= tableEnd) return fail(INCOMPLETE, cell, column + 1);
        passLine();
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

/** The address of the delimiter or line end behind what was read of a cell; 0 if more is there. */
// @ts-ignore: decorator
@inline
export function cellEnd(p: usize, quoted: bool): usize {
  if (quoted) {
    p = skipBlanks(p);
    if (load<u8>(p++) != QUOTE) return 0;
  }
  p = skipBlanks(p);
  return isEnd(p) ? p : 0;
}
