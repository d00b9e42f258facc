/**
 * All raw points of a range in one pair of columns: they are counted first, and leaves are decoded to
 * where their points belong.
 *
 * @module
 */

import { allocRaw, type RawColumns, sliceRaw } from "../../core/columns.ts";
import { gallop, lowerBound } from "../../core/search.ts";
import { CHUNK_POINTS, LEAF_POINTS } from "../constants.ts";
import { damaged } from "../file/checksum.ts";
import { type BlockStore, LeafRoom, type LeafSpace } from "./block_store.ts";
import { countAtMost, countPoints } from "./count_points.ts";
import { decodeLeafInto } from "./node_codec.ts";
import { pointRuns, type Run, type TreePlace } from "./point_runs.ts";
import { rawPoints } from "./raw_points.ts";

/** Points up to which an answer is put together from chunks: counting it would cost more. */
const FEW_POINTS = 4096;

/** Points above which no columns are made for them in advance, 2 GiB. */
const MANY_POINTS = 2 ** 27;

/** Columns that are filled from their beginning to their end. */
class WholeColumns implements LeafSpace {
  readonly #columns: RawColumns;
  readonly #beside: readonly RawColumns[];
  readonly #start: bigint;
  readonly #end: bigint;
  /** Indices up to which points beside the tree are in the columns, at most. */
  readonly #at: number[];
  readonly #room = new LeafRoom();
  #used = 0;
  /** The leaf that was decoded to its place last. */
  #placed: RawColumns | undefined;

  constructor(n: number, beside: readonly RawColumns[], start: bigint, end: bigint) {
    this.#columns = allocRaw(n);
    this.#beside = beside;
    this.#start = start;
    this.#end = end;
    this.#at = beside.map(({ times }) => lowerBound(times, start));
  }

  /** The points of a leaf, at their place if all of them come next. */
  decode(address: number, block: Uint8Array, start: bigint, end: bigint): RawColumns {
    this.#placed = undefined;
    if (start >= this.#start && end <= this.#end && !this.#hasBeside(end)) {
      const rest = sliceRaw(this.#columns, this.#used, this.#columns.times.length);
      const n = decodeLeafInto(address, block, rest);
      if (n <= rest.times.length) return this.#placed = sliceRaw(rest, 0, n);
    }
    return this.#room.decode(address, block);
  }

  /** Tells whether points beside the tree may come before a time. */
  #hasBeside(end: bigint): boolean {
    const last = this.#used > 0 ? this.#columns.times[this.#used - 1]! : this.#start;
    return this.#beside.some(({ times }, i) => {
      const at = this.#at[i] = gallop(times, last, this.#at[i]!, times.length);
      return at < times.length && times[at]! < end;
    });
  }

  /** Appends a run. */
  add({ columns, from, to }: Run): void {
    if (this.#used + to - from > this.#columns.times.length) throw otherCount();
    if (columns !== this.#placed) {
      this.#columns.times.set(columns.times.subarray(from, to), this.#used);
      this.#columns.values.set(columns.values.subarray(from, to), this.#used);
    }
    this.#used += to - from;
  }

  /** The columns, which must be full. */
  finish(): RawColumns {
    if (this.#used !== this.#columns.times.length) throw otherCount();
    return this.#columns;
  }
}

/** The error of a tree with other points than its nodes say, which is found when they are read. */
function otherCount(): Error {
  return damaged("a tree has another number of points than its nodes say");
}

/**
 * Points in `[start, end)` in order of time, as {@linkcode rawPoints}, in one chunk; few or very many
 * in several. Yields `undefined` where it may pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param beside Sorted points beside the tree.
 */
export function* wholePoints(
  store: BlockStore,
  root: number,
  beside: readonly RawColumns[],
  start: bigint,
  end: bigint,
): Generator<RawColumns | undefined> {
  let others = 0;
  for (const { times } of beside) {
    const from = lowerBound(times, start);
    others += lowerBound(times, end, from) - from;
  }
  const most = others + countAtMost(store, root, start, end);
  if (most <= FEW_POINTS || most > MANY_POINTS) {
    yield* rawPoints(store, root, beside, start, end);
    return;
  }
  const n = others + countPoints(store, root, start, end);
  const room = new WholeColumns(n, beside, start, end);
  const place: TreePlace = {};
  const leaves = CHUNK_POINTS / LEAF_POINTS;
  for (const run of pointRuns(store, root, beside, { start, end, leaves, room, place })) {
    if (run === undefined) yield undefined;
    else room.add(run);
  }
  if (n > 0) yield room.finish();
}
