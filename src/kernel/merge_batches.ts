/**
 * The merge of streams that arrive batch by batch.
 *
 * @module
 */

import {
  concatRaw,
  concatStat,
  type RawColumns,
  sliceRaw,
  sliceStat,
  type StatColumns,
} from "../core/columns.ts";
import { isRaw } from "./arguments.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { giveWay, inSlices } from "../core/pacer.ts";
import { lowerBound } from "../core/search.ts";
import { mergeFirstRows } from "./merge_times.ts";

/** Streams that are asked at a time. */
const CONCURRENCY = 64;

/** Cells of a batch unless told otherwise, streams times rows: 12 MiB of indices and values. */
const BATCH_CELLS = 1 << 20;

/** Rows of several streams, with the points they refer to. */
export interface MergedBatch<C> {
  /** Time of each row, ns since the Unix epoch, UTC. */
  times: BigInt64Array;
  /** `rows[s][r]` is the index in `parts[s]` of stream `s`'s point in row `r`, or −1. */
  rows: Int32Array[];
  /** The points of each stream that are in these rows. */
  parts: C[];
}

/** One stream on its way. */
class PendingStream<C extends RawColumns | StatColumns> {
  readonly #batches: AsyncIterator<C>;
  #held: C | undefined;
  #ended = false;

  constructor(batches: AsyncIterator<C>) {
    this.#batches = batches;
  }

  /** The time before which nothing more can come; undefined at the end. */
  get bound(): bigint | undefined {
    return this.#ended ? undefined : this.#held?.times.at(-1);
  }

  /** Tells whether rows cannot go on without its next batch. */
  isShort(bound: bigint): boolean {
    return !this.#ended && (this.#held === undefined || this.bound === bound);
  }

  /** Gets the next batch that has points. */
  async pull(): Promise<void> {
    while (!this.#ended) {
      const pause = giveWay();
      if (pause !== undefined) await pause;
      const { value, done } = await this.#batches.next();
      if (done === true) this.#ended = true;
      else if (value.times.length > 0) {
        this.#held = this.#held === undefined ? value : concat(this.#held, value);
        return;
      }
    }
  }

  /** Takes the points before a time, or all of them. */
  take(bound: bigint | undefined): C | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    const { times } = held;
    const n = bound === undefined ? times.length : lowerBound(times, bound);
    this.#held = rest(held, n);
    return slice(held, 0, n);
  }

  close(): Promise<unknown> | undefined {
    return this.#ended ? undefined : this.#batches.return?.();
  }
}

/**
 * Merges streams by time as `mergeTimes` does, while they arrive: memory holds a batch or two of
 * each, and the rows of a batch.
 *
 * @param sources Batches of each stream, in order of time; they are closed at the end.
 * @param cells Cells of a batch, streams times rows; it has at least one row.
 * @returns Batches of rows, none of them empty.
 */
export async function* mergeBatches<C extends RawColumns | StatColumns>(
  sources: readonly AsyncIterator<C>[],
  cells: number = BATCH_CELLS,
): AsyncGenerator<MergedBatch<C | undefined>, void, void> {
  const all = await mapInSteps(sources, (source) => new PendingStream(source));
  const most = Math.max(1, Math.floor(cells / all.length));
  try {
    await mapConcurrently(all, CONCURRENCY, (source) => source.pull());
    for (;;) {
      const bound = earliest(all.map((source) => source.bound));
      // A stream alone waits for nobody.
      const taken = all.length === 1 ? undefined : bound;
      const parts = await mapInSteps(all, (source) => source.take(taken));
      yield* mergeParts(parts, most);
      if (bound === undefined) return;
      const short = all.filter((source) => source.isShort(bound));
      await mapConcurrently(short, CONCURRENCY, (source) => source.pull());
    }
  } finally {
    await Promise.all(all.map((source) => source.close()));
  }
}

/** Rows of points that are all here, in batches. */
async function* mergeParts<C extends RawColumns | StatColumns>(
  parts: (C | undefined)[],
  most: number,
): AsyncGenerator<MergedBatch<C | undefined>, void, void> {
  for (;;) {
    const all = parts.map((part) => part?.times ?? NO_TIMES);
    const { times, rows, used } = await inSlices(mergeFirstRows(all, most));
    if (times.length === 0) return;
    const isAll = parts.every((part, s) => part === undefined || used[s] === part.times.length);
    if (isAll) return yield { times, rows, parts };
    const first = await mapInSteps(parts, (part, s) => part && slice(part, 0, used[s]!));
    yield { times, rows, parts: first };
    parts = await mapInSteps(parts, (part, s) => part && rest(part, used[s]!));
  }
}

/** As `map`, with pauses between hundreds of streams. */
async function mapInSteps<T, R>(items: readonly T[], map: (item: T, i: number) => R): Promise<R[]> {
  const mapped: R[] = [];
  for (let i = 0; i < items.length; i++) {
    mapped.push(map(items[i]!, i));
    if (i % 256 === 255) await giveWay();
  }
  await giveWay();
  return mapped;
}

const NO_TIMES = new BigInt64Array(0);

function earliest(times: readonly (bigint | undefined)[]): bigint | undefined {
  let least: bigint | undefined;
  for (const time of times) {
    if (time !== undefined && (least === undefined || time < least)) least = time;
  }
  return least;
}

/** The points from an index on, if there are any. */
function rest<C extends RawColumns | StatColumns>(columns: C, from: number): C | undefined {
  const { length } = columns.times;
  return from === length ? undefined : slice(columns, from, length);
}

function slice<C extends RawColumns | StatColumns>(columns: C, from: number, to: number): C {
  if (from === 0 && to === columns.times.length) return columns;
  return (isRaw(columns) ? sliceRaw(columns, from, to) : sliceStat(columns, from, to)) as C;
}

function concat<C extends RawColumns | StatColumns>(a: C, b: C): C {
  if (isRaw(a)) return concatRaw([a, b as RawColumns]) as C;
  return concatStat([a as StatColumns, b as StatColumns]) as C;
}
