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
//   members u64 × g        bit s: the stream puts a point into the row under way
//   input   u32 × 4 × 64g  address of the times, address of the values (mergeRows: number of points
//                          that came before), count, position
//   more    u32 × 64g      1 if the input goes on after what is here

/** Byte offsets within one stream's entry of `input`. */
export const TIMES: usize = 0;
export const VALUES: usize = 4;
export const COUNT: usize = 8;
export const POSITION: usize = 12;

const NONE: i64 = i64.MAX_VALUE;

let groups: i32 = 0;
let heads: usize = 0;
let least: usize = 0;
let live: usize = 0;
let members: usize = 0;
let input: usize = 0;
let more: usize = 0;
/** Whether a stream ran dry although its input goes on. */
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
  members = live + words;
  input = members + words;
  more = input + (words << 7);
  dry = false;
  for (let i = 0; i < g; i++) {
    store<u64>(live + (<usize>i << 3), 0);
    for (let s = 0; s < 64; s++) loadHead((i << 6) + s);
    findLeast(i);
  }
}

/** The entry of a stream in `input`. */
// @ts-ignore: decorator
@inline
export function mergeInput(stream: i32): usize {
  return input + (<usize>stream << 4);
}

/** Reads the head of a stream at its position. */
// @ts-ignore: decorator
@inline
function loadHead(stream: i32): void {
  const entry = mergeInput(stream);
  const position = load<u32>(entry, POSITION);
  const mask = live + (<usize>(stream >> 6) << 3);
  const bit = <u64>1 << <u64>(stream & 63);
  if (position < load<u32>(entry, COUNT)) {
    const time = load<i64>(<usize>load<u32>(entry, TIMES) + (<usize>position << 3));
    store<i64>(heads + (<usize>stream << 3), time);
    store<u64>(mask, load<u64>(mask) | bit);
    return;
  }
  store<i64>(heads + (<usize>stream << 3), NONE);
  store<u64>(mask, load<u64>(mask) & ~bit);
  if (load<u32>(more + (<usize>stream << 2)) != 0) dry = true;
}

/** Sets the least head of a group. */
// @ts-ignore: decorator
@inline
function findLeast(group: i32): void {
  let lowest = v128.splat<i64>(NONE);
  const from = heads + (<usize>group << 9);
  const to = from + ((64 - <usize>clz(load<u64>(live + (<usize>group << 3)))) << 3);
  for (let at = from; at < to; at += 16) {
    const pair = v128.load(at);
    lowest = v128.bitselect(pair, lowest, i64x2.gt_s(lowest, pair));
  }
  const a = i64x2.extract_lane(lowest, 0);
  const b = i64x2.extract_lane(lowest, 1);
  store<i64>(least + (<usize>group << 3), a < b ? a : b);
}

/** The live streams of a group whose heads are at `time`. */
// @ts-ignore: decorator
@inline
function streamsAt(group: i32, time: i64): u64 {
  const alive = load<u64>(live + (<usize>group << 3));
  const from = heads + (<usize>group << 9);
  const wanted = v128.splat<i64>(time);
  let equal: u64 = 0;
  for (let s: u64 = 0, n = <u64>(64 - clz(alive)); s < n; s += 2) {
    equal |= <u64>i64x2.bitmask(i64x2.eq(v128.load(from + (<usize>s << 3)), wanted)) << s;
  }
  return equal & alive;
}

/**
 * Finds the next row: its time and which streams put a point into it.
 *
 * @returns How many do; 0 if a stream ran dry or all are at their end.
 */
// @ts-ignore: decorator
@inline
export function mergeNext(): i32 {
  if (dry) return 0;
  let time = load<i64>(least);
  for (let g = 1; g < groups; g++) {
    const other = load<i64>(least + (<usize>g << 3));
    if (other < time) time = other;
  }
  rowTime = time;
  let count: i32 = 0;
  for (let g = 0; g < groups; g++) {
    const word = <usize>g << 3;
    const mask = load<i64>(least + word) == time ? streamsAt(g, time) : 0;
    store<u64>(members + word, mask);
    count += <i32>popcnt(mask);
  }
  return count;
}

/** Time of the row that mergeNext found. */
// @ts-ignore: decorator
@inline
export function mergeTime(): i64 {
  return rowTime;
}

/** Which streams of a group put a point into that row, as a mask. */
// @ts-ignore: decorator
@inline
export function mergeMembers(group: i32): u64 {
  return load<u64>(members + (<usize>group << 3));
}

/** Moves a member of the row on to its next point. */
// @ts-ignore: decorator
@inline
export function mergeStep(stream: i32): void {
  const entry = mergeInput(stream);
  store<u32>(entry, load<u32>(entry, POSITION) + 1, POSITION);
  loadHead(stream);
}

/** Ends the row for a group whose members moved on. */
// @ts-ignore: decorator
@inline
export function mergeStepped(group: i32): void {
  findLeast(group);
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
 * Writes up to `capacity` rows: the times as i64 at `times`, and for stream s the index of its point
 * in the row, or −1, as i32 at `indices` + s · 4 · capacity. Returns the number of rows written.
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
        const entry = mergeInput(s);
        store<u32>(indices + (at << 2), load<u32>(entry, VALUES) + load<u32>(entry, POSITION));
        mergeStep(s);
      }
      mergeStepped(i);
    }
    row++;
  }
  return row;
}
