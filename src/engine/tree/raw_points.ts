/**
 * Raw points of the tree, merged with those beside it and in the buffer.
 *
 * @module
 */

import { type RawColumns, sliceRaw } from "../../core/columns.ts";
import { CHUNK_POINTS, LEAF_POINTS } from "../constants.ts";
import { INNER, type InnerNode, LEAF } from "./node.ts";
import { mergeRuns } from "./merge_runs.ts";
import { gallop, lowerBound } from "../../core/search.ts";
import { type BlockStore, LeafRoom } from "./block_store.ts";

/**
 * Points of the first chunk: a short answer takes little memory, however many queries are under way
 * at once. Each chunk that gets full makes the next one twice as long.
 */
const FIRST_CHUNK_POINTS = 1024;

const NO_TIMES = new BigInt64Array(0);
const NO_VALUES = new Float64Array(0);

/** Collects points into chunks. */
class ChunkBuilder {
  #times = NO_TIMES;
  #values = NO_VALUES;
  #used = 0;
  readonly #most: number;
  #limit: number;

  /** @param points Points of every chunk; absent: chunks that grow. */
  constructor(points: number | undefined) {
    this.#most = points ?? CHUNK_POINTS;
    this.#limit = points ?? FIRST_CHUNK_POINTS;
  }

  /** Appends a run, if no chunk gets full by that. */
  add({ columns, from, to }: Run): boolean {
    const used = this.#used + to - from;
    if (used >= this.#limit) return false;
    this.#makeRoom(used);
    this.#times.set(columns.times.subarray(from, to), this.#used);
    this.#values.set(columns.values.subarray(from, to), this.#used);
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
      this.#limit = Math.min(2 * this.#limit, this.#most);
    }
  }

  /** Has room for `points` points: just enough for the first ones, then for a whole chunk. */
  #makeRoom(points: number): void {
    if (points <= this.#times.length) return;
    const isFirst = this.#used === 0 && this.#limit === FIRST_CHUNK_POINTS;
    const capacity = isFirst ? points : this.#limit;
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

/** A run of points, `[from, to)` of some columns. */
interface Run {
  columns: RawColumns;
  from: number;
  to: number;
}

/**
 * Points in `[start, end)` in order of time; at equal times those of the tree come first, then those
 * beside it in their order. Yields `undefined` where it may pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param beside Sorted points beside the tree.
 * @param most Points of every chunk; absent: chunks that grow.
 * @param place Place of an earlier walk through the same tree to `start`; set to the place of this
 *   one.
 */
export function* rawPoints(
  store: BlockStore,
  root: number,
  beside: readonly RawColumns[],
  start: bigint,
  end: bigint,
  most?: number,
  place: TreePlace = {},
): Generator<RawColumns | undefined> {
  const out = new ChunkBuilder(most);
  const leaves = Math.ceil((most ?? CHUNK_POINTS) / LEAF_POINTS);
  const room = new LeafRoom();
  let runs: Iterable<Run | undefined> = root === 0
    ? []
    : runsFrom(store, root, { start, end, leaves, room, place });
  for (const points of beside) runs = withPoints(runs, points, start, end);
  for (const run of runs) {
    if (run === undefined) yield undefined;
    else if (!out.add(run)) yield* out.push(run.columns, run.from, run.to);
  }
  if (out.length > 0) yield out.take();
}

/** Runs in order of time, and the points of others in `[start, end)` where they belong. */
function* withPoints(
  runs: Iterable<Run | undefined>,
  points: RawColumns,
  start: bigint,
  end: bigint,
): Generator<Run | undefined> {
  const { times } = points;
  let at = lowerBound(times, start);
  const last = lowerBound(times, end, at);
  for (const run of runs) {
    if (run === undefined || at === last) {
      yield run;
      continue;
    }
    const { columns, from, to } = run;
    const ahead = lowerBound(times, columns.times[from]!, at, last);
    if (ahead > at) yield { columns: points, from: at, to: ahead };
    at = lowerBound(times, columns.times[to - 1]!, ahead, last);
    if ((at - ahead) * FEW > to - from) {
      const merged = mergeRuns(sliceRaw(columns, from, to), sliceRaw(points, ahead, at));
      yield { columns: merged, from: 0, to: merged.times.length };
    } else yield* interleave(run, { columns: points, from: ahead, to: at });
  }
  if (at < last) yield { columns: points, from: at, to: last };
}

/** Points among which another one is few enough to be put there by itself. */
const FEW = 8;

/** The pieces of two runs in order of time; at equal times those of `a` come first. */
function* interleave(a: Run, b: Run): Generator<Run> {
  let { from } = a;
  for (let at = b.from, next: number; at < b.to; at = next) {
    const ahead = gallop(a.columns.times, b.columns.times[at]! + 1n, from, a.to);
    if (ahead > from) yield { columns: a.columns, from, to: ahead };
    from = ahead;
    next = from === a.to ? b.to : gallop(b.columns.times, a.columns.times[from]!, at, b.to);
    yield { columns: b.columns, from: at, to: next };
  }
  if (from < a.to) yield { columns: a.columns, from, to: a.to };
}

/** The place of a walk through a tree. */
export interface TreePlace {
  /** The node above the leaf that was read last. */
  parent?: InnerNode;
}

/** A walk over leaves. */
interface Walk {
  readonly start: bigint;
  readonly end: bigint;
  /** Leaves that are read at once. */
  readonly leaves: number;
  /** Memory into which they are decoded. */
  readonly room: LeafRoom;
  readonly place: TreePlace;
}

/** The runs of a tree, the leaves around the place where a walk was before without a descent. */
function* runsFrom(store: BlockStore, root: number, walk: Walk): Generator<Run | undefined> {
  const { parent } = walk.place;
  let { start } = walk;
  if (parent !== undefined && parent.start <= start && start < parent.end) {
    yield* leafRuns(store, parent, walk);
    start = parent.end;
  }
  if (start < walk.end) yield* leafRuns(store, store.readRoot(root), { ...walk, start });
}

/** The runs of the leaves below an inner node; each is valid until the next one is taken. */
function* leafRuns(store: BlockStore, node: InnerNode, walk: Walk): Generator<Run | undefined> {
  const { start, end } = walk;
  const first = node.clampBucket(start);
  const last = node.clampBucket(end - 1n);
  let b = first;
  while (b <= last) {
    const kind = node.kinds[b]!;
    if (kind === LEAF) {
      walk.place.parent = node;
      for (const columns of store.readLeaves(node, b, last, walk.leaves, walk.room)) {
        const inner = b > first && b < last;
        const from = inner ? 0 : lowerBound(columns.times, start);
        const to = inner ? columns.times.length : lowerBound(columns.times, end, from);
        if (from < to) yield { columns, from, to };
        b++;
      }
      yield undefined;
      continue;
    }
    if (kind === INNER) {
      yield* leafRuns(store, store.readInner(node, b), walk);
    }
    b++;
  }
}
