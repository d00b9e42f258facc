// Runs of points in protobuf wire format to columns (docs/protocol.md, "Messages").
//
// A run is any number of fields `tag`, length, point, one after another. Three ways through a point,
// from fast to slow: all fields present in order, at a fixed stride; some left out because they are
// zero, the others in order; anything else protobuf allows. The third is exact: unknown fields are
// skipped, a field that comes twice counts once (the last), a known number with another wire type is
// unknown.
//
// Every function returns the bytes consumed, which end at a field's end, and leaves in `result`
// [points decoded, status]. It stops without an error at a field that is not `tag`, at one that is
// not complete in the input, and when `capacity` points are decoded.

/** All went well. */
const OK: i32 = 0;
/** The bytes are not protobuf: `consumed` is the start of the point in question. */
const MALFORMED: i32 = 1;
/** Deepest nesting of groups that is followed. */
const MAX_GROUPS: i32 = 100;

// Where a reader of single fields stands. Set anew for every field.
let cursor: usize = 0;
let varint: u64 = 0;
/** Bit k is set when the point last read by `decodeAny` had field k. */
let seen: u32 = 0;

/** Reads a varint at the cursor into `varint`; bits beyond the 64th are dropped. */
function readVarint(end: usize): bool {
  let value: u64 = 0;
  let shift: u64 = 0;
  let p = cursor;
  while (p < end && shift < 70) {
    const byte = load<u8>(p++);
    if (shift < 64) value |= (<u64>(byte & 0x7f)) << shift;
    if (byte < 0x80) {
      cursor = p;
      varint = value;
      return true;
    }
    shift += 7;
  }
  return false;
}

/** Reads a tag at the cursor into `varint`: at most 32 bits, field number at least 1. */
@inline
function readTag(end: usize): bool {
  return readVarint(end) && varint <= 0xffffffff && varint >= 8;
}

/** Skips the rest of a field whose tag was `tag`, groups to their end. */
function skip(tag: u64, end: usize): bool {
  const groups = memory.data(8 * MAX_GROUPS);
  let depth: i32 = 0;
  let open = tag;
  while (true) {
    const wire = <i32>(open & 7);
    if (wire == 0) {
      if (!readVarint(end)) return false;
    } else if (wire == 1) {
      if (end - cursor < 8) return false;
      cursor += 8;
    } else if (wire == 2) {
      if (!readVarint(end) || varint > <u64>(end - cursor)) return false;
      cursor += <usize>varint;
    } else if (wire == 5) {
      if (end - cursor < 4) return false;
      cursor += 4;
    } else if (wire == 3) {
      if (depth == MAX_GROUPS) return false;
      store<u64>(groups + 8 * depth, open >> 3);
      depth++;
    } else if (wire == 4) {
      if (depth == 0 || load<u64>(groups + 8 * (depth - 1)) != open >> 3) return false;
      depth--;
    } else {
      return false;
    }
    if (depth == 0) return true;
    if (!readTag(end)) return false;
    open = varint;
  }
}

/**
 * Decodes one point, whatever its form, from the cursor to `end`.
 * Field `k` (from 1) of 8 bytes goes to `fields + 8 * (k - 1)`, those that are missing become 0.
 */
function decodeAny(end: usize, fields: usize, known: u32): bool {
  memory.fill(fields, 0, 8 * known);
  seen = 0;
  while (cursor < end) {
    if (!readTag(end)) return false;
    const tag = varint;
    const field = tag >> 3;
    if ((tag & 7) == 1 && field <= <u64>known) {
      if (end - cursor < 8) return false;
      store<u64>(fields + 8 * <usize>(field - 1), load<u64>(cursor));
      seen |= 1 << <u32>field;
      cursor += 8;
    } else if (!skip(tag, end)) {
      return false;
    }
  }
  return true;
}

@inline
function finish(result: usize, points: u32, status: i32): void {
  store<u32>(result, points);
  store<i32>(result, status, 4);
}

/**
 * RawPoint { 1: sfixed64 time, 2: double value }.
 *
 * @param tag Tag of the field that repeats, one byte.
 */
