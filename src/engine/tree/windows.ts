/**
 * Windows from tree statistics. A bucket that lies within one window adds its statistics and is not
 * opened, so the cost depends on the number of windows, not on the number of points below them.
 *
 * @module
 */

import { concatStat, emptyRaw, type RawColumns, sliceStat } from "../../core/columns.ts";
import type { StatColumns } from "../../core/columns.ts";
import { CHUNK_WINDOWS, FANOUT, LEAF_POINTS } from "../constants.ts";
import { ABSENT, INNER, type InnerNode, LEAF } from "./node.ts";
import { RUN_LEAVES } from "./node_cache.ts";
import { gallop, lowerBound } from "../../core/search.ts";
import { WindowRuns } from "../../kernel/window_runs.ts";
import { statsOf } from "./point_stats.ts";
import { StatBuilder } from "./stat_builder.ts";
import { Accumulator } from "./stats.ts";
import { type BlockStore, LeafRoom } from "./block_store.ts";

/** The windows `[start + k·width, start + (k+1)·width)` up to `end`, a whole number of them. */
export interface Grid {
  start: bigint;
  end: bigint;
  width: bigint;
}

/** Points of leaves in memory whose runs are reduced together, about. */
const BATCH_POINTS = 16_384;

/** Memory for runs of points; it is empty whenever other work may run. */
const RUNS = new WindowRuns();

const NO_POINTS = emptyRaw();

/** Most windows for which memory is taken before they come. */
const MAX_ROOM = 1024;

/** Windows for which memory is taken at first: all of a short grid, of which usually none is empty. */
function roomFor({ start, end, width }: Grid): number {
  const windows = (end - start) / width;
  return windows < MAX_ROOM ? Number(windows) : MAX_ROOM;
}

/** Gathers what falls into the windows of a grid, in ascending order of time. */
class WindowSink {
  readonly out: StatBuilder;
  /** Memory into which leaves are decoded that nobody remembers. */
  readonly room = new LeafRoom();
  readonly #grid: Grid;
  readonly #window: Accumulator;
  /** Points that are added to each window after everything else, and those of them still to come. */
  readonly #late: RawColumns;
  #at: number;
  readonly #to: number;
  /** The window under way. */
  #start: bigint;
  #end: bigint;

  constructor(grid: Grid, window: Accumulator, late: RawColumns = NO_POINTS) {
    this.out = new StatBuilder(roomFor(grid));
    this.#grid = grid;
    this.#window = window;
    this.#late = late;
    this.#at = lowerBound(late.times, grid.start);
    this.#to = lowerBound(late.times, grid.end, this.#at);
    this.#start = grid.start;
    this.#end = grid.start + grid.width;
  }

  /** Tells whether `[start, end)` lies within one window of the grid; moves on to that window. */
  holds(start: bigint, end: bigint): boolean {
    if (start < this.#grid.start || end > this.#grid.end) return false;
    this.settle();
    this.#moveTo(start);
    return end <= this.#end;
  }

  /** Adds one bucket of an inner node to the window under way. */
  addBucket(node: InnerNode, b: number): void {
    this.#window.add(
      node.counts[b]!,
      node.mins[b]!,
      node.means[b]!,
      node.maxs[b]!,
      node.m2s[b]!,
    );
  }

  /** Adds the points that lie in the grid; they may change afterwards. */
  addPoints(points: RawColumns): void {
    this.addKept(points);
    this.settle();
  }

  /**
   * As {@linkcode addPoints}, of points that stay as they are, together with those that follow. Call
   * {@linkcode settle} before other work may run.
   */
  addKept(points: RawColumns): void {
    const { times } = points;
    const { start, end, width } = this.#grid;
    const n = times.length;
    if (n === 0) return;
    let at = times[0]! >= start ? 0 : lowerBound(times, start);
    const to = times[n - 1]! < end ? n : lowerBound(times, end, at);
    while (at < to) {
      at = RUNS.find(points, at, to, this.#start, width);
      if (RUNS.points >= BATCH_POINTS) this.settle();
    }
  }

  /** Most windows that are there or follow from the points that were added. */
  get windows(): number {
    return this.out.length + RUNS.found;
  }

  /** Brings all points that were added into their windows. */
  settle(): void {
    if (RUNS.found === 0) return;
    const window = this.#window;
    const n = RUNS.reduce(window.total, window.nothing);
    for (let run = 0; run < n;) {
      const end = this.#at < this.#to ? run : RUNS.aloneUntil(run);
      if (end === run) {
        this.#moveTo(RUNS.start(run));
        window.addRun(RUNS, run++);
      } else {
        this.#close();
        this.out.pushRuns(RUNS, run, end);
        run = end;
      }
    }
  }

  /** Closes the window under way, and those after it that have nothing but late points. */
  finish(): void {
    this.settle();
    this.#close();
    for (let time = this.#nextLate; time !== undefined; time = this.#nextLate) {
      this.#begin(time);
      this.#close();
    }
  }

  /** Time of the next late point; `undefined` if there is none. */
  get #nextLate(): bigint | undefined {
    return this.#at < this.#to ? this.#late.times[this.#at] : undefined;
  }

