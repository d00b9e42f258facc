// InfluxDB's line protocol to points: `measurement,tag=value field=1.5,other=2i 1700000000000000000`.
// Each number and boolean of a line becomes a point of the series that measurement, tags and field
// name, by their bytes. Strings are no points; they are counted. A line with anything wrong in it gives no
// point at all.
//
// The grammar is that of InfluxDB 1 (models/points.go): a backslash escapes a comma, a blank and an
// equals sign, in strings a quote and a backslash, and is itself everywhere else; strings may hold
// line feeds; lines may end with CR LF, begin with blanks, be empty or comments.

import { hashBytes } from "./hash_bytes";
import {
  BAD_FIELD,
  BAD_TEXT,
  BAD_TIME,
  BAD_VALUE,
  code,
  errorAt,
  fail,
  MANY_FIELDS,
  NO_FIELDS,
  NO_MEASUREMENT,
  SAME_FIELD,
  UNCLOSED,
} from "./line_error";
import {
  beginSeries,
  findPrefix,
  findSeries,
  maxSeries,
  PREFIX,
  prefixCount,
  prefixes,
  seed,
  SERIES,
  series,
  seriesCount,
} from "./line_series";
import {
  afterEnd,
  afterFeed,
  backToLine,
  beginText,
  BLANK,
  COMMA,
  EQUALS,
  HASH,
  isLineEnd,
  keyEnd,
  LF,
  lines,
  prefixEnd,
  QUOTE,
  skipBlanks,
  skipLine,
  stringEnd,
  TAB,
} from "./line_text";
import { now, parseTime, time } from "./line_time";
import { parseValue, value } from "./line_value";

/** Most points of a line. */
const MAX_FIELDS: u32 = 4096;
/** Bytes of an error: line, code, addresses of the line and of what is wrong, lines taken with it. */
const ERROR: usize = 20;

let groups: usize = 0;
let times: usize = 0;
let values: usize = 0;
let maxPoints: u32 = 0;
let errors: usize = 0;
let maxErrors: u32 = 0;

let line: u32 = 0;
let points: u32 = 0;
let strings: u32 = 0;
let errorCount: u32 = 0;

/** Sets the room for points, and for records of errors. */
export function lineRoom(
  groupsAt: usize,
  timesAt: usize,
  valuesAt: usize,
  pointRoom: u32,
  errorsAt: usize,
  errorRoom: u32,
): void {
  groups = groupsAt;
  times = timesAt;
  values = valuesAt;
  maxPoints = pointRoom;
  errors = errorsAt;
  maxErrors = errorRoom;
}

/** Points of the last parseLines. */
export function linePoints(): u32 {
  return points;
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

/**
 * Parses lines from `at` until `end`, or until there is no room for one more line. The byte at `end`
 * must be a line feed, with 32 bytes behind it. Unless `last`, the byte before `end` is one too, and
 * a string that goes on behind it ends the parsing. Returns the address of the first line not parsed.
 */
export function parseLines(at: usize, end: usize, last: bool): usize {
  beginText(end);
  beginSeries();
  points = 0;
  strings = 0;
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
      backToLine(line);
      next = skipLine(at);
      if (next == 0) {
        if (!last) {
          backToLine(line);
          break;
        }
        fail(UNCLOSED, errorAt);
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
  let ns = now;
  if (!isLineEnd(p)) {
    p = parseTime(p);
    if (p == 0) return 0;
    ns = time;
    p = skipBlanks(p);
    if (!isLineEnd(p)) return fail(BAD_TIME, p);
  }
  for (let i = firstPoint; i < points; i++) store<i64>(times + (<usize>i << 3), ns);
  return afterEnd(p);
}

/** Parses the fields of a line; the address behind them, or 0. */
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
      const index = findSeries(prefix, keyAt, keyLength, hash, hint, line);
      if (index == u32.MAX_VALUE) return fail(BAD_TEXT, keyAt);
      hint = index + 1;
      const record = series + <usize>index * SERIES;
      if (load<u32>(record, 24) == line) return fail(SAME_FIELD, keyAt);
      store<u32>(record, line, 24);
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
