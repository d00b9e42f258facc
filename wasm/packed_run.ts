// Runs of 64-bit integers, packed.
//
//   run       = order: u8, the first `order` integers: i64, then miniblocks of 64 integers (the last
//              may be shorter)
//   miniblock = width: u8, baseBytes: u8, base: that many bytes, then the integers minus the base,
//               `width` bits each, least significant first
//
// The integers are differenced `order` times (0, 1 or 2), modulo 2^64. Each miniblock is packed
// against its smallest integer (frame of reference; Zukowski et al., "Super-Scalar RAM-CPU Cache
// Compression", 2006); the base is kept as its zigzag difference from the base before it.

import { byteWidth, MINI, ROW, ROW_ORDER, zigzag } from "./run_order";

@inline
function unzigzag(v: u64): i64 {
  return <i64>(v >> 1) ^ -<i64>(v & 1);
}

/** Replaces `n` integers by their differences, the first by itself, `order` times. */
function difference(at: usize, n: u32, order: u8): void {
  for (let k: u8 = 0; k < order; k++) {
    let p = at + (<usize>n << 3) - 16;
    for (; p > at; p -= 16) v128.store(p, i64x2.sub(v128.load(p), v128.load(p - 8)));
    if (p == at) store<i64>(p, load<i64>(p, 8) - load<i64>(p), 8);
  }
}

/** Undoes `difference`. */
function accumulate(at: usize, n: u32): void {
  let sum: i64 = 0;
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) {
    sum += load<i64>(p);
    store<i64>(p, sum);
  }
}

/**
 * Packs `n` integers, differenced `order` times here, to `out`; the end of what was written. `table` is
 * that of run_order.ts. Overwrites the integers.
 */
export function packRun(at: usize, n: u32, order: u8, table: usize, out: usize): usize {
  difference(at, n, order);
  store<u8>(out++, order);
  let row = table + <usize>order * ROW_ORDER;
  for (let k: u8 = 0; k < order; k++, at += 8, out += 8, n--) store<i64>(out, load<i64>(at));
  let base: i64 = 0;
  for (let i: u32 = 0; i < n; i += MINI, row += ROW) {
    const low = load<i64>(row);
    const width = load<u32>(row, 8);
    const step = zigzag(low - base);
    const bytes = byteWidth(step);
    base = low;
    store<u8>(out, <u8>width);
    store<u8>(out, <u8>bytes, 1);
    store<u64>(out + 2, step);
    out = packBits(at + (<usize>i << 3), min(MINI, n - i), low, width, out + 2 + bytes);
  }
  return out;
}

/** Packs `n` integers minus `low`, `width` bits each. */
function packBits(at: usize, n: u32, low: i64, width: u32, out: usize): usize {
  if (width == 0) return out;
  const end = at + (<usize>n << 3);
  let p = at;
  let word: u64 = 0;
  let used: u32 = 0;
  if (width <= 28) {
    // Whole bytes are written, fewer than 8 bits are left: two integers fit in.
    const twice = 2 * width;
    for (; p + 8 < end; p += 16) {
      const v = <u64>(load<i64>(p) - low) | <u64>(load<i64>(p, 8) - low) << width;
      word |= v << used;
      store<u64>(out, word);
      used += twice;
      const bits = used & ~7;
      out += bits >> 3;
      word >>= bits;
      used &= 7;
    }
  }
  for (; p < end; p += 8) {
    const v = <u64>(load<i64>(p) - low);
    word |= v << used;
    used += width;
    if (used >= 64) {
      store<u64>(out, word);
      out += 8;
      used -= 64;
      word = used == 0 ? 0 : v >> (width - used);
    }
  }
  store<u64>(out, word);
  return out + ((used + 7) >> 3);
}

/**
 * Unpacks a run of `n` integers, undoing the differences; the end of what was read, 0 if the run
 * does not end by `end`. Reads up to 8 bytes beyond `end`.
 */
export function unpackRun(src: usize, end: usize, n: u32, at: usize): usize {
  if (src >= end) return 0;
  const order = load<u8>(src++);
  if (order > 2 || order > n || src + (<usize>order << 3) > end) return 0;
  for (let k: u8 = 0; k < order; k++, src += 8) store<i64>(at + (<usize>k << 3), load<i64>(src));
  const first = at;
  at += <usize>order << 3;
  const left = n - order;
  let base: i64 = 0;
  for (let i: u32 = 0; i < left; i += MINI) {
    const m = min(MINI, left - i);
    if (src + 2 > end) return 0;
    const width: u32 = load<u8>(src);
    const bytes: u32 = load<u8>(src, 1);
    if (width > 64 || bytes > 8) return 0;
    src += 2;
    const data = src + bytes;
    const next = data + ((<usize>m * width + 7) >> 3);
    if (next > end) return 0;
    if (bytes != 0) base += unzigzag(load<u64>(src) & (<u64>-1 >> (64 - 8 * bytes)));
    unpackBits(data, m, width, base, at + (<usize>i << 3));
    src = next;
  }
  for (let k: u8 = 0; k < order; k++) accumulate(first, n);
  return src;
}

/** Unpacks `n` integers of `width` bits and adds `base`. */
function unpackBits(src: usize, n: u32, width: u32, base: i64, at: usize): void {
  const end = at + (<usize>n << 3);
  if (width == 0) {
    for (let p = at; p < end; p += 8) store<i64>(p, base);
    return;
  }
  const mask: u64 = <u64>-1 >> (64 - width);
  let bit: usize = 0;
  if (width <= 57) {
    for (let p = at; p < end; p += 8) {
      const v = load<u64>(src + (bit >> 3)) >> (bit & 7);
      store<i64>(p, base + <i64>(v & mask));
      bit += width;
    }
    return;
  }
  for (let p = at; p < end; p += 8) {
    const q = src + (bit >> 3);
    const shift = bit & 7;
    let v = load<u64>(q) >> shift;
    if (shift != 0) v |= <u64>load<u8>(q, 8) << (64 - shift);
    store<i64>(p, base + <i64>(v & mask));
    bit += width;
  }
}
