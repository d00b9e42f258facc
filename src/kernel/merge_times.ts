/**
 * The merge of several streams by time.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import { atOnce } from "../core/pacer.ts";
import { arena } from "./arena.ts";
import { checkTimes } from "./arguments.ts";
import {
  IMAGE_STREAMS,
  MAX_STREAMS,
  type MergeInput,
  MergePlan,
  planImage,
  STEP_STREAMS,
} from "./merge_plan.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

/** Result of {@linkcode mergeTimes}: one element per row. */
export interface MergedTimes {
  /** Time of each row, ns since the Unix epoch, UTC. */
  times: BigInt64Array;
  /** `rows[s][r]` is the index of stream `s`'s point in row `r`, or −1 if it has none there. */
  rows: Int32Array[];
}

/** Bytes of rows made in one go. */
const OUTPUT_BYTES = 1 << 20;

/**
 * Merges streams by time with BTrDB's rule: points of equal time share a row, and duplicates inside
 * a stream make further rows, the first of each stream sharing the first row
 * (docs/protocol.md, "CSV").
 *
 * @param streams Times of each stream, ascending, at most 65,536 streams of less than 2^31 points.
 * @returns Times and, for each stream, the indices of its points.
 * @throws {TypeError} If `streams` is not an array of `BigInt64Array`.
 * @throws {RangeError} If there are too many.
 *
 * @example An outer join
 * ```ts
 * import { mergeTimes } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const { times, rows } = mergeTimes([
 *   BigInt64Array.of(1n, 2n, 2n),
 *   BigInt64Array.of(2n, 3n),
 * ]);
 * assertEquals(times, BigInt64Array.of(1n, 2n, 2n, 3n));
 * assertEquals(rows, [Int32Array.of(0, 1, 2, -1), Int32Array.of(-1, 0, -1, 1)]);
 * ```
 */
export function mergeTimes(streams: readonly BigInt64Array[]): MergedTimes {
  checkStreams(streams);
  const n = countRows(streams);
  const merged: MergedTimes = {
    times: new BigInt64Array(n),
    rows: streams.map(() => new Int32Array(n)),
  };
  atOnce(fillRows(merged, inputsOf(streams)));
  return merged;
}

/** The first rows of a merge. */
export interface MergedRows extends MergedTimes {
  /** Points of each stream that are in these rows. */
  used: Int32Array;
}

/**
 * As {@linkcode mergeTimes}, the first `most` rows only, in steps: the rest of the points are for the
 * next call.
 *
 * @param streams As for `mergeTimes`.
 * @param most Rows, at least one.
 */
export function* mergeFirstRows(
  streams: readonly BigInt64Array[],
  most: number,
): Generator<undefined, MergedRows> {
  checkStreams(streams);
  const points = streams.reduce((sum, times) => sum + times.length, 0);
  yield;
  const n = points <= most ? countRows(streams) : most;
  yield;
  const times = new BigInt64Array(n);
  // One for all: thousands of arrays, each with a buffer, would slow each collection of garbage down.
  const all = new Int32Array(n * streams.length);
  const rows = streams.map((_, s) => all.subarray(s * n, s * n + n));
  const inputs = inputsOf(streams);
  yield;
  const made = yield* fillRows({ times, rows }, inputs);
  yield;
  return {
    times: times.subarray(0, made),
    rows: rows.map((indices) => indices.subarray(0, made)),
    used: Int32Array.from(inputs, ({ done }) => done),
  };
}

/** Rows from which on they are copied as a whole, which takes a view of them. */
const WORTH_A_COPY = 64;

/** Makes rows until there is no room or no point left; how many. */
function* fillRows(
  { times, rows }: MergedTimes,
  inputs: MergeInput[],
): Generator<undefined, number> {
  const streams = inputs.length;
  if (streams === 0) return 0;
  const plan = new MergePlan(streams, 1);
  const capacity = Math.max(16, Math.floor(OUTPUT_BYTES / (8 + 4 * streams)) & ~1);
  const bytes = plan.bytes + capacity * (8 + 4 * streams);
  let memory = arena(bytes);
  const { base, exports } = memory;
  const from = base + plan.bytes, indices = from + 8 * capacity;
  const image = streams > IMAGE_STREAMS ? planImage(base, plan.bytes) : undefined;
  if (image === undefined) plan.load(memory, inputs);
  else yield* plan.refreshInSteps(image, inputs);
  let row = 0;
  while (row < times.length) {
    // Others may have used the memory meanwhile.
    memory = arena(bytes);
    if (image !== undefined) memory.u8.set(image.u8.subarray(base, from), base);
    const room = Math.min(capacity, times.length - row);
    const made = exports.mergeRows(base, plan.groups, streams, from, indices, room);
    times.set(memory.i64.subarray(from >> 3, (from >> 3) + made), row);
    let cells = memory.i32.subarray(indices >> 2, (indices >> 2) + streams * room);
    if (image !== undefined) {
      image.u8.set(memory.u8.subarray(base, base + plan.planBytes), base);
      cells = cells.slice();
    }
    for (let s = 0, at = 0; s < streams; s++, at += room) {
      if (image !== undefined && s % STEP_STREAMS === STEP_STREAMS - 1) yield;
      const target = rows[s]!;
      if (made >= WORTH_A_COPY) target.set(cells.subarray(at, at + made), row);
      else for (let r = 0; r < made; r++) target[row + r] = cells[at + r]!;
    }
    row += made;
    const goesOn = image === undefined
      ? plan.advance(memory, inputs)
      : yield* plan.advanceInSteps(image, inputs);
    if (made < capacity && !goesOn) break;
  }
  plan.save(image ?? memory, inputs);
  return row;
}

/** Rows the merge will have. */
function countRows(streams: readonly BigInt64Array[]): number {
  const plan = new MergePlan(streams.length, 1);
  const inputs = inputsOf(streams);
  const memory = arena(plan.bytes);
  plan.load(memory, inputs);
  let rows = 0;
  do rows += memory.exports.mergeCountRows(memory.base, plan.groups); while (
    plan.advance(memory, inputs)
  );
  return rows;
}

function inputsOf(streams: readonly BigInt64Array[]): MergeInput[] {
  return streams.map((times) => ({ columns: [times], done: 0, open: false }));
}

function checkStreams(streams: readonly BigInt64Array[]): void {
  if (!Array.isArray(streams)) {
    throw invalidType(`Cannot merge times: streams is ${describe(streams)}, expected an array`);
  }
  if (streams.length > MAX_STREAMS) {
    throw outOfRange(
      `Cannot merge times: there are ${streams.length} streams, expected at most ${MAX_STREAMS}`,
    );
  }
  streams.forEach((times, s) => checkTimes("merge times", times, `streams[${s}]`));
}
