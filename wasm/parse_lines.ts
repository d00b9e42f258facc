// InfluxDB's line protocol to points: `measurement,tag=value field=1.5,other=2i 1700000000000000000`.
// Each number and boolean of a line becomes a point of the series that measurement, tags and field
// name, by their bytes. Strings are no points; they are counted. A line with anything wrong in it gives no
// point at all.
//
// The grammar is that of InfluxDB 1 (models/points.go): a backslash escapes a comma, a blank and an
// equals sign, in strings a quote and a backslash, and is itself everywhere else; strings may hold
// line feeds; lines may end with CR LF, begin with blanks, be empty or comments.

import { hashBytes, sameBytes } from "./hash_bytes";
import { parsedEnd, parseNumber } from "./parse_number";

/** The codes of bad lines; src/kernel/line_error.ts has the words. */
const NO_MEASUREMENT: i32 = 1;
const NO_FIELDS: i32 = 2;
const BAD_TAG: i32 = 3;
const BAD_FIELD: i32 = 4;
const BAD_VALUE: i32 = 5;
const VALUE_RANGE: i32 = 6;
const INEXACT: i32 = 7;
const BAD_TIME: i32 = 8;
const TIME_RANGE: i32 = 9;
const UNCLOSED: i32 = 10;
const MANY_FIELDS: i32 = 11;
const BAD_TEXT: i32 = 12;
const SAME_TAG: i32 = 13;
const MANY_TAGS: i32 = 14;

/** Most points of a line. */
const MAX_FIELDS: u32 = 4096;
/** Most tags of a line. */
const MAX_TAGS: u32 = 255;
/** Addresses and lengths of the tag keys of the line under way. */
const TAG_KEYS: usize = memory.data(8 * 256, 16);

const LF: u8 = 10;
const CR: u8 = 13;
const TAB: u8 = 9;
const BLANK: u8 = 32;
const QUOTE: u8 = 34;
const HASH: u8 = 35;
const COMMA: u8 = 44;
const EQUALS: u8 = 61;
const BACKSLASH: u8 = 92;

/** Bytes of a prefix: address, length, hash, first series. */
const PREFIX: usize = 16;
/** Bytes of a series: prefix, address and length of the field, hash, points, line of the first. */
const SERIES: usize = 24;
/** Bytes of an error: line, code, addresses of the line and of what is wrong, lines taken with it. */
const ERROR: usize = 20;

/** Hash tables of prefixes and series: index + 1, or 0; `mask` + 1 slots each. */
let prefixTable: usize = 0;
let seriesTable: usize = 0;
let mask: u32 = 0;
let prefixes: usize = 0;
let series: usize = 0;
let maxSeries: u32 = 0;
let groups: usize = 0;
let times: usize = 0;
let values: usize = 0;
let maxPoints: u32 = 0;
let errors: usize = 0;
let maxErrors: u32 = 0;

let seed: u64 = 0;
/** ns of a unit of the times; 0 if that is guessed for each. */
let unit: i64 = 1;
/** Time of lines without one. */
let now: i64 = 0;
let minTime: i64 = 0;
let maxTime: i64 = 0;

let limit: usize = 0;
let lines: u32 = 0;
let line: u32 = 0;
let points: u32 = 0;
let strings: u32 = 0;
let prefixCount: u32 = 0;
let seriesCount: u32 = 0;
let errorCount: u32 = 0;
let code: i32 = 0;
let errorAt: usize = 0;
let time: i64 = 0;

/** Sets the room for what is found; the tables have `slots` (a power of 2) words each, all zero. */
export function lineRoom(
  prefixTableAt: usize,
  seriesTableAt: usize,
  slots: u32,
  prefixesAt: usize,
  seriesAt: usize,
  seriesRoom: u32,
  groupsAt: usize,
  timesAt: usize,
  valuesAt: usize,
  pointRoom: u32,
  errorsAt: usize,
  errorRoom: u32,
): void {
  prefixTable = prefixTableAt;
  seriesTable = seriesTableAt;
  mask = slots - 1;
  prefixes = prefixesAt;
  series = seriesAt;
  maxSeries = seriesRoom;
  groups = groupsAt;
  times = timesAt;
  values = valuesAt;
  maxPoints = pointRoom;
  errors = errorsAt;
  maxErrors = errorRoom;
}

