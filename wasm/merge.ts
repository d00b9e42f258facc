// The merge of k sorted streams by time, as BTrDB's CSV does it (docs/protocol.md, "CSV"): a row for
// the earliest time at the head of any stream; every stream whose head has exactly that time puts
// one point into the row. So equal times share a row and duplicates inside a stream make further
// rows.
//
// Streams come in groups of 64. Each group has a mask of live streams and the least of its heads, so
// a row costs the number of groups plus the streams of the groups that take part.
//
// The state is a plan in the arena, laid out by the caller (src/kernel/merge_plan.ts), all in bytes:
//
//   heads   i64 × 64g      time at the head; the largest i64 where there is none
//   least   i64 × g        least head of the group
//   live    u64 × g        bit s: the stream has a head
//   first   u64 × g        bit s: the head is the least of the group (or there is none at all)
//   input   u32 × 4 × 64g  per stream: address of the time at the head, address after the last time,
//                          what to subtract from address / 8 to get the index of the point, and 1 if
//                          the input goes on after what is here

/** Byte offsets within one stream's entry of `input`. */
const CURSOR: usize = 0;
const LIMIT: usize = 4;
const BIAS: usize = 8;
const MORE: usize = 12;

const NONE: i64 = i64.MAX_VALUE;

let groups: i32 = 0;
let heads: usize = 0;
let least: usize = 0;
let live: usize = 0;
let first: usize = 0;
let input: usize = 0;
/** True if a stream ran dry although its input goes on. */
let dry: bool = false;
/** Time of the row under way. */
let rowTime: i64 = 0;

/** Takes over a plan of `g` groups at `at` and loads the heads. */
export function mergeOpen(at: usize, g: i32): void {
  groups = g;
  const words = <usize>g << 3;
  heads = at;
  least = heads + (words << 6);
  live = least + words;
  first = live + words;
  input = first + words;
  dry = false;
  for (let i = 0; i < g; i++) {
    store<u64>(live + (<usize>i << 3), <u64>-1);
    for (let s = 0; s < 64; s++) loadHead((i << 6) + s, load<u32>(entryOf((i << 6) + s), CURSOR));
    findLeast(i);
  }
}

/** The entry of a stream in `input`. */
// @ts-ignore: decorator
@inline
function entryOf(stream: i32): usize {
  return input + (<usize>stream << 4);
}

/** Reads the time at `cursor` as the head of a stream, if it is one of its times. */
// @ts-ignore: decorator
@inline
function loadHead(stream: i32, cursor: u32): void {
  const head = heads + (<usize>stream << 3);
  if (cursor < load<u32>(entryOf(stream), LIMIT)) store<i64>(head, load<i64>(cursor));
  else endInput(stream, head);
}

/** A stream has no head any more. */
function endInput(stream: i32, head: usize): void {
  const mask = live + (<usize>(stream >> 6) << 3);
  store<i64>(head, NONE);
  store<u64>(mask, load<u64>(mask) & ~(<u64>1 << <u64>(stream & 63)));
  if (load<u32>(entryOf(stream), MORE) != 0) dry = true;
}

/** Finds the least head of a group and which streams have it. */
// @ts-ignore: decorator
@inline
function findLeast(group: i32): void {
  const word = <usize>group << 3;
  const n = 64 - <i32>clz(load<u64>(live + word));
  const from = heads + (<usize>group << 9);
  // A vector load of heads that were just stored one by one waits for them; few are better compared
  // one by one.
  if (n <= 16) findLeastOfFew(word, from, n);
  else findLeastOfMany(word, from, n);
}

function findLeastOfFew(word: usize, from: usize, n: i32): void {
  let lowest = NONE;
  let mask: u64 = 0;
  for (let s = 0; s < n; s++) {
    const head = load<i64>(from + (<usize>s << 3));
    const bit = <u64>1 << <u64>s;
    mask = head < lowest ? bit : head == lowest ? mask | bit : mask;
    lowest = min(head, lowest);
  }
  store<i64>(least + word, lowest);
  store<u64>(first + word, mask);
}