export function decodeRaw(
  src: usize, length: usize, tag: u32, times: usize, values: usize, capacity: u32, result: usize,
): usize {
  const end = src + length;
  const full = 0x091200 | tag;
  const fields = memory.data(16);
  let p = src;
  let out: usize = 0;
  const outEnd = <usize>capacity << 3;
  while (out < outEnd) {
    while (out < outEnd && p + 20 <= end && (load<u32>(p) & 0xffffff) == full && load<u8>(p, 11) == 0x11) {
      store<u64>(times + out, load<u64>(p, 3));
      store<u64>(values + out, load<u64>(p, 12));
      p += 20;
      out += 8;
    }
    if (out == outEnd || end - p < 2 || load<u8>(p) != tag) break;
    cursor = p + 1;
    if (!readVarint(end)) {
      if (end - cursor >= 10) return malformed(result, src, p, out);
      break;
    }
    if (varint > <u64>(end - cursor)) break;
    const stop = cursor + <usize>varint;
    let q = cursor;
    let time: u64 = 0;
    let value: u64 = 0;
    if (stop - q >= 9 && load<u8>(q) == 0x09) { time = load<u64>(q, 1); q += 9; }
    if (stop - q >= 9 && load<u8>(q) == 0x11) { value = load<u64>(q, 1); q += 9; }
    if (q != stop) {
      if (!decodeAny(stop, fields, 2)) return malformed(result, src, p, out);
      time = load<u64>(fields);
      value = load<u64>(fields, 8);
    }
    store<u64>(times + out, time);
    store<u64>(values + out, value);
    p = stop;
    out += 8;
  }
  finish(result, <u32>(out >> 3), OK);
  return p - src;
}

function malformed(result: usize, src: usize, p: usize, out: usize): usize {
  finish(result, <u32>(out >> 3), MALFORMED);
  return p - src;
}

/**
 * StatPoint { 1: sfixed64 time, 2: double min, 3: double mean, 4: double max, 5: fixed64 count,
 * 6: double stddev }. The columns lie in this order, `column` bytes apart. `result[2]` tells whether
 * any point had a field 6.
 *
 * @param tag Tag of the field that repeats, one byte.
 */
export function decodeStat(
  src: usize, length: usize, tag: u32, columns: usize, column: usize, capacity: u32, result: usize,
): usize {
  const end = src + length;
  const fields = memory.data(48);
  let p = src;
  let to = columns;
  const toEnd = columns + (<usize>capacity << 3);
  let deviations: u32 = 0;
  const full4 = 0x092d00 | tag;
  const full5 = 0x093600 | tag;
  while (to < toEnd) {
    while (to < toEnd && p + 47 <= end && (load<u32>(p) & 0xffffff) == full4 && ordered(p)) {
      copyFive(p, to, column);
      store<u64>(to + 5 * column, 0);
      p += 47;
      to += 8;
    }
    while (
      to < toEnd && p + 56 <= end && (load<u32>(p) & 0xffffff) == full5 && ordered(p) &&
      load<u8>(p, 47) == 0x31
    ) {
      copyFive(p, to, column);
      store<u64>(to + 5 * column, load<u64>(p, 48));
      deviations = 1;
      p += 56;
      to += 8;
    }
    if (to == toEnd || end - p < 2 || load<u8>(p) != tag) break;
    cursor = p + 1;
    if (!readVarint(end)) {
      if (end - cursor >= 10) return malformedStat(result, src, p, columns, to, deviations);
      break;
    }
    if (varint > <u64>(end - cursor)) break;
    const stop = cursor + <usize>varint;
    let q = cursor;
    let at = to;
    let expected: u32 = 0x09;
    for (let k = 0; k < 6; k++) {
      let value: u64 = 0;
      if (stop - q >= 9 && load<u8>(q) == expected) {
        value = load<u64>(q, 1);
        q += 9;
        if (k == 5) deviations = 1;
      }
      store<u64>(at, value);
      at += column;
      expected += 8;
    }
    if (q != stop) {
      if (!decodeAny(stop, fields, 6)) return malformedStat(result, src, p, columns, to, deviations);
      at = to;
      for (let k: usize = 0; k < 48; k += 8) {
        store<u64>(at, load<u64>(fields + k));
        at += column;
      }
      if (seen & (1 << 6)) deviations = 1;
    }
    p = stop;
    to += 8;
  }
  store<u32>(result, deviations, 8);
  finish(result, <u32>((to - columns) >> 3), OK);
  return p - src;
}

/** Whether the tags of the fields 2 to 5 are where a full StatPoint has them. */
@inline
function ordered(p: usize): bool {
  return load<u8>(p, 11) == 0x11 && load<u8>(p, 20) == 0x19 && load<u8>(p, 29) == 0x21 && load<u8>(p, 38) == 0x29;
}

@inline
function copyFive(p: usize, to: usize, column: usize): void {
  store<u64>(to, load<u64>(p, 3));
  store<u64>(to + column, load<u64>(p, 12));
  store<u64>(to + 2 * column, load<u64>(p, 21));
  store<u64>(to + 3 * column, load<u64>(p, 30));
  store<u64>(to + 4 * column, load<u64>(p, 39));
}

function malformedStat(
  result: usize, src: usize, p: usize, columns: usize, to: usize, deviations: u32,
): usize {
  store<u32>(result, deviations, 8);
  finish(result, <u32>((to - columns) >> 3), MALFORMED);
  return p - src;
}
