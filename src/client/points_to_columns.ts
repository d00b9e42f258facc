/**
 * Converts the points of callers to columns.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import type { RawColumns } from "../core/columns.ts";
import { MAX_TIME, MIN_TIME } from "../core/range.ts";
import { formatTime, type TimeLike, toNanoseconds } from "../core/time.ts";
import { type BadPoint, inspectPoints } from "../kernel/find_bad_point.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

/** Points as pairs of time and value. */
export type PointPairs = Iterable<readonly [TimeLike, number]>;

/** Points as `insert` and `patch` take them: columns, pairs, or columns that arrive over time. */
export type Points = RawColumns | PointPairs | AsyncIterable<RawColumns>;

/** Last moment a point can have: servers refuse the two moments before `MAX_TIME`. */
const LAST_TIME = MAX_TIME - 2n;

/** Tells whether points arrive over time. */
export function isAsync(points: Points): points is AsyncIterable<RawColumns> {
  return typeof (points as Partial<AsyncIterable<RawColumns>>)?.[Symbol.asyncIterator] ===
    "function";
}

/**
 * Points as columns, checked.
 *
 * @param action Name of the call, for the error: `"insert"`.
 * @param points Columns or pairs.
 * @param batch Number of the batch if there are several, for the error.
 * @throws {TypeError} If they are not points, or the columns differ in length.
 * @throws {RangeError} If a value is not finite or a time out of range; the message names the
 * index.
 */
export function columnsOf(
  action: string,
  points: RawColumns | PointPairs,
  batch?: number,
): RawColumns {
  return orderedColumnsOf(action, points, batch).columns;
}

/** Points, and their order. */
export interface OrderedColumns {
  readonly columns: RawColumns;
  /** True if the times ascend. */
  readonly isSorted: boolean;
}

/** As {@linkcode columnsOf}; tells whether the times ascend, too. */
export function orderedColumnsOf(
  action: string,
  points: RawColumns | PointPairs,
  batch?: number,
): OrderedColumns {
  const where = batch === undefined ? "" : ` of batch ${batch}`;
  const columns = isColumns(points)
    ? checkedLengths(action, points, where)
    : fromPairs(action, points);
  const { bad, isSorted } = inspectPoints(columns, MIN_TIME, LAST_TIME + 1n);
  if (bad !== undefined) refuseBadPoint(action, columns, where, bad);
  return { columns, isSorted };
}

function isColumns(points: RawColumns | PointPairs): points is RawColumns {
  return typeof points === "object" && points !== null && "times" in points && "values" in points;
}

function checkedLengths(action: string, columns: RawColumns, where: string): RawColumns {
  const { times, values } = columns;
  if (!(times instanceof BigInt64Array)) {
    throw invalidType(
      `Cannot ${action}: times${where} is ${describe(times)}, expected a BigInt64Array`,
    );
  }
  if (!(values instanceof Float64Array)) {
    throw invalidType(
      `Cannot ${action}: values${where} is ${describe(values)}, expected a Float64Array`,
    );
  }
  if (times.length !== values.length) {
    throw invalidType(
      `Cannot ${action}: times${where} has ${times.length} elements and values ${values.length}, ` +
        `expected as many`,
    );
  }
  return columns;
}

function fromPairs(action: string, points: PointPairs): RawColumns {
  if (typeof points?.[Symbol.iterator] !== "function" || typeof points === "string") {
    throw invalidType(
      `Cannot ${action}: points is ${describe(points)}, expected columns { times, values }, an ` +
        `iterable of [time, value], or an async iterable of columns`,
    );
  }
  const times: bigint[] = [];
  const values: number[] = [];
  for (const pair of points) {
    if (!Array.isArray(pair) || pair.length < 2 || typeof pair[1] !== "number") {
      throw invalidType(
        `Cannot ${action}: point ${times.length} is not a pair [time, value] with a number as value`,
      );
    }
    values.push(pair[1]);
    const time: TimeLike = pair[0];
    const legal = typeof time === "bigint" && time >= MIN_TIME && time <= LAST_TIME;
    times.push(legal ? time : toNanoseconds(time, `time of point ${times.length}`));
  }
  return { times: BigInt64Array.from(times), values: Float64Array.from(values) };
}

function refuseBadPoint(
  action: string,
  columns: RawColumns,
  where: string,
  { index, reason }: BadPoint,
): never {
  if (reason !== "time") {
    throw outOfRange(
      `Cannot ${action}: value of point ${index}${where} is ${columns.values[index]}, expected a ` +
        `finite number`,
    );
  }
  const time = columns.times[index]!;
  throw outOfRange(
    `Cannot ${action}: time of point ${index}${where} is ${time} (${formatTime(time)}), ` +
      `expected ${formatTime(MIN_TIME)} to ${formatTime(LAST_TIME)}`,
  );
}