/** Sets how times are read, which are allowed, `[min, max)`, and the seed of the hash tables. */
export function lineTimes(nsPerUnit: i64, ofNone: i64, min: i64, max: i64, hashSeed: u64): void {
  unit = nsPerUnit;
  now = ofNone;
  minTime = min;
  maxTime = max;
  seed = hashSeed;
}

/** Points of the last parseLines. */
export function linePoints(): u32 {
  return points;
}

/** Series of the last parseLines; some may have no points, because their lines were refused. */
export function lineSeries(): u32 {
  return seriesCount;
}

/** Lines passed by the last parseLines. */
export function linesPassed(): u32 {
  return lines;
}

/** Strings left out by the last parseLines. */
export function lineStrings(): u32 {
  return strings;
}

/** Lines refused by the last parseLines; of the first ones there are records. */
export function lineErrors(): u32 {
  return errorCount;
}

function fail(why: i32, at: usize): usize {
  code = why;
  errorAt = at;
  return 0;
}

/**
 * Parses lines from `at` until `end`, or until there is no room for one more line. The byte at `end`
 * must be a line feed, with 32 bytes behind it. Unless `last`, the byte before `end` is one too, and
 * a string that goes on behind it ends the parsing. Returns the address of the first line not parsed.
 */
export function parseLines(at: usize, end: usize, last: bool): usize {
  limit = end;
  lines = 0;
  points = 0;
  strings = 0;
  prefixCount = 0;
  seriesCount = 0;
  errorCount = 0;
  while (at < end) {
    if (points + MAX_FIELDS > maxPoints || seriesCount + MAX_FIELDS > maxSeries) break;
    if (prefixCount >= maxSeries || errorCount >= maxErrors) break;
    const pointsBefore = points;
    const stringsBefore = strings;
    line = lines;
    let next = parseLine(at, pointsBefore);
    if (next == 0) {
      forget(pointsBefore);
      strings = stringsBefore;
      lines = line;
      next = skipLine(at);
      if (next == 0) {
        if (!last) {
          lines = line;
          break;
        }
        code = UNCLOSED;
        next = end;
      }
      const record = errors + <usize>errorCount * ERROR;
      store<u32>(record, line);
      store<i32>(record, code, 4);
      store<u32>(record, <u32>at, 8);
      store<u32>(record, <u32>errorAt, 12);
      store<u32>(record, lines - line, 16);
      errorCount++;
    }
    at = next;
  }
  return min(at, end);
}

/** Takes back the points from `from` on. */
function forget(from: u32): void {
  for (let i = from; i < points; i++) {
    const record = series + <usize>load<u32>(groups + (<usize>i << 2)) * SERIES;
    store<u32>(record, load<u32>(record, 16) - 1, 16);
  }
  points = from;
}

/** Parses a line; the address of the next one, or 0 if something is wrong. */
function parseLine(at: usize, firstPoint: u32): usize {
  let p = skipBlanks(at);
  const first = load<u8>(p);
  if (isLineEnd(p)) return afterEnd(p);
  if (first == HASH) return afterFeed(p);
  if (first == COMMA) return fail(NO_MEASUREMENT, p);
  const prefixAt = p;
  p = prefixEnd(p);
  if (load<u8>(p) == LF) return fail(NO_FIELDS, p);
  const length = p - prefixAt;
  const hash = hashBytes(prefixAt, length, seed);
  const prefix = findPrefix(prefixAt, length, hash);
  if (prefix == 0) return 0;
  p = skipBlanks(p);
  if (isLineEnd(p)) return fail(NO_FIELDS, p);
  p = parseFields(p, prefix - 1, hash, firstPoint);
  if (p == 0) return 0;
  p = skipBlanks(p);
  time = now;
  if (!isLineEnd(p)) {
    p = parseTime(p);
    if (p == 0) return 0;
    p = skipBlanks(p);
    if (!isLineEnd(p)) return fail(BAD_TIME, p);
  }
  for (let i = firstPoint; i < points; i++) store<i64>(times + (<usize>i << 3), time);
  return afterEnd(p);
}

