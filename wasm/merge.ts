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
let input: usize = 0;
let more: usize = 0;
/** Whether a stream ran dry although its input goes on. */
let dry: bool = false;

/** Takes over a plan of `g` groups at `at` and loads the heads. Returns the plan's size in bytes. */
export function mergeOpen(at: usize, g: i32): usize {
  groups = g;
  const streams = <usize>g << 6;
  heads = at;
  least = heads + (streams << 3);
  live = least + (<usize>g << 3);
  input = live + (<usize>g << 3);
  more = input + (streams << 4);
  dry = false;
  for (let i = 0; i < g; i++) {
    store<u64>(live + (<usize>i << 3), 0);
    for (let s = 0; s < 64; s++) loadHead(i, s);
    findLeast(i);
  }
  return more + (streams << 2) - at;
}

/** The entry of stream `s` of a group in `input`. */
// @ts-ignore: decorator
@inline
export function mergeInput(group: i32, s: i32): usize {
  return input + (<usize>((group << 6) + s) << 4);
}

/** Reads the head of a stream at its position. */
// @ts-ignore: decorator
@inline
function loadHead(group: i32, s: i32): void {
  const index = <usize>((group << 6) + s);
  const entry = input + (index << 4);
  const position = load<u32>(entry, POSITION);
  const mask = live + (<usize>group << 3);
  if (position < load<u32>(entry, COUNT)) {
    const time = load<i64>(<usize>load<u32>(entry, TIMES) + (<usize>position << 3));
    store<i64>(heads + (index << 3), time);
    store<u64>(mask, load<u64>(mask) | (<u64>1 << <u64>s));
    return;
  }
  store<i64>(heads + (index << 3), NONE);
  store<u64>(mask, load<u64>(mask) & ~(<u64>1 << <u64>s));
  if (load<u32>(more + (index << 2)) != 0) dry = true;
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

/** Whether the next row can be made: something is live and nothing ran dry. */
// @ts-ignore: decorator
@inline
export function mergeHasRow(): bool {
  if (dry) return false;
  for (let g = 0; g < groups; g++) {
    if (load<u64>(live + (<usize>g << 3)) != 0) return true;
  }
  return false;
}

/** Time of the next row. */
// @ts-ignore: decorator
@inline
export function mergeTime(): i64 {
  let time = load<i64>(least);
  for (let g = 1; g < groups; g++) {
    const other = load<i64>(least + (<usize>g << 3));
    if (other < time) time = other;
  }
  return time;
}

/** Which streams of a group put a point into the row at `time`, as a mask. */
// @ts-ignore: decorator
@inline
export function mergeMembers(group: i32, time: i64): u64 {
  if (load<i64>(least + (<usize>group << 3)) != time) return 0;
  const alive = load<u64>(live + (<usize>group << 3));
  const from = heads + (<usize>group << 9);
  const wanted = v128.splat<i64>(time);
  let members: u64 = 0;
  for (let s: u64 = 0, n = <u64>(64 - clz(alive)); s < n; s += 2) {
    const equal = i64x2.eq(v128.load(from + (<usize>s << 3)), wanted);
    members |= <u64>i64x2.bitmask(equal) << s;
  }
  return members & alive;
}

/** Moves the members of a group on to their next points. */
// @ts-ignore: decorator
@inline
export function mergeAdvance(group: i32, members: u64): void {
  let rest = members;
  while (rest != 0) {
    const s = <i32>ctz(rest);
    rest &= rest - 1;
    const entry = mergeInput(group, s);
    store<u32>(entry, load<u32>(entry, POSITION) + 1, POSITION);
    loadHead(group, s);
  }
  if (members != 0) findLeast(group);
}

/** Number of groups of the plan. */
// @ts-ignore: decorator
@inline
export function mergeGroups(): i32 {
  return groups;
}

/** Counts the rows of the plan until a stream runs dry or all are at their end. */
export function mergeCountRows(plan: usize, g: i32): u32 {
  mergeOpen(plan, g);
  let rows: u32 = 0;
  while (mergeHasRow()) {
    const time = mergeTime();
    for (let i = 0; i < g; i++) mergeAdvance(i, mergeMembers(i, time));
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
  while (row < capacity && mergeHasRow()) {
    const time = mergeTime();
    store<i64>(times + (<usize>row << 3), time);
    for (let i = 0; i < g; i++) {
      const members = mergeMembers(i, time);
      let rest = members;
      while (rest != 0) {
        const s = <i32>ctz(rest);
        rest &= rest - 1;
        const at = <usize>((i << 6) + s) * <usize>capacity + <usize>row;
        const entry = mergeInput(i, s);
        store<u32>(indices + (at << 2), load<u32>(entry, VALUES) + load<u32>(entry, POSITION));
      }
      mergeAdvance(i, members);
    }
    row++;
  }
  return row;
}
