/**
 * Windows from tree statistics. A bucket that lies within one window adds its statistics and is not
 * opened, so the cost depends on the number of windows, not on the number of points below them.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../../core/columns.ts";
import { CHUNK_WINDOWS, FANOUT } from "../constants.ts";
import { ABSENT, INNER, type InnerNode } from "./node.ts";
import { gallop, lowerBound } from "../../core/search.ts";
import { StatBuilder } from "./stat_builder.ts";
import { Accumulator } from "./stats.ts";
import type { BlockStore } from "./block_store.ts";

/** The windows `[start + k·width, start + (k+1)·width)` up to `end`, a whole number of them. */
export interface Grid {
  start: bigint;
  end: bigint;
  width: bigint;
}

/** Gathers what falls into the windows of a grid, in ascending order of time. */
class WindowSink {
  readonly out = new StatBuilder();
  readonly #grid: Grid;
  readonly #window: Accumulator;
  /** The window under way. */
  #start: bigint;
  #end: bigint;

  constructor(grid: Grid, window: Accumulator) {
    this.#grid = grid;
    this.#window = window;
    this.#start = grid.start;
    this.#end = grid.start + grid.width;
  }

  /** Tells whether `[start, end)` lies within one window of the grid; moves on to that window. */
  holds(start: bigint, end: bigint): boolean {
    if (start < this.#grid.start || end > this.#grid.end) return false;
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

  /** Adds the points that lie in the grid. */
  addPoints({ times, values }: RawColumns): void {
    let at = lowerBound(times, this.#grid.start);
    const to = lowerBound(times, this.#grid.end, at);
    while (at < to) {
      this.#moveTo(times[at]!);
      const next = gallop(times, this.#end, at, to);
      this.#window.addValues(values, at, next);
      at = next;
    }
  }

  /** Closes the window under way. */
  finish(): void {
    if (this.#window.count === 0) return;
    this.out.push(this.#start, this.#window);
    this.#window.reset();
  }

  #moveTo(time: bigint): void {
    if (time < this.#end) return;
    this.finish();
    const { start, width } = this.#grid;
    this.#start = time - (time - start) % width;
    this.#end = this.#start + width;
  }
}

/**
 * The windows of a grid that have points in the tree, ascending. Yields `undefined` where it may
 * pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param most Windows of a chunk, to which one leaf's may come.
 */
export function* treeWindows(
  store: BlockStore,
  root: number,
  grid: Grid,
  most: number = CHUNK_WINDOWS,
): Generator<StatColumns | undefined> {
  const sink = new WindowSink(grid, new Accumulator());
  if (root !== 0) yield* innerWindows(store, store.readRoot(root), grid, sink, most);
  sink.finish();
  if (sink.out.length > 0) yield sink.out.take();
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
    if (sink.out.length >= most) yield sink.out.take();
  }
}

/** The windows of a grid that have any of the given sorted points, which are of the buffer. */
export function pointWindows(points: RawColumns, grid: Grid): StatColumns {
  const sink = new WindowSink(grid, new Accumulator(-0));
  sink.addPoints(points);
  sink.finish();
  return sink.out.take();
}
