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
/** Points decoded one by one before several at once are tried again. */
const RETRY: i32 = 16;

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
  const fields = memory.data(16);
  let p = src;
  let out: usize = 0;
  let single: i32 = 0;
  const outEnd = <usize>capacity << 3;
  while (out < outEnd) {
    if (--single <= 0 && p + 80 <= end && out + 32 <= outEnd) {
      const past = decodeFours(p, end, tag, times + out, values + out, outEnd - out);
      if (past == p) single = RETRY;
      out += (past - p) / 20 << 3;
      p = past;
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

/**
 * Decodes full points four at a time, 80 bytes, as long as what is the same for all is where it
 * belongs. The constants come from memory because V8 makes literal ones anew in every turn.
 *
 * @param room Bytes left in each column.
 * @returns The first byte not decoded.
 */
function decodeFours(p: usize, end: usize, tag: u32, times: usize, values: usize, room: usize): usize {
  const t = <u8>tag;
  const mask0 = v128.load(memory.data<u8>([255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0]));
  const mask1 = v128.load(memory.data<u8>([0, 0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255]));
  const mask2 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0]));
  const mask3 = v128.load(memory.data<u8>([0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 0]));
  const mask4 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0]));
  let same0 = v128.load(memory.data<u8>([0, 18, 9, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0]));
  let same1 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 18, 9, 0, 0, 0, 0, 0, 0, 0, 0, 17]));
  let same2 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 0, 0, 18, 9, 0, 0, 0, 0, 0]));
  let same3 = v128.load(memory.data<u8>([0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 18, 9, 0]));
  const same4 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0]));
  same0 = i8x16.replace_lane(same0, 0, t);
  same1 = i8x16.replace_lane(same1, 4, t);
  same2 = i8x16.replace_lane(same2, 8, t);
  same3 = i8x16.replace_lane(same3, 12, t);
  const stop = times + room;
  while (p + 80 <= end && times + 32 <= stop) {
    const differs = v128.or(
      v128.or(
        v128.or(differ(p, mask0, same0), differ(p + 16, mask1, same1)),
        v128.or(differ(p + 32, mask2, same2), differ(p + 48, mask3, same3)),
      ),
      differ(p + 64, mask4, same4),
    );
    if (v128.any_true(differs)) break;
    v128.store(times, pair(p + 3, p + 23));
    v128.store(times, pair(p + 43, p + 63), 16);
    v128.store(values, pair(p + 12, p + 32));
    v128.store(values, pair(p + 52, p + 72), 16);
    p += 80;
    times += 32;
    values += 32;
  }
  return p;
}

/** Not zero where the masked bytes at `p` are not `same`. */
@inline
function differ(p: usize, mask: v128, same: v128): v128 {
  return v128.xor(v128.and(v128.load(p), mask), same);
}

/** The 8 bytes at `p` and the 8 bytes at `q`. */
@inline
function pair(p: usize, q: usize): v128 {
  return v128.load64_lane(q, v128.load64_zero(p), 1);
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
  let single: i32 = 0;
  while (to < toEnd) {
    if (--single <= 0 && p + 94 <= end && to + 16 <= toEnd) {
      const past4 = decodePairs4(p, end, tag, to, column, toEnd);
      to += (past4 - p) / 47 << 3;
      const past5 = decodePairs5(past4, end, tag, to, column, toEnd);
      to += (past5 - past4) / 56 << 3;
      if (past5 != past4) deviations = 1;
      if (past5 == p) single = RETRY;
      p = past5;
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

/**
 * Decodes full v4 windows of 47 bytes, two at a time, as long as their tags are where they belong.
 *
 * @returns The first byte not decoded.
 */
function decodePairs4(p: usize, end: usize, tag: u32, to: usize, column: usize, toEnd: usize): usize {
  let same0 = v128.load(memory.data<u8>([0, 45, 9, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0]));
  same0 = i8x16.replace_lane(same0, 0, <u8>tag);
  const mask2 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0]));
  const same2 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 0]));
  const zero = i64x2.splat(0);
  while (p + 94 <= end && to + 16 <= toEnd) {
    const q = p + 47;
    if (v128.any_true(v128.or(tags(p, 31, same0, mask2, same2), tags(q, 31, same0, mask2, same2)))) break;
    copyFive(p, q, to, column);
    v128.store(to + 5 * column, zero);
    p += 94;
    to += 16;
  }
  return p;
}

/** The same for v5 windows of 56 bytes. */
function decodePairs5(p: usize, end: usize, tag: u32, to: usize, column: usize, toEnd: usize): usize {
  let same0 = v128.load(memory.data<u8>([0, 54, 9, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0]));
  same0 = i8x16.replace_lane(same0, 0, <u8>tag);
  const mask2 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255]));
  const same2 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 0, 49]));
  while (p + 112 <= end && to + 16 <= toEnd) {
    const q = p + 56;
    if (v128.any_true(v128.or(tags(p, 32, same0, mask2, same2), tags(q, 32, same0, mask2, same2)))) break;
    copyFive(p, q, to, column);
    v128.store(to + 5 * column, pair(p + 48, q + 48));
    p += 112;
    to += 16;
  }
  return p;
}

/** Not zero where the tags of a window are not where they belong; `third` is where the last lie. */
@inline
function tags(p: usize, third: usize, same0: v128, mask2: v128, same2: v128): v128 {
  const mask0 = v128.load(memory.data<u8>([255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0]));
  const mask1 = v128.load(memory.data<u8>([0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0]));
  const same1 = v128.load(memory.data<u8>([0, 0, 0, 0, 25, 0, 0, 0, 0, 0, 0, 0, 0, 33, 0, 0]));
  return v128.or(
    v128.or(differ(p, mask0, same0), differ(p + 16, mask1, same1)),
    differ(p + third, mask2, same2),
  );
}

@inline
function copyFive(p: usize, q: usize, to: usize, column: usize): void {
  v128.store(to, pair(p + 3, q + 3));
  v128.store(to + column, pair(p + 12, q + 12));
  v128.store(to + 2 * column, pair(p + 21, q + 21));
  v128.store(to + 3 * column, pair(p + 30, q + 30));
  v128.store(to + 4 * column, pair(p + 39, q + 39));
}

function malformedStat(
  result: usize, src: usize, p: usize, columns: usize, to: usize, deviations: u32,
): usize {
  store<u32>(result, deviations, 8);
  finish(result, <u32>((to - columns) >> 3), MALFORMED);
  return p - src;
}
