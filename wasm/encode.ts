// Columns to runs of points in protobuf wire format (docs/protocol.md, "Messages"). As proto3 has
// it, a field whose bits are all zero is left out; -0.0 is not zero here.
// Every function returns the bytes written.

/** Points encoded one by one before four at once are tried again. */
const RETRY: i32 = 16;

/**
 * RawPoint { 1: sfixed64 time, 2: double value }, at most 20 bytes each.
 *
 * @param tag Tag of the field that repeats, one byte.
 */
export function encodeRaw(times: usize, values: usize, n: u32, tag: u32, dst: usize): usize {
  const end = times + (<usize>n << 3);
  const apart = values - times;
  let q = dst;
  let single: i32 = 0;
  while (times < end) {
    if (--single <= 0 && times + 32 <= end) {
      const past = encodeFours(times, times + apart, end, tag, q);
      if (past == times) single = RETRY;
      q += (past - times) / 8 * 20;
      times = past;
      if (times == end) break;
    }
    const start = q;
    store<u8>(q, tag);
    q = field(q + 2, 0x09, load<u64>(times));
    q = field(q, 0x11, load<u64>(times + apart));
    store<u8>(start, <u8>(q - start - 2), 1);
    times += 8;
  }
  return q - dst;
}

/**
 * Writes points four at a time, 80 bytes, as long as none of their fields is zero. Each 16 bytes are
 * put together from bytes of the times, bytes of the values, and what is the same for all points. The
 * constants come from memory because V8 makes literal ones anew in every turn.
 *
 * @returns The first time not written.
 */
function encodeFours(times: usize, values: usize, end: usize, tag: u32, q: usize): usize {
  const zero = i64x2.splat(0);
  const t = <u8>tag;
  let same0 = v128.load(memory.data<u8>([0, 18, 9, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0]));
  same0 = i8x16.replace_lane(same0, 0, t);
  let same1 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 18, 9, 0, 0, 0, 0, 0, 0, 0, 0, 17]));
  same1 = i8x16.replace_lane(same1, 4, t);
  let same2 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 0, 0, 18, 9, 0, 0, 0, 0, 0]));
  same2 = i8x16.replace_lane(same2, 8, t);
  let same3 = v128.load(memory.data<u8>([0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 18, 9, 0]));
  same3 = i8x16.replace_lane(same3, 12, t);
  const same4 = v128.load(memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0]));
  // Byte of the times, or values, for each place; 255 gives a zero byte.
  const fromT0 = v128.load(memory.data<u8>([255, 255, 255, 0, 1, 2, 3, 4, 5, 6, 7, 255, 255, 255, 255, 255]));
  const fromV0 = v128.load(memory.data<u8>([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 1, 2, 3]));
  const fromT1 = v128.load(memory.data<u8>([255, 255, 255, 255, 255, 255, 255, 8, 9, 10, 11, 12, 13, 14, 15, 255]));
  const fromV1 = v128.load(memory.data<u8>([4, 5, 6, 7, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]));
  const fromT2 = v128.load(memory.data<u8>([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 1, 2, 3, 4]));
  const fromV2 = v128.load(memory.data<u8>([8, 9, 10, 11, 12, 13, 14, 15, 255, 255, 255, 255, 255, 255, 255, 255]));
  const fromT3 = v128.load(memory.data<u8>([5, 6, 7, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 8]));
  const fromV3 = v128.load(memory.data<u8>([255, 255, 255, 255, 0, 1, 2, 3, 4, 5, 6, 7, 255, 255, 255, 255]));
  const fromT4 = v128.load(memory.data<u8>([9, 10, 11, 12, 13, 14, 15, 255, 255, 255, 255, 255, 255, 255, 255, 255]));
  const fromV4 = v128.load(memory.data<u8>([255, 255, 255, 255, 255, 255, 255, 255, 8, 9, 10, 11, 12, 13, 14, 15]));
  for (; times + 32 <= end; times += 32) {
    const t0 = v128.load(times), t1 = v128.load(times, 16);
    const v0 = v128.load(values), v1 = v128.load(values, 16);
    const zeros = v128.or(
      v128.or(i64x2.eq(t0, zero), i64x2.eq(t1, zero)),
      v128.or(i64x2.eq(v0, zero), i64x2.eq(v1, zero)),
    );
    if (v128.any_true(zeros)) break;
    v128.store(q, join(t0, fromT0, v0, fromV0, same0));
    v128.store(q, join(t0, fromT1, v0, fromV1, same1), 16);
    v128.store(q, join(t1, fromT2, v0, fromV2, same2), 32);
    v128.store(q, join(t1, fromT3, v1, fromV3, same3), 48);
    v128.store(q, join(t1, fromT4, v1, fromV4, same4), 64);
    values += 32;
    q += 80;
  }
  return times;
}

@inline
function join(a: v128, fromA: v128, b: v128, fromB: v128, same: v128): v128 {
  return v128.or(v128.or(i8x16.swizzle(a, fromA), i8x16.swizzle(b, fromB)), same);
}

/** One field of 8 bytes, unless it is zero. */
@inline
function field(q: usize, tag: u8, value: u64): usize {
  if (value == 0) return q;
  store<u8>(q, tag);
  store<u64>(q, value, 1);
  return q + 9;
}

/**
 * StatPoint { 1: sfixed64 time, 2: double min, 3: double mean, 4: double max, 5: fixed64 count,
 * 6: double stddev }, at most 56 bytes each, from columns `column` bytes apart.
 *
 * @param fields 5, or 6 with stddev.
 * @param tag Tag of the field that repeats, one byte.
 */
export function encodeStat(
  columns: usize, column: usize, n: u32, fields: u32, tag: u32, dst: usize,
): usize {
  const end = columns + (<usize>n << 3);
  let q = dst;
  for (let row = columns; row < end; row += 8) {
    const start = q;
    store<u8>(q, tag);
    q += 2;
    q = field(q, 0x09, load<u64>(row));
    q = field(q, 0x11, load<u64>(row + column));
    q = field(q, 0x19, load<u64>(row + 2 * column));
    q = field(q, 0x21, load<u64>(row + 3 * column));
    q = field(q, 0x29, load<u64>(row + 4 * column));
    if (fields == 6) q = field(q, 0x31, load<u64>(row + 5 * column));
    store<u8>(start, <u8>(q - start - 2), 1);
  }
  return q - dst;
}
