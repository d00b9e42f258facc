/**
 * Buffer of a stream's points that are not yet in the tree.
 *
 * @module
 */

import { concatRaw, type RawColumns, sliceRaw } from "../../core/columns.ts";
import { lowerBound } from "../../core/search.ts";
import { isSorted } from "../../kernel/find_bad_point.ts";
import { mergeTwoRuns } from "../../kernel/merge_two_runs.ts";
import { sortPoints } from "../../kernel/sort.ts";

/** Points from which on merging into those in order is quicker than sorting all anew. */
const WORTH_MERGING = 1_024;

/** Room for points and the journal rows that hold them; shared by successive buffers. */
interface Room {
  times: BigInt64Array;
  values: Float64Array;
  rows: number[];
}

/**
 * Points in the order of their arrival. A buffer never changes: appending makes a new one, which
 * shares the memory of the old one where there is room, so readers keep what they have seen.
 */
export class PointBuffer {
  /** A buffer without points. */
  static readonly EMPTY: PointBuffer = new PointBuffer(
    { times: new BigInt64Array(0), values: new Float64Array(0), rows: [] },
    0,
    0,
    0,
    true,
  );

  readonly #room: Room;
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
    room: Room,
    length: number,
    rows: number,
    sinceMs: number,
    ascending: boolean,
  ) {
    this.#room = room;
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
    return this.#room.rows.slice(0, this.#rows);
  }

  /** The points in the order of arrival; views that must not be written. */
  get arrived(): RawColumns {
    return sliceRaw(this.#room, 0, this.length);
  }

  /** The points in order of time, equal times in order of arrival; must not be written. */
  get sorted(): RawColumns {
    this.#sorted ??= this.#ascending ? this.arrived : this.#sortRest();
    this.#sortedBefore = undefined;
    return this.#sorted;
  }

  /** Sorts what came since the points were in order last. */
  #sortRest(): RawColumns {
    const before = this.#sortedBefore;
    if (before === undefined) return sortPoints(this.arrived);
    const rest = sortPoints(sliceRaw(this.#room, before.times.length, this.length));
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
    const room = this.#roomFor(length);
    room.times.set(points.times, this.length);
    room.values.set(points.values, this.length);
    room.rows.length = this.#rows;
    room.rows.push(row);
    const last = this.length === 0 ? points.times[0]! : room.times[this.length - 1]!;
    const ascending = this.#ascending && points.times[0]! >= last && isSorted(points.times);
    const since = this.length === 0 ? nowMs : this.sinceMs;
    const buffer = new PointBuffer(room, length, this.#rows + 1, since, ascending);
    if (!ascending && this.length >= WORTH_MERGING) {
      buffer.#sortedBefore = (this.#ascending ? this.arrived : this.#sorted) ?? this.#sortedBefore;
    }
    return buffer;
  }

  #roomFor(length: number): Room {
    if (length <= this.#room.times.length) return this.#room;
    // Columns of up to eight points are kept within the objects, in a third of the memory.
    const capacity = Math.max(length, 2 * this.#room.times.length);
    const room = {
      times: new BigInt64Array(capacity),
      values: new Float64Array(capacity),
      rows: this.#room.rows.slice(0, this.#rows),
    };
    room.times.set(this.arrived.times);
    room.values.set(this.arrived.values);
    return room;
  }
}