function parseFields(p: usize, prefix: u32, hash: u64, firstPoint: u32): usize {
  const prefixRecord = prefixes + <usize>prefix * PREFIX;
  let hint = load<u32>(prefixRecord, 12);
  while (true) {
    const keyAt = p;
    p = keyEnd(p);
    if (load<u8>(p) != EQUALS || p == keyAt) return fail(BAD_FIELD, keyAt);
    const keyLength = p - keyAt;
    p++;
    if (load<u8>(p) == QUOTE) {
      p = stringEnd(p + 1);
      if (p == 0) return fail(UNCLOSED, keyAt);
      strings++;
    } else {
      if (points - firstPoint == MAX_FIELDS) return fail(MANY_FIELDS, keyAt);
      p = parseValue(p);
      if (p == 0) return 0;
      const index = findSeries(prefix, keyAt, keyLength, hash, hint);
      if (index == u32.MAX_VALUE) return fail(BAD_TEXT, keyAt);
      hint = index + 1;
      const record = series + <usize>index * SERIES;
      store<u32>(record, load<u32>(record, 16) + 1, 16);
      store<u32>(groups + (<usize>points << 2), index);
      store<f64>(values + (<usize>points << 3), value);
      points++;
    }
    const c = load<u8>(p);
    if (c == COMMA) {
      p++;
      continue;
    }
    if (c == BLANK || c == TAB || isLineEnd(p)) return p;
    return fail(BAD_VALUE, keyAt);
  }
}

/**
 * The number of a series: `hint` if it is that, else by its hash; it is made if there is none. The
 * largest number there is if its name is no UTF-8.
 */
function findSeries(prefix: u32, at: usize, length: usize, hash: u64, hint: u32): u32 {
  if (hint < seriesCount && isSeries(hint, prefix, at, length)) return hint;
  const h = hashBytes(at, length, hash);
  const short = <u32>h;
  let slot = <u32>(h >> 32) & mask;
  while (true) {
    const found = load<u32>(seriesTable + (<usize>slot << 2));
    if (found == 0) break;
    const record = series + <usize>(found - 1) * SERIES;
    if (load<u32>(record, 12) == short && isSeries(found - 1, prefix, at, length)) return found - 1;
    slot = (slot + 1) & mask;
  }
  if (!isUtf8(at, length)) return u32.MAX_VALUE;
  const index = seriesCount++;
  store<u32>(seriesTable + (<usize>slot << 2), seriesCount);
  const record = series + <usize>index * SERIES;
  store<u32>(record, prefix);
  store<u32>(record, <u32>at, 4);
  store<u32>(record, <u32>length, 8);
  store<u32>(record, short, 12);
  store<u32>(record, 0, 16);
  store<u32>(record, line, 20);
  const prefixRecord = prefixes + <usize>prefix * PREFIX;
  if (load<u32>(prefixRecord, 12) == u32.MAX_VALUE) store<u32>(prefixRecord, index, 12);
  return index;
}

// @ts-ignore: decorator
@inline
function isSeries(index: u32, prefix: u32, at: usize, length: usize): bool {
  const record = series + <usize>index * SERIES;
  return load<u32>(record) == prefix && load<u32>(record, 8) == <u32>length &&
    sameBytes(load<u32>(record, 4), at, length);
}

/** The number of a prefix, measurement and tags, plus 1; 0 if it is none. */
function findPrefix(at: usize, length: usize, hash: u64): u32 {
  const short = <u32>hash;
  let slot = <u32>(hash >> 32) & mask;
  while (true) {
    const found = load<u32>(prefixTable + (<usize>slot << 2));
    if (found == 0) break;
    const record = prefixes + <usize>(found - 1) * PREFIX;
    if (
      load<u32>(record, 8) == short && load<u32>(record, 4) == <u32>length &&
      sameBytes(load<u32>(record), at, length)
    ) return found;
    slot = (slot + 1) & mask;
  }
  if (!hasGoodTags(at, at + length)) return 0;
  const record = prefixes + <usize>prefixCount * PREFIX;
  store<u32>(record, <u32>at);
  store<u32>(record, <u32>length, 4);
  store<u32>(record, short, 8);
  store<u32>(record, u32.MAX_VALUE, 12);
  prefixCount++;
  store<u32>(prefixTable + (<usize>slot << 2), prefixCount);
  return prefixCount;
}

