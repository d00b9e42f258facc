// Columns to runs of points in protobuf wire format (docs/protocol.md, "Messages"). As proto3 has
// it, a field whose bits are all zero is left out; -0.0 is not zero here.
// Every function returns the bytes written.

/**
 * RawPoint { 1: sfixed64 time, 2: double value }, at most 20 bytes each.
 *
 * @param tag Tag of the field that repeats, one byte.
 */
export function encodeRaw(times: usize, values: usize, n: u32, tag: u32, dst: usize): usize {
  const header = 0x091200 | tag;
  const end = times + (<usize>n << 3);
  let q = dst;
  while (times < end) {
    const time = load<u64>(times);
    const value = load<u64>(values);
    times += 8;
    values += 8;
    if (time != 0 && value != 0) {
      store<u32>(q, header);
      store<u64>(q, time, 3);
      store<u8>(q, 0x11, 11);
      store<u64>(q, value, 12);
      q += 20;
    } else {
      const start = q;
      store<u8>(q, tag);
      q += 2;
      q = field(q, 0x09, time);
      q = field(q, 0x11, value);
      store<u8>(start, <u8>(q - start - 2), 1);
    }
  }
  return q - dst;
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
