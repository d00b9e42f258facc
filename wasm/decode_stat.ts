// Runs of windows in protobuf wire format to columns; see decode_raw.ts for how it goes about it.

import { readPoint, seen } from "./wire_field";
import { differ, finish, MALFORMED, OK, pair, pointEnd, pointStart, RETRY } from "./wire_run";

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
  let status = OK;
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
    const stop = pointEnd(p + 1, end);
    if (stop <= 1) {
      if (stop == 1) status = MALFORMED;
      break;
    }
    let q = pointStart;
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
      if (!readPoint(pointStart, stop, fields, 6)) {
        status = MALFORMED;
        break;
      }
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
  return finish(result, (to - columns) >> 3, status, p - src);
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