/** Tells whether [p, end) is UTF-8, and after the measurement `,key=value` again and again. */
function hasGoodTags(p: usize, end: usize): bool {
  if (!isUtf8(p, end - p)) return fail(BAD_TEXT, p) != 0;
  let tags: u32 = 0;
  while (p < end && load<u8>(p) != COMMA) p += isEscape(p) ? 2 : 1;
  while (p < end) {
    const key = ++p;
    while (p < end && load<u8>(p) != EQUALS) {
      if (load<u8>(p) == COMMA) break;
      p += isEscape(p) ? 2 : 1;
    }
    if (p >= end || load<u8>(p) != EQUALS || p == key) return fail(BAD_TAG, key) != 0;
    if (tags == MAX_TAGS) return fail(MANY_TAGS, key) != 0;
    if (!isNewKey(key, p - key, tags++)) return fail(SAME_TAG, key) != 0;
    const text = ++p;
    while (p < end && load<u8>(p) != COMMA) {
      if (load<u8>(p) == EQUALS) return fail(BAD_TAG, key) != 0;
      p += isEscape(p) ? 2 : 1;
    }
    if (p == text) return fail(BAD_TAG, key) != 0;
  }
  return true;
}

/** Adds a tag key to those of the line; false if it is among them. */
function isNewKey(at: usize, length: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const other = TAG_KEYS + (<usize>i << 3);
    if (load<u32>(other, 4) == <u32>length && sameBytes(load<u32>(other), at, length)) return false;
  }
  store<u32>(TAG_KEYS + (<usize>count << 3), <u32>at);
  store<u32>(TAG_KEYS + (<usize>count << 3), <u32>length, 4);
  return true;
}

/** Tells whether bytes are UTF-8 as RFC 3629 has it: shortest forms, no surrogates. */
function isUtf8(p: usize, length: usize): bool {
  const end = p + length;
  while (p < end) {
    const c = <u32>load<u8>(p++);
    if (c < 0x80) continue;
    let more = 1;
    let least: u32 = 0x80, most: u32 = 0xbf;
    if (c >= 0xf0) {
      more = 3;
      if (c == 0xf0) least = 0x90;
      if (c == 0xf4) most = 0x8f;
    } else if (c >= 0xe0) {
      more = 2;
      if (c == 0xe0) least = 0xa0;
      if (c == 0xed) most = 0x9f;
    }
    if (c < 0xc2 || c > 0xf4 || p + more > end) return false;
    for (; more > 0; more--) {
      const next = <u32>load<u8>(p++);
      if (next < least || next > most) return false;
      least = 0x80;
      most = 0xbf;
    }
  }
  return true;
}

/** Tells whether the byte at `p` is a backslash that escapes the next one. */
// @ts-ignore: decorator
@inline
function isEscape(p: usize): bool {
  if (load<u8>(p) != BACKSLASH) return false;
  const c = load<u8>(p, 1);
  return c == BLANK || c == COMMA || c == EQUALS;
}

