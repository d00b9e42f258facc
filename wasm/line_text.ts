// The edges of lines of line protocol, and of keys and strings in them.

export const LF: u8 = 10;
export const CR: u8 = 13;
export const TAB: u8 = 9;
export const BLANK: u8 = 32;
export const QUOTE: u8 = 34;
export const HASH: u8 = 35;
export const COMMA: u8 = 44;
export const EQUALS: u8 = 61;
export const BACKSLASH: u8 = 92;

/** End of the bytes. */
let limit: usize = 0;
/** Lines passed. */
export let lines: u32 = 0;

/** Begins a run over bytes. */
export function beginText(end: usize): void {
  limit = end;
  lines = 0;
}

/** Goes back to a number of lines. */
export function backToLine(line: u32): void {
  lines = line;
}

/**
 * The address after blanks and tabs. InfluxDB passes over zeros too; they are what a file has where the
 * power failed before its bytes were written, and half a time before them would be another time.
 */
// @ts-ignore: decorator
@inline
export function skipBlanks(p: usize): usize {
  let c = load<u8>(p);
  while (c == BLANK || c == TAB) c = load<u8>(++p);
  return p;
}

/** Tells whether a line ends at `p`. */
// @ts-ignore: decorator
@inline
export function isLineEnd(p: usize): bool {
  const c = load<u8>(p);
  return c == LF || (c == CR && load<u8>(p, 1) == LF);
}

/** The address after the line end at `p`. */
// @ts-ignore: decorator
@inline
export function afterEnd(p: usize): usize {
  lines++;
  return p + 1 + <usize>(load<u8>(p) == CR);
}

/** The address after the next line feed. */
export function afterFeed(p: usize): usize {
  while (load<u8>(p) != LF) p++;
  lines++;
  return p + 1;
}

/** Tells whether the byte at `p` is a backslash that escapes the next one. */
// @ts-ignore: decorator
@inline
export function isEscape(p: usize): bool {
  if (load<u8>(p) != BACKSLASH) return false;
  const c = load<u8>(p, 1);
  return c == BLANK || c == COMMA || c == EQUALS;
}

/** The address of the first blank or line feed that is not escaped. */
export function prefixEnd(p: usize): usize {
  const blanks = i8x16.splat(32), feeds = i8x16.splat(10), escapes = i8x16.splat(92);
  while (true) {
    const bytes = v128.load(p);
    const ends = v128.or(i8x16.eq(bytes, blanks), i8x16.eq(bytes, feeds));
    const found = i8x16.bitmask(v128.or(ends, i8x16.eq(bytes, escapes)));
    if (found == 0) {
      p += 16;
      continue;
    }
    p += ctz(found);
    if (load<u8>(p) != BACKSLASH) return p;
    p += isEscape(p) ? 2 : 1;
  }
}

/** The address of the first of `=`, comma, blank and line feed that is not escaped. */
export function keyEnd(p: usize): usize {
  const equals = i8x16.splat(61), commas = i8x16.splat(44), escapes = i8x16.splat(92);
  const blanks = i8x16.splat(32), feeds = i8x16.splat(10);
  while (true) {
    const bytes = v128.load(p);
    const ends = v128.or(i8x16.eq(bytes, equals), i8x16.eq(bytes, commas));
    const lineEnds = v128.or(i8x16.eq(bytes, blanks), i8x16.eq(bytes, feeds));
    const found = i8x16.bitmask(
      v128.or(v128.or(ends, lineEnds), i8x16.eq(bytes, escapes)),
    );
    if (found == 0) {
      p += 16;
      continue;
    }
    p += ctz(found);
    if (load<u8>(p) != BACKSLASH) return p;
    p += isEscape(p) ? 2 : 1;
  }
}

/** The address after the closing quote of a string; 0 if there is none. */
export function stringEnd(p: usize): usize {
  while (p < limit) {
    const c = load<u8>(p++);
    if (c == QUOTE) return p;
    if (c == LF) lines++;
    else if (c == BACKSLASH && (load<u8>(p) == QUOTE || load<u8>(p) == BACKSLASH)) p++;
  }
  return 0;
}

/**
 * The address after a line that something is wrong with, the strings in it included, so that nothing
 * within one is taken for a line; 0 if one is not closed.
 */
export function skipLine(p: usize): usize {
  let inFields = false;
  let isQuoted = false;
  let equals = 0, commas = 0;
  p = skipBlanks(p);
  for (; p < limit; p++) {
    const c = load<u8>(p);
    if (isQuoted) {
      if (c == QUOTE) isQuoted = false;
      else if (c == LF) lines++;
      else if (c == BACKSLASH && (load<u8>(p, 1) == QUOTE || load<u8>(p, 1) == BACKSLASH)) p++;
    } else if (c == LF) {
      lines++;
      return p + 1;
    } else if (isEscape(p)) {
      p++;
    } else if (c == BLANK) {
      inFields = true;
    } else if (inFields) {
      if (c == EQUALS) equals++;
      else if (c == COMMA) commas++;
      else if (c == QUOTE && equals > commas) isQuoted = true;
    }
  }
  if (isQuoted) return 0;
  lines++;
  return p;
}
