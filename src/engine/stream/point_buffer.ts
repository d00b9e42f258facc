/**
 * Buffer of a stream's points that are not yet in the tree.
 *
 * @module
 */

import { allocRaw, concatRaw, emptyRaw, type RawColumns, sliceRaw } from "../../core/columns.ts";
import { atOnce } from "../../core/pacer.ts";
import { lowerBound } from "../../core/search.ts";
import { BUFFER_POINTS } from "../constants.ts";
import { isSorted } from "../../kernel/find_bad_point.ts";
import { mergeTwoRuns } from "../../kernel/merge_two_runs.ts";
import { sortPointsInSteps } from "../../kernel/sort.ts";

/** Points from which on merging into those in order is quicker than sorting all anew. */
const WORTH_MERGING = 1_024;

/** Room for points and the journal rows that hold them; shared by successive buffers. */
interface Room {
  readonly times: BigInt64Array;
  readonly values: Float64Array;
  readonly rows: number[];
}

/** Most points that are kept as plain numbers, which take a third of the memory of columns. */
const FEW = 8;

/** A few points, of a buffer of their own: the halves of each time, and the value. */
interface FewPoints {
  readonly numbers: readonly number[];
  readonly rows: readonly number[];
}

/** Numbers of one of a few points. */
const NUMBERS = 3;

const timeBits = new BigInt64Array(1);
const timeHalves = new Int32Array(timeBits.buffer);

/** A few points more. */
function withPoints(before: readonly number[], { times, values }: RawColumns): number[] {
  const numbers = before.slice();
  for (let i = 0; i < times.length; i++) {
    timeBits[0] = times[i]!;
    numbers.push(timeHalves[0]!, timeHalves[1]!, values[i]!);
  }
  // What was reserved to go on with is given back.
  return numbers.slice();
}

/** Columns without points: most buffers that are read are empty. */
const NO_COLUMNS: RawColumns = emptyRaw();

/** Columns of a few points. */
function columnsOfFew({ numbers }: FewPoints): RawColumns {
  if (numbers.length === 0) return NO_COLUMNS;
  const n = numbers.length / NUMBERS;
  const room = allocRaw(n);
  for (let i = 0; i < n; i++) {
    timeHalves[0] = numbers[NUMBERS * i]!;
    timeHalves[1] = numbers[NUMBERS * i + 1]!;
    room.times[i] = timeBits[0]!;
    room.values[i] = numbers[NUMBERS * i + 2]!;
  }
  return room;
}

/** Part of the golden ratio behind the point: its multiples, without whole numbers, lie evenly. */
const GOLDEN = 0.618_033_988_749_895;

let latestGrowth = 0;

/** Factor by which a buffer grows, 1.5 to 2.5: those that fill together do not grow together. */
function growth(): number {
  latestGrowth = (latestGrowth + GOLDEN) % 1;
  return 1.5 + latestGrowth;
}

/**
 * Points in the order of their arrival. A buffer never changes: appending makes a new one, which
 * shares the memory of the old one where there is room, so readers keep what they have seen.
 */
export class PointBuffer {
  /** A buffer without points. */
  static readonly EMPTY: PointBuffer = new PointBuffer(
    { numbers: [], rows: [] },
    0,
    0,
    0,
    true,
  );

  readonly #store: Room | FewPoints;
  readonly #rows: number;
  readonly #ascending: boolean;
  #sorted: RawColumns | undefined;
  /** The first points in order of time, as an earlier buffer had them: the rest is merged into them. */
  #sortedBefore: RawColumns | undefined;
  /** Number of points. */
  readonly length: number;
  /** Time of arrival of the first point, ms since the Unix epoch. */
  readonly sinceMs: number;

  private constructor(
    store: Room | FewPoints,
    length: number,
    rows: number,
    sinceMs: number,
    ascending: boolean,
  ) {
    this.#store = store;
    this.#rows = rows;
    this.#ascending = ascending;
    this.length = length;
    this.sinceMs = sinceMs;
  }

  /** Number of journal rows that hold the points. */
  get rowCount(): number {
    return this.#rows;
  }

  /** The journal rows that hold the points. */
  get rows(): readonly number[] {
    return this.#store.rows.slice(0, this.#rows);
  }

