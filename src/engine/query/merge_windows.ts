/**
 * Merges windows of the tree with those of the buffer, and adds the empty windows between.
 *
 * @module
 */

import { allocStat, type StatColumns } from "../../core/columns.ts";
import { CHUNK_WINDOWS } from "../constants.ts";
import { fillRegular, regularUntil } from "../../core/regular_times.ts";
import { gallop } from "../../core/search.ts";
import { copyStat, StatBuilder } from "../tree/stat_builder.ts";
import { Accumulator } from "../tree/stats.ts";
import type { Grid } from "../tree/windows.ts";

/** Adds window `i` of `columns` to an accumulator. */
function addWindow(window: Accumulator, columns: StatColumns, i: number): void {
  const count = Number(columns.count[i]!);
  const stddev = columns.stddev![i]!;
  window.add(count, columns.min[i]!, columns.mean[i]!, columns.max[i]!, stddev * stddev * count);
}

/**
 * Windows of the same grid from two ascending sources, those at the same time joined into one.
 *
 * @param tree Chunks of windows; `undefined` where it may pause.
 * @param buffer All windows of the buffer.
 */
export function* mergeWindows(
  tree: Iterable<StatColumns | undefined>,
  buffer: StatColumns,
): Generator<StatColumns | undefined> {
  let at = 0;
  const n = buffer.times.length;
  for (const chunk of tree) {
    if (chunk === undefined || at >= n || chunk.times.at(-1)! < buffer.times[at]!) {
      yield chunk;
      continue;
    }
    const out = new StatBuilder(chunk.times.length);
    const window = new Accumulator();
    const end = chunk.times.length;
    for (let i = 0; i < end;) {
      const later = gallop(buffer.times, chunk.times[i]!, at, n);
      out.copy(buffer, at, later);
      at = later;
      const next = at === n ? end : gallop(chunk.times, buffer.times[at]!, i, end);
      out.copy(chunk, i, next);
      i = next;
      if (i === end || chunk.times[i] !== buffer.times[at]) continue;
      window.reset();
      addWindow(window, buffer, at++);
      addWindow(window, chunk, i);
      out.push(chunk.times[i++]!, window);
    }
    yield out.take();
  }
  if (at === 0 && n > 0) yield buffer;
  else if (at < n) {
    yield {
      times: buffer.times.slice(at),
      min: buffer.min.slice(at),
      mean: buffer.mean.slice(at),
      max: buffer.max.slice(at),
      count: buffer.count.slice(at),
      stddev: buffer.stddev!.slice(at),
    };
  }
}

/** Chunks of a grid that are filled one after another, empty windows included. */
class Filling {
  readonly #grid: Grid;
  readonly #most: number;
  readonly total: bigint;
  /** Windows handed out in finished chunks. */
  #done = 0n;
  out: StatColumns | undefined;
  /** Index of the window in `out` that was filled last, or is next. */
  used = 0;

  constructor(grid: Grid, most: number) {
    this.#grid = grid;
    this.#most = most;
    this.total = (grid.end - grid.start) / grid.width;
  }

  /** Marks windows up to index `k` (exclusive) as there; yields full chunks, returns the next one. */
  *advanceTo(k: bigint): Generator<StatColumns, StatColumns> {
    const { start, width } = this.#grid;
    let out = this.out ??= allocStat(chunkLength(this.total, this.#most), true);
    while (k - this.#done >= BigInt(out.times.length) && out.times.length > 0) {
      fillRegular(out.times, start + this.#done * width, width);
      this.#done += BigInt(out.times.length);
      yield out;
      out = this.out = allocStat(chunkLength(this.total - this.#done, this.#most), true);
    }
    this.used = Number(k - this.#done);
    return out;
  }
}

/**
 * All windows of a grid: those without points are zero.
 *
 * @param sparse Chunks of windows that have points, ascending; `undefined` where it may pause.
 * @param most Windows of a chunk.
 */
export function* fillWindows(
  sparse: Iterable<StatColumns | undefined>,
  grid: Grid,
  most: number = CHUNK_WINDOWS,
): Generator<StatColumns | undefined> {
  const { start, width } = grid;
  // A generator function in here would be kept, with all it sees, until all garbage is collected.
  const filling = new Filling(grid, most);
  /** Start of the window after index `filling.used`, once there is one. */
  let next: bigint | undefined;
  for (const chunk of sparse) {
    if (chunk === undefined) {
      yield undefined;
      continue;
    }
    const n = chunk.times.length;
    // Usually no window is empty, and all are in one chunk.
    if (next === undefined && n <= most && BigInt(n) === filling.total) {
      yield chunk;
      return;
    }
    let regularEnd = 0;
    for (let i = 0; i < n;) {
      const time = chunk.times[i]!;
      let { out } = filling;
      if (out !== undefined && time === next && filling.used + 1 < out.times.length) filling.used++;
      else out = yield* filling.advanceTo((time - start) / width);
      // All that follow the one before, and that there is room for.
      if (i >= regularEnd) regularEnd = regularUntil(chunk.times, i, width);
      const some = Math.min(regularEnd - i, out.times.length - filling.used);
      copyStat(chunk, i, i += some, out, filling.used);
      filling.used += some - 1;
      next = time + BigInt(some) * width;
    }
  }
  yield* filling.advanceTo(filling.total);
}

function chunkLength(left: bigint, most: number): number {
  return left < BigInt(most) ? Number(left) : most;
}