/** The same for the first eight heads, without a loop; there is always room for 64. */
// @ts-ignore: decorator
@inline
function findLeastOfEight(word: usize, from: usize): void {
  const p0 = v128.load(from);
  const p1 = v128.load(from, 16);
  const p2 = v128.load(from, 32);
  const p3 = v128.load(from, 48);
  const p01 = v128.bitselect(p0, p1, i64x2.gt_s(p1, p0));
  const p23 = v128.bitselect(p2, p3, i64x2.gt_s(p3, p2));
  const pairs = v128.bitselect(p01, p23, i64x2.gt_s(p23, p01));
  const a = i64x2.extract_lane(pairs, 0);
  const b = i64x2.extract_lane(pairs, 1);
  const lowest = a < b ? a : b;
  const wanted = i64x2.splat(lowest);
  const low = i64x2.bitmask(i64x2.eq(p0, wanted)) | (i64x2.bitmask(i64x2.eq(p1, wanted)) << 2);
  const high = i64x2.bitmask(i64x2.eq(p2, wanted)) | (i64x2.bitmask(i64x2.eq(p3, wanted)) << 2);
  store<i64>(least + word, lowest);
  store<u64>(first + word, low | (high << 4));
}

function findLeastOfMany(word: usize, from: usize, n: i32): void {
  let pairs = v128.splat<i64>(NONE);
  for (let s = 0; s < n; s += 2) {
    const pair = v128.load(from + (<usize>s << 3));
    pairs = v128.bitselect(pair, pairs, i64x2.gt_s(pairs, pair));
  }
  const a = i64x2.extract_lane(pairs, 0);
  const b = i64x2.extract_lane(pairs, 1);
  const lowest = a < b ? a : b;
  const wanted = v128.splat<i64>(lowest);
  let mask: u64 = 0;
  for (let s = 0; s < n; s += 2) {
    const equal = i64x2.eq(v128.load(from + (<usize>s << 3)), wanted);
    mask |= <u64>i64x2.bitmask(equal) << <u64>s;
  }
  store<i64>(least + word, lowest);
  store<u64>(first + word, mask);
}

/**
 * Finds the next row: its time and which streams put a point into it.
 *
 * @returns Number of streams with a point in the row; 0 if a stream ran dry or all are at their
 *   end.
 */
// @ts-ignore: decorator
@inline
export function mergeNext(): i32 {
  if (dry) return 0;
  let time = load<i64>(least);
  if (groups == 1) {
    rowTime = time;
    return <i32>popcnt(load<u64>(first) & load<u64>(live));
  }
  for (let g = 1; g < groups; g++) {
    const other = load<i64>(least + (<usize>g << 3));
    if (other < time) time = other;
  }
  rowTime = time;
  let count: i32 = 0;
  for (let g = 0; g < groups; g++) count += <i32>popcnt(mergeMembers(g));
  return count;
}

/** Time of the row that mergeNext found. */
// @ts-ignore: decorator
@inline
export function mergeTime(): i64 {
  return rowTime;
}

/** The streams of a group that put a point into that row, as a mask; valid until one moves on. */
// @ts-ignore: decorator
@inline
export function mergeMembers(group: i32): u64 {
  const word = <usize>group << 3;
  if (load<i64>(least + word) != rowTime) return 0;
  return load<u64>(first + word) & load<u64>(live + word);
}

/** Address of the time at the head of a stream. */
// @ts-ignore: decorator
@inline
export function mergeCursor(stream: i32): usize {
  return load<u32>(entryOf(stream), CURSOR);
}

/** Moves a member of the row on to its next point. */
// @ts-ignore: decorator
@inline
export function mergeStep(stream: i32): void {
  const entry = entryOf(stream);
  const cursor = load<u32>(entry, CURSOR) + 8;
  store<u32>(entry, cursor, CURSOR);
  loadHead(stream, cursor);
}