/** The address of the first blank or line feed that is not escaped. */
function prefixEnd(p: usize): usize {
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
function keyEnd(p: usize): usize {
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
function stringEnd(p: usize): usize {
  while (p < limit) {
    const c = load<u8>(p++);
    if (c == QUOTE) return p;
    if (c == LF) lines++;
    else if (c == BACKSLASH && (load<u8>(p) == QUOTE || load<u8>(p) == BACKSLASH)) p++;
  }
  return 0;
}

let value: f64 = 0;

/** Parses a number or a boolean into `value`; the address after it, or 0. */
function parseValue(p: usize): usize {
  const c = load<u8>(p);
  const isNumber = <u32>c - 48 < 10 || c == 45 || c == 43 || c == 46;
  if (!isNumber) return parseBoolean(p);
  value = parseNumber(p);
  const end = parsedEnd();
  if (end == 0) return fail(BAD_VALUE, p);
  const suffix = load<u8>(end);
  if (suffix == 105 || suffix == 117) return parseInteger(p, end, suffix == 117);
  return isFinite(value) ? end : fail(VALUE_RANGE, p);
}

/** Parses the digits in [p, end), of which a double must hold every bit. */
function parseInteger(start: usize, end: usize, isUnsigned: bool): usize {
  let p = start;
  const sign = load<u8>(p);
  if (sign == 45 || sign == 43) p++;
  let v: u64 = 0;
  for (; p < end; p++) {
    const digit = <u64>load<u8>(p) - 48;
    if (digit > 9) return fail(BAD_VALUE, start);
    if (v > 1844674407370955161 || (v == 1844674407370955161 && digit > 5)) {
      return fail(VALUE_RANGE, start);
    }
    v = v * 10 + digit;
  }
  const isNegative = sign == 45;
  if (isUnsigned ? isNegative && v != 0 : v > <u64>i64.MAX_VALUE + <u64>isNegative) {
    return fail(VALUE_RANGE, start);
  }
  if (v != 0 && v >> ctz(v) >> 53 != 0) return fail(INEXACT, start);
  value = <f64>v;
  if (isNegative && v != 0) value = -value;
  return end + 1;
}

/** Parses `t`, `T`, `true`, `True`, `TRUE` and their opposites. */
function parseBoolean(p: usize): usize {
  const word = load<u32>(p);
  const c = <u8>word;
  if (c == 116 || c == 84) {
    value = 1;
    // "true", "True", "TRUE"
    return word == 0x65757274 || word == 0x65757254 || word == 0x45555254 ? p + 4 : p + 1;
  }
  if (c != 102 && c != 70) return fail(BAD_VALUE, p);
  value = 0;
  const last = load<u8>(p, 4);
  // "fals", "Fals", "FALS"
  if ((word == 0x736c6166 || word == 0x736c6146) && last == 101) return p + 5;
  return word == 0x534c4146 && last == 69 ? p + 5 : p + 1;
}

/** Parses a time into `time`; the address after it, or 0. */
function parseTime(start: usize): usize {
  let p = start;
  const isNegative = load<u8>(p) == 45;
  if (isNegative) p++;
  const first = p;
  let v: u64 = 0;
  let isLong = false;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10) {
    if (v > 922337203685477580) isLong = true;
    v = v * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  if (p == first) return fail(BAD_TIME, start);
  if (isLong || v > <u64>i64.MAX_VALUE) return fail(TIME_RANGE, start);
  const scale = unit != 0 ? unit : guessedUnit(<i64>v);
  if (<i64>v > i64.MAX_VALUE / scale) return fail(TIME_RANGE, start);
  time = (isNegative ? -<i64>v : <i64>v) * scale;
  if (time < minTime || time >= maxTime) return fail(TIME_RANGE, start);
  return p;
}

/** The unit of a time by its magnitude, as InfluxDB 3 takes it. */
function guessedUnit(v: i64): i64 {
  if (v < 5000000000) return 1000000000;
  if (v < 5000000000000) return 1000000;
  return v < 5000000000000000 ? 1000 : 1;
}

// @ts-ignore: decorator
@inline
function skipBlanks(p: usize): usize {
  let c = load<u8>(p);
  while (c == BLANK || c == TAB || (c == 0 && p < limit)) c = load<u8>(++p);
  return p;
}

// @ts-ignore: decorator
@inline
function isLineEnd(p: usize): bool {
  const c = load<u8>(p);
  return c == LF || (c == CR && load<u8>(p, 1) == LF);
}

/** The address after the line end at `p`. */
// @ts-ignore: decorator
@inline
function afterEnd(p: usize): usize {
  lines++;
  return p + 1 + <usize>(load<u8>(p) == CR);
}

/** The address after the next line feed. */
function afterFeed(p: usize): usize {
  while (load<u8>(p) != LF) p++;
  lines++;
  return p + 1;
}

/**
 * The address after a line that something is wrong with, the strings in it included, so that nothing
 * within one is taken for a line; 0 if one is not closed.
 */
function skipLine(p: usize): usize {
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
