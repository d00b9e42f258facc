// Fields of protobuf messages one at a time, exactly (docs/protocol.md, "Messages").

/** Deepest nesting of groups that is followed. */
const MAX_GROUPS: i32 = 100;

/** The value that `readVarint` last read. */
export let varint: u64 = 0;
/** Bit k is set when the point last read by `readPoint` had field k. */
export let seen: u32 = 0;

/**
 * Reads a varint at `p` into `varint`; bits beyond the 64th are dropped.
 *
 * @returns Address after the varint; 0 if it does not end before `end`, or within 10 bytes.
 */
export function readVarint(p: usize, end: usize): usize {
  let value: u64 = 0;
  let shift: u64 = 0;
  while (p < end && shift < 70) {
    const byte = load<u8>(p++);
    if (shift < 64) value |= (<u64>(byte & 0x7f)) << shift;
    if (byte < 0x80) {
      varint = value;
      return p;
    }
    shift += 7;
  }
  return 0;
}

/** Reads a tag as a varint: at most 32 bits, field number at least 1. */
@inline
function readTag(p: usize, end: usize): usize {
  const next = readVarint(p, end);
  return varint <= 0xffffffff && varint >= 8 ? next : 0;
}

/** Position after a field at `p` whose tag was `tag`, no group; 0 if it is malformed. */
function skipValue(p: usize, end: usize, wire: u32): usize {
  if (wire == 0) return readVarint(p, end);
  if (wire == 1) return end - p < 8 ? 0 : p + 8;
  if (wire == 5) return end - p < 4 ? 0 : p + 4;
  if (wire != 2) return 0;
  const start = readVarint(p, end);
  return start == 0 || varint > <u64>(end - start) ? 0 : start + <usize>varint;
}

/** Position after a field at `p` whose tag was `tag`, a group to its end; 0 if it is malformed. */
function skip(p: usize, end: usize, tag: u64): usize {
  const groups = memory.data(8 * MAX_GROUPS);
  let depth: i32 = 0;
  while (true) {
    const wire = <u32>(tag & 7);
    if (wire == 3) {
      if (depth == MAX_GROUPS) return 0;
      store<u64>(groups + 8 * depth, tag >> 3);
      depth++;
    } else if (wire == 4) {
      if (depth == 0 || load<u64>(groups + 8 * (depth - 1)) != tag >> 3) return 0;
      depth--;
    } else {
      p = skipValue(p, end, wire);
      if (p == 0) return 0;
    }
    if (depth == 0) return p;
    p = readTag(p, end);
    if (p == 0) return 0;
    tag = varint;
  }
}

/**
 * Reads a point of any form that lies from `p` to `end`.
 *
 * @param fields Field `k`, of 8 bytes, from 1 to `known`, goes to `fields + 8 * (k - 1)`; those
 * that
 * are missing become 0.
 * @returns True if the bytes are well formed.
 */
export function readPoint(p: usize, end: usize, fields: usize, known: u32): bool {
  memory.fill(fields, 0, 8 * known);
  seen = 0;
  while (p < end) {
    p = readTag(p, end);
    if (p == 0) return false;
    const tag = varint;
    const field = tag >> 3;
    if ((tag & 7) == 1 && field <= <u64>known) {
      if (end - p < 8) return false;
      store<u64>(fields + 8 * <usize>(field - 1), load<u64>(p));
      seen |= 1 << <u32>field;
      p += 8;
    } else {
      p = skip(p, end, tag);
      if (p == 0) return false;
    }
  }
  return true;
}