/**
 * Number of rows from here on with a point of every one of `streams` streams, because all have the
 * same times, duplicates included; at most `most`.
 */
export function mergeShared(streams: i32, most: u32): u32 {
  const from = mergeCursor(0);
  let n = min(most, (load<u32>(entryOf(0), LIMIT) - <u32>from) >> 3);
  for (let s = 1; s < streams && n != 0; s++) {
    const cursor = mergeCursor(s);
    n = sameTimes(from, cursor, min(n, (load<u32>(entryOf(s), LIMIT) - <u32>cursor) >> 3));
  }
  return n;
}

/** Number of times at two places, of `n`, that are the same before the first that is not. */
function sameTimes(a: usize, b: usize, n: u32): u32 {
  let i: u32 = 0;
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 3;
    const low = v128.xor(v128.load(a + at), v128.load(b + at));
    const high = v128.xor(v128.load(a + at, 16), v128.load(b + at, 16));
    if (v128.any_true(v128.or(low, high))) break;
  }
  while (i < n && load<i64>(a + (<usize>i << 3)) == load<i64>(b + (<usize>i << 3))) i++;
  return i;
}

/** Moves all streams on by `n` points, which they have. */
export function mergeSkip(streams: i32, n: u32): void {
  for (let s = 0; s < streams; s++) {
    const entry = entryOf(s);
    const cursor = load<u32>(entry, CURSOR) + (n << 3);
    store<u32>(entry, cursor, CURSOR);
    loadHead(s, cursor);
  }
  for (let g = 0; g < groups; g++) findLeast(g);
}

/** Ends the row for a group whose members moved on. */
// @ts-ignore: decorator
@inline
export function mergeStepped(group: i32): void {
  findLeast(group);
}

/** The same where the heads were stored a while ago. */
// @ts-ignore: decorator
@inline
export function mergeSteppedBefore(group: i32): void {
  const word = <usize>group << 3;
  const from = heads + (<usize>group << 9);
  const alive = load<u64>(live + word);
  if (alive >> 8 == 0) findLeastOfEight(word, from);
  else findLeastOfMany(word, from, 64 - <i32>clz(alive));
}

/** Counts the rows of the plan until a stream runs dry or all are at their end. */
export function mergeCountRows(plan: usize, g: i32): u32 {
  mergeOpen(plan, g);
  let rows: u32 = 0;
  while (mergeNext() != 0) {
    for (let i = 0; i < g; i++) {
      let rest = mergeMembers(i);
      if (rest == 0) continue;
      while (rest != 0) {
        mergeStep((i << 6) + <i32>ctz(rest));
        rest &= rest - 1;
      }
      mergeStepped(i);
    }
    rows++;
  }
  return rows;
}

/**
 * Writes up to `capacity` rows: the times as i64 at `times`, and for stream s the index of its
 * point in the row, or −1, as i32 at `indices` + s · 4 · capacity. Returns the number of rows
 * written.
 */
export function mergeRows(
  plan: usize,
  g: i32,
  streams: i32,
  times: usize,
  indices: usize,
  capacity: u32,
): u32 {
  mergeOpen(plan, g);
  memory.fill(indices, 0xff, (<usize>capacity * <usize>streams) << 2);
  let row: u32 = 0;
  while (row < capacity && mergeNext() != 0) {
    store<i64>(times + (<usize>row << 3), mergeTime());
    for (let i = 0; i < g; i++) {
      let rest = mergeMembers(i);
      if (rest == 0) continue;
      while (rest != 0) {
        const s = (i << 6) + <i32>ctz(rest);
        rest &= rest - 1;
        const at = <usize>s * <usize>capacity + <usize>row;
        const entry = entryOf(s);
        store<u32>(indices + (at << 2), (load<u32>(entry, CURSOR) >> 3) - load<u32>(entry, BIAS));
        mergeStep(s);
      }
      mergeStepped(i);
    }
    row++;
  }
  return row;
}