  #close(): void {
    if (this.#at < this.#to) {
      const next = gallop(this.#late.times, this.#end, this.#at, this.#to);
      if (next > this.#at) statsOf(this.#late).add(this.#window, this.#at, next);
      this.#at = next;
    }
    if (this.#window.count === 0) return;
    this.out.push(this.#start, this.#window);
    this.#window.reset();
  }

  #begin(time: bigint): void {
    const { start, width } = this.#grid;
    if (time >= this.#end && time - this.#end < width) {
      this.#start = this.#end;
      this.#end += width;
      return;
    }
    this.#start = time - (time - start) % width;
    this.#end = this.#start + width;
  }

  #moveTo(time: bigint): void {
    if (time < this.#end) return;
    this.#close();
    for (let late = this.#nextLate; late !== undefined && late < time; late = this.#nextLate) {
      this.#begin(late);
      if (time < this.#end) return;
      this.#close();
    }
    this.#begin(time);
  }
}

/**
 * The windows of a grid that have points in the tree or beside it, ascending. Yields `undefined`
 * where it may pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param late Points beside the tree, in order of time.
 * @param most Windows of a chunk, to which one leaf's may come.
 */
export function* treeWindows(
  store: BlockStore,
  root: number,
  late: RawColumns,
  grid: Grid,
  most: number = CHUNK_WINDOWS,
): Generator<StatColumns | undefined> {
  const sink = new WindowSink(grid, new Accumulator(), late);
  if (root !== 0) yield* innerWindows(store, store.readRoot(root), grid, sink, most);
  sink.finish();
  yield* takeFrom(sink, most);
}

/** The windows of a sink, more than a chunk where there are many late points. */
function* takeFrom(sink: WindowSink, most: number): Generator<StatColumns> {
  if (sink.out.length === 0) return;
  const windows = sink.out.take();
  const n = windows.times.length;
  if (n <= most + LEAF_POINTS) yield windows;
  else for (let at = 0; at < n; at += most) yield concatStat([sliceStat(windows, at, at + most)]);
}

function* innerWindows(
  store: BlockStore,
  node: InnerNode,
  grid: Grid,
  sink: WindowSink,
  most: number,
): Generator<StatColumns | undefined> {
  yield undefined;
  const first = node.clampBucket(grid.start);
  const last = node.clampBucket(grid.end - 1n);
  let start = node.bucketStart(first);
  const width = 1n << BigInt(node.pointwidth);
  if (grid.width < width) {
    yield* narrowWindows(store, node, grid, sink, most);
    return;
  }
  for (let b = first; b <= last && b < FANOUT; b++, start += width) {
    const kind = node.kinds[b]!;
    if (kind === ABSENT) continue;
    if (sink.holds(start, start + width)) {
      sink.addBucket(node, b);
    } else if (kind === INNER) {
      yield* innerWindows(store, store.readInner(node, b), grid, sink, most);
    } else {
      sink.addPoints(store.readLeaf(node, b));
      yield undefined;
    }
    if (sink.out.length >= most) yield* takeFrom(sink, most);
  }
}

/** As {@linkcode innerWindows} below a node whose buckets are wider than windows: each is opened. */
function* narrowWindows(
  store: BlockStore,
  node: InnerNode,
  grid: Grid,
  sink: WindowSink,
  most: number,
): Generator<StatColumns | undefined> {
  const last = node.clampBucket(grid.end - 1n);
  const needed = Number((BigInt(most) * grid.width) >> BigInt(node.pointwidth)) + 1;
  const leaves = Math.min(RUN_LEAVES, needed);
  let b = node.clampBucket(grid.start);
  while (b <= last) {
    const kind = node.kinds[b]!;
    if (kind === LEAF) {
      const cached = store.cachedLeaf(node, b);
      if (cached !== undefined) {
        sink.addKept(cached);
        b++;
        if (sink.windows >= most) sink.settle();
        if (sink.out.length >= most) yield* takeFrom(sink, most);
        if (b % PAUSE_LEAVES === 0) {
          sink.settle();
          yield undefined;
        }
        continue;
      }
      // What is damaged ends this without leaving anything to others.
      sink.settle();
      for (const points of store.readLeaves(node, b, last, leaves, sink.room)) {
        sink.addPoints(points);
        b++;
        if (sink.out.length >= most) yield* takeFrom(sink, most);
      }
      if (b % PAUSE_LEAVES === 0) yield undefined;
      continue;
    }
    sink.settle();
    if (kind === INNER) yield* innerWindows(store, store.readInner(node, b), grid, sink, most);
    b++;
  }
  sink.settle();
}

/** Leaves in memory after which work may pause. */
const PAUSE_LEAVES = 32;

/** The windows of a grid that have any of the given sorted points, which are of the buffer. */
export function pointWindows(points: RawColumns, grid: Grid): StatColumns {
  const sink = new WindowSink(grid, new Accumulator(-0));
  sink.addPoints(points);
  sink.finish();
  return sink.out.take();
}
