// Helpers shared by the decoders of runs of points.

import { readVarint, varint } from "./wire_field";

/** All went well. */
export const OK: i32 = 0;
/** The bytes are not protobuf: what is consumed ends where the point in question begins. */
export const MALFORMED: i32 = 1;
/** Points decoded one by one before several at once are tried again. */
export const RETRY: i32 = 16;

/** First byte of the point whose length was last read. */
export let pointStart: usize = 0;

/**
 * Reads the length at `p`, behind a tag, and leaves where the point begins in `pointStart`.
 *
 * @returns Address after the point; 0 if it is not complete, 1 if its length is malformed.
 */
export function pointEnd(p: usize, end: usize): usize {
  const start = readVarint(p, end);
  if (start == 0) return end - p >= 10 ? 1 : 0;
  if (varint > <u64>(end - start)) return 0;
  pointStart = start;
  return start + <usize>varint;
}

/** Leaves the result of a call, and gives back the bytes it consumed. */
@inline
export function finish(result: usize, points: usize, status: i32, consumed: usize): usize {
  store<u32>(result, <u32>points);
  store<i32>(result, status, 4);
  return consumed;
}

/** Not zero where the masked bytes at `p` are not `same`. */
@inline
export function differ(p: usize, mask: v128, same: v128): v128 {
  return v128.xor(v128.and(v128.load(p), mask), same);
}

/** The 8 bytes at `p` and the 8 bytes at `q`. */
@inline
export function pair(p: usize, q: usize): v128 {
  return v128.load64_lane(q, v128.load64_zero(p), 1);
}