  /**
   * The points in the order of arrival; views that must not be written. Those of a few points are made
   * anew each time: a read of ten thousand streams would leave them in memory.
   */
  get arrived(): RawColumns {
    const store = this.#store;
    return "times" in store ? sliceRaw(store, 0, this.length) : columnsOfFew(store);
  }

  /** The points in order of time, equal times in order of arrival; must not be written. */
  get sorted(): RawColumns {
    return this.#ascending ? this.arrived : atOnce(this.sortedInSteps());
  }

  /** As {@linkcode PointBuffer.sorted}, in steps. Yields where it may pause. */
  *sortedInSteps(): Generator<undefined, RawColumns> {
    if (this.#ascending) return this.arrived;
    if (!("times" in this.#store)) return yield* sortPointsInSteps(this.arrived);
    this.#sorted ??= yield* this.#sortRest();
    this.#sortedBefore = undefined;
    return this.#sorted;
  }

  /** Sorts what came since the points were in order last. */
  *#sortRest(): Generator<undefined, RawColumns> {
    const before = this.#sortedBefore;
    if (before === undefined) return yield* sortPointsInSteps(this.arrived);
    const rest = yield* sortPointsInSteps(
      sliceRaw(this.arrived, before.times.length, this.length),
    );
    yield;
    const from = lowerBound(before.times, rest.times[0]!);
    const end = mergeTwoRuns(sliceRaw(before, from, before.times.length), rest);
    return from === 0 ? end : concatRaw([sliceRaw(before, 0, from), end]);
  }

  /**
   * This buffer and more points. Of all buffers made from one, only the latest may be appended to.
   *
   * @param points Not empty.
   * @param row The journal row that holds them.
   * @param nowMs ms since the Unix epoch.
   */
  append(points: RawColumns, row: number, nowMs: number): PointBuffer {
    const n = points.times.length;
    const length = this.length + n;
    const store = this.#grown(points, length, row);
    const last = this.length === 0 ? points.times[0]! : this.#lastTime;
    const ascending = this.#ascending && points.times[0]! >= last && isSorted(points.times);
    const since = this.length === 0 ? nowMs : this.sinceMs;
    const buffer = new PointBuffer(store, length, this.#rows + 1, since, ascending);
    if (!ascending && this.length >= WORTH_MERGING) {
      buffer.#sortedBefore = (this.#ascending ? this.arrived : this.#sorted) ?? this.#sortedBefore;
    }
    return buffer;
  }

  /** Time of the last point that arrived. */
  get #lastTime(): bigint {
    const store = this.#store;
    if ("times" in store) return store.times[this.length - 1]!;
    timeHalves[0] = store.numbers.at(-NUMBERS)!;
    timeHalves[1] = store.numbers.at(1 - NUMBERS)!;
    return timeBits[0]!;
  }

  /** The points of this buffer and more, `length` together. */
  #grown(points: RawColumns, length: number, row: number): Room | FewPoints {
    const store = this.#store;
    if (length <= FEW && !("times" in store)) {
      return { numbers: withPoints(store.numbers, points), rows: [...store.rows, row] };
    }
    const room = this.#roomFor(length);
    room.times.set(points.times, this.length);
    room.values.set(points.values, this.length);
    room.rows.length = this.#rows;
    room.rows.push(row);
    return room;
  }

  #roomFor(length: number): Room {
    const store = this.#store;
    if ("times" in store && length <= store.times.length) return store;
    const { times, values } = "times" in store ? store : columnsOfFew(store);
    const wanted = Math.ceil(growth() * times.length);
    const capacity = Math.max(length, Math.min(wanted, BUFFER_POINTS));
    // Of one buffer: thousands of streams may have such room, and each buffer takes time when garbage is
    // looked for.
    const bytes = new ArrayBuffer(16 * capacity);
    const room = {
      times: new BigInt64Array(bytes, 0, capacity),
      values: new Float64Array(bytes, 8 * capacity),
      rows: store.rows.slice(0, this.#rows),
    };
    room.times.set(times.subarray(0, this.length));
    room.values.set(values.subarray(0, this.length));
    return room;
  }
}
