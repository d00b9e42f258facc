/**
 * Raw points of the tree, merged with those beside it and in the buffer.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { CHUNK_POINTS, FIRST_LENT_POINTS, LEAF_POINTS, LENT_POINTS } from "../constants.ts";
import { type BlockStore, LeafRoom } from "./block_store.ts";
import { pointRuns, type Run, type TreePlace } from "./point_runs.ts";

/**
 * Points of the first chunk: a short answer takes little memory, however many queries are under way
 * at once. Each chunk that gets full makes the next one twice as long.
 */
const FIRST_CHUNK_POINTS = 1024;

const NO_TIMES = new BigInt64Array(0);
const NO_VALUES = new Float64Array(0);

/** Sizes of chunks. */
interface ChunkSizes {
  /** Points of the first chunk. */
  readonly first: number;
  /** Most points of a chunk. */
  readonly most: number;
  /** True if a chunk is valid until the next one is taken, which has the same memory. */
  readonly isLent: boolean;
}

const GROWING: ChunkSizes = { first: FIRST_CHUNK_POINTS, most: CHUNK_POINTS, isLent: false };
const LENT: ChunkSizes = { first: FIRST_LENT_POINTS, most: LENT_POINTS, isLent: true };

/** Collects points into chunks. */
class ChunkBuilder {
  #times = NO_TIMES;
  #values = NO_VALUES;
  #used = 0;
  readonly #sizes: ChunkSizes;
  #limit: number;

  constructor(sizes: ChunkSizes) {
    this.#sizes = sizes;
    this.#limit = sizes.first;
  }

  /** Appends a run, if no chunk gets full by that. */
  add({ columns, from, to }: Run): boolean {
    const used = this.#used + to - from;
    if (used >= this.#limit) return false;
    this.#makeRoom(used);
    const isAll = to - from === columns.times.length;
    this.#times.set(isAll ? columns.times : columns.times.subarray(from, to), this.#used);
    this.#values.set(isAll ? columns.values : columns.values.subarray(from, to), this.#used);
    this.#used = used;
    return true;
  }

  /** Appends the points `[from, to)`; yields chunks that are full. */
  *push({ times, values }: RawColumns, from: number, to: number): Generator<RawColumns> {
    while (from < to) {
      const n = Math.min(to - from, this.#limit - this.#used);
      this.#makeRoom(this.#used + n);
      this.#times.set(times.subarray(from, from + n), this.#used);
      this.#values.set(values.subarray(from, from + n), this.#used);
      this.#used += n;
      from += n;
      if (this.#used < this.#limit) continue;
      yield this.take();
      this.#limit = Math.min(2 * this.#limit, this.#sizes.most);
    }
  }

  /** Has room for `points` points: just enough for the first ones, then for a whole chunk. */
  #makeRoom(points: number): void {
    if (points <= this.#times.length) return;
    const { first, most } = this.#sizes;
    const isFirst = this.#limit === first && first < most;
    const capacity = isFirst ? Math.min(first, points + this.#times.length) : this.#limit;
    const times = new BigInt64Array(capacity);
    const values = new Float64Array(capacity);
    if (this.#used > 0) {
      times.set(this.#times.subarray(0, this.#used));
      values.set(this.#values.subarray(0, this.#used));
    }
    this.#times = times;
    this.#values = values;
  }

  /** Takes the points collected so far. */
  take(): RawColumns {
    const n = this.#used;
    if (this.#sizes.isLent) {
      this.#used = 0;
      return { times: this.#times.subarray(0, n), values: this.#values.subarray(0, n) };
    }
    const isFull = n === this.#times.length;
    const chunk = {
      times: isFull ? this.#times : this.#times.slice(0, n),
      values: isFull ? this.#values : this.#values.slice(0, n),
    };
    this.#used = 0;
    this.#times = NO_TIMES;
    this.#values = NO_VALUES;
    return chunk;
  }

  get length(): number {
    return this.#used;
  }
}

/**
 * Points in `[start, end)` in order of time; at equal times those of the tree come first, then those
 * beside it in their order. Yields `undefined` where it may pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param beside Sorted points beside the tree.
 * @param chunk Points of every chunk; absent: chunks that grow; `"lent"`: such that are valid until the
 *   next one is taken.
 * @param place Place of an earlier walk through the same tree to `start`; set to the place of this
 *   one.
 */
export function* rawPoints(
  store: BlockStore,
  root: number,
  beside: readonly RawColumns[],
  start: bigint,
  end: bigint,
  chunk?: number | "lent",
  place: TreePlace = {},
): Generator<RawColumns | undefined> {
  const out = new ChunkBuilder(sizesOf(chunk));
  const leaves = Math.ceil((typeof chunk === "number" ? chunk : CHUNK_POINTS) / LEAF_POINTS);
  const room = new LeafRoom();
  for (const run of pointRuns(store, root, beside, { start, end, leaves, room, place })) {
    if (run === undefined) yield undefined;
    else if (!out.add(run)) yield* out.push(run.columns, run.from, run.to);
  }
  if (out.length > 0) yield out.take();
}

function sizesOf(chunk: number | "lent" | undefined): ChunkSizes {
  if (chunk === undefined) return GROWING;
  return chunk === "lent" ? LENT : { first: chunk, most: chunk, isLent: false };
}
