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

import { readPoint } from "./wire_field";
import { differ, finish, MALFORMED, OK, pair, pointEnd, pointStart, RETRY } from "./wire_run";

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
    const stop = pointEnd(p + 1, end);
    if (stop == 0) break;
    if (stop == 1) return finish(result, out >> 3, MALFORMED, p - src);
    let q = pointStart;
    let time: u64 = 0;
    let value: u64 = 0;
    if (stop - q >= 9 && load<u8>(q) == 0x09) { time = load<u64>(q, 1); q += 9; }
    if (stop - q >= 9 && load<u8>(q) == 0x11) { value = load<u64>(q, 1); q += 9; }
    if (q != stop) {
      if (!readPoint(pointStart, stop, fields, 2)) return finish(result, out >> 3, MALFORMED, p - src);
      time = load<u64>(fields);
      value = load<u64>(fields, 8);
    }
    store<u64>(times + out, time);
    store<u64>(values + out, value);
    p = stop;
    out += 8;
  }
  return finish(result, out >> 3, OK, p - src);
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
