// Series of line protocol: hash tables of prefixes (measurement and tags), and of their fields.

import { hashBytes, sameBytes } from "./hash_bytes";
import { BAD_TAG, BAD_TEXT, fail, MANY_TAGS, SAME_TAG } from "./line_error";
import { COMMA, EQUALS, isEscape } from "./line_text";
import { isUtf8 } from "./utf8";

/** Most tags of a line. */
const MAX_TAGS: u32 = 255;
/** Addresses and lengths of the tag keys of the line under way. */
const TAG_KEYS: usize = memory.data(8 * 256, 16);

/** Bytes of a prefix: address, length, hash, first series. */
export const PREFIX: usize = 16;
/** Bytes of a series: prefix, address and length of the field, hash, points, first and latest line. */
export const SERIES: usize = 28;

/** Hash tables of prefixes and series: index + 1, or 0; `mask` + 1 slots each. */
let prefixTable: usize = 0;
let seriesTable: usize = 0;
let mask: u32 = 0;
export let prefixes: usize = 0;
export let series: usize = 0;
export let maxSeries: u32 = 0;
/** Seed of the hashes. */
export let seed: u64 = 0;
export let prefixCount: u32 = 0;
export let seriesCount: u32 = 0;

/**
 * Sets the room for series and the seed of the hashes; the tables have `slots` (a power of 2) words
 * each, all zero.
 */
export function lineSeriesRoom(
  prefixTableAt: usize,
  seriesTableAt: usize,
  slots: u32,
  prefixesAt: usize,
  seriesAt: usize,
  seriesRoom: u32,
  hashSeed: u64,
): void {
  prefixTable = prefixTableAt;
  seriesTable = seriesTableAt;
  mask = slots - 1;
  prefixes = prefixesAt;
  series = seriesAt;
  maxSeries = seriesRoom;
  seed = hashSeed;
}

/** Begins with no series. */
export function beginSeries(): void {
  prefixCount = 0;
  seriesCount = 0;
}

/** Series of the last parseLines; some may have no points, because their lines were refused. */
export function lineSeries(): u32 {
  return seriesCount;
}

/**
 * The number of a series: `hint` if it is that, else by its hash; it is made if there is none. The
 * largest number there is if its name is no UTF-8.
 */
export function findSeries(prefix: u32, at: usize, length: usize, hash: u64, hint: u32, line: u32): u32 {
  if (hint < seriesCount && isSeries(hint, prefix, at, length)) return hint;
  const h = hashBytes(at, length, hash);
  const short = <u32>h;
  let slot = <u32>(h >> 32) & mask;
  while (true) {
    const found = load<u32>(seriesTable + (<usize>slot << 2));
    if (found == 0) break;
    const record = series + <usize>(found - 1) * SERIES;
    if (load<u32>(record, 12) == short && isSeries(found - 1, prefix, at, length)) return found - 1;
    slot = (slot + 1) & mask;
  }
  if (!isUtf8(at, length)) return u32.MAX_VALUE;
  const index = seriesCount++;
  store<u32>(seriesTable + (<usize>slot << 2), seriesCount);
  const record = series + <usize>index * SERIES;
  store<u32>(record, prefix);
  store<u32>(record, <u32>at, 4);
  store<u32>(record, <u32>length, 8);
  store<u32>(record, short, 12);
  store<u32>(record, 0, 16);
  store<u32>(record, line, 20);
  store<u32>(record, u32.MAX_VALUE, 24);
  const prefixRecord = prefixes + <usize>prefix * PREFIX;
  if (load<u32>(prefixRecord, 12) == u32.MAX_VALUE) store<u32>(prefixRecord, index, 12);
  return index;
}

// @ts-ignore: decorator
@inline
function isSeries(index: u32, prefix: u32, at: usize, length: usize): bool {
  const record = series + <usize>index * SERIES;
  return load<u32>(record) == prefix && load<u32>(record, 8) == <u32>length &&
    sameBytes(load<u32>(record, 4), at, length);
}

/** The number of a prefix, measurement and tags, plus 1; 0 if it is none. */
export function findPrefix(at: usize, length: usize, hash: u64): u32 {
  const short = <u32>hash;
  let slot = <u32>(hash >> 32) & mask;
  while (true) {
    const found = load<u32>(prefixTable + (<usize>slot << 2));
    if (found == 0) break;
    const record = prefixes + <usize>(found - 1) * PREFIX;
    if (
      load<u32>(record, 8) == short && load<u32>(record, 4) == <u32>length &&
      sameBytes(load<u32>(record), at, length)
    ) return found;
    slot = (slot + 1) & mask;
  }
  if (!hasGoodTags(at, at + length)) return 0;
  const record = prefixes + <usize>prefixCount * PREFIX;
  store<u32>(record, <u32>at);
  store<u32>(record, <u32>length, 4);
  store<u32>(record, short, 8);
  store<u32>(record, u32.MAX_VALUE, 12);
  prefixCount++;
  store<u32>(prefixTable + (<usize>slot << 2), prefixCount);
  return prefixCount;
}

/** Tells whether [p, end) is UTF-8, and after the measurement `,key=value` again and again. */
function hasGoodTags(p: usize, end: usize): bool {
  if (!isUtf8(p, end - p)) return fail(BAD_TEXT, p) != 0;
  let tags: u32 = 0;
  while (p < end && load<u8>(p) != COMMA) p += isEscape(p) ? 2 : 1;
  while (p < end) {
    const key = ++p;
    while (p < end && load<u8>(p) != EQUALS) {
      if (load<u8>(p) == COMMA) break;
      p += isEscape(p) ? 2 : 1;
    }
    if (p >= end || load<u8>(p) != EQUALS || p == key) return fail(BAD_TAG, key) != 0;
    if (tags == MAX_TAGS) return fail(MANY_TAGS, key) != 0;
    if (!isNewKey(key, p - key, tags++)) return fail(SAME_TAG, key) != 0;
    const text = ++p;
    while (p < end && load<u8>(p) != COMMA) {
      if (load<u8>(p) == EQUALS) return fail(BAD_TAG, key) != 0;
      p += isEscape(p) ? 2 : 1;
    }
    if (p == text) return fail(BAD_TAG, key) != 0;
  }
  return true;
}

/** Adds a tag key to those of the line; false if it is among them. */
function isNewKey(at: usize, length: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const other = TAG_KEYS + (<usize>i << 3);
    if (load<u32>(other, 4) == <u32>length && sameBytes(load<u32>(other), at, length)) return false;
  }
  store<u32>(TAG_KEYS + (<usize>count << 3), <u32>at);
  store<u32>(TAG_KEYS + (<usize>count << 3), <u32>length, 4);
  return true;
}
