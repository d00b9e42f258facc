/**
 * Points to windows, in one go.
 *
 * @module
 */

import { allocStat, concatStat, type RawColumns, type StatColumns } from "../core/columns.ts";
import { checkObject } from "../core/check_object.ts";
import { checkInteger, checkRange, checkTime, checkTimes } from "./arguments.ts";
import { countWindows, Rewindower, type RewindowOptions } from "./rewindower.ts";
import { outOfRange } from "../core/argument_error.ts";

/** Dense windows in one go: more would not fit into memory. */
const MAX_DENSE = 1n << 26n;

/** Options of aligned windows. */
export interface AlignedRewindowOptions {
  /** Windows are 2^pointwidth ns wide and begin at multiples of that; 0 to 63. */
  pointwidth: number;
  /** Rounded down to a window's start. @default {the first point} */
  start?: bigint | undefined;
  /** Exclusive, rounded down to a window's start. @default {the end of the last point's window} */
  end?: bigint | undefined;
  /**
   * `"sparse"` leaves out windows without points, `"dense"` has every window. @default {"sparse"}
   */
  mode?: "sparse" | "dense" | undefined;
  /** True to compute `stddev`; from windows this needs theirs. @default {false} */
  stddev?: boolean | undefined;
}

/**
 * Windows of any width and start of points that are in order of time. Counts, smallest and largest
 * values are exact; means and standard deviations (of the population) are sums of distances from a
 * value nearby and so accurate also where values are large and differ little. Points outside
 * `[start, end)` do not count. NaN and infinities, which BTrDB does not store, make mean and stddev
 * NaN; min and max pass NaN over.
 *
 * Windows may be given in place of points: they belong where they start, their counts add up, their
 * means are weighted, their deviations merged.
 *
 * @param columns Raw points or windows, times ascending.
 * @param options Windows to make, with or without `stddev` and empty windows.
 * @returns The windows, `n` rows; min, mean, max and stddev are 0 where count is 0.
 * @throws {TypeError} If an argument is of the wrong type, or a column detached.
 * @throws {RangeError} If `width` is not within 1 to 2^63, `start` is after `end`, times are not
 * ascending, columns differ in length, or there are more than 2^26 dense windows.
 *
 * @example Ten samples to two windows, then to one
 * ```ts
 * import { rewindow } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const times = BigInt64Array.from({ length: 10 }, (_, i) => BigInt(i));
 * const values = Float64Array.from({ length: 10 }, (_, i) => i);
 * const five = rewindow({ times, values }, { start: 0n, end: 10n, width: 5n, stddev: true });
 * assertEquals([...five.mean], [2, 7]);
 * assertEquals(five.stddev?.[0], Math.SQRT2);
 * const ten = rewindow(five, { start: 0n, end: 10n, width: 10n });
 * assertEquals([ten.min[0], ten.mean[0], ten.max[0], ten.count[0]], [0, 4.5, 9, 10n]);
 * ```
 */
export function rewindow(
  columns: RawColumns | StatColumns,
  options: RewindowOptions,
): StatColumns {
  const windows = new Rewindower(options);
  const count = countWindows(options);
  if (options.mode === "dense" && count > MAX_DENSE) {
    throw outOfRange(
      `Cannot compute windows: there are ${count} from start to end, expected at most ` +
        `${MAX_DENSE} in one go; a Rewindower gives them batch by batch`,
    );
  }
  const batches = [...windows.batches(columns), ...windows.rest()];
  return batches.length === 0 ? allocStat(0, options.stddev) : concatStat(batches);
}

/**
 * Windows of 2^pointwidth ns that begin at multiples of their width, as BTrDB's own, of points that
 * are in order of time. See {@linkcode rewindow} for what they hold.
 *
 * @param columns Raw points or windows, times ascending.
 * @param options Windows to make, with or without `stddev` and empty windows.
 * @returns The windows, `n` rows.
 * @throws {TypeError} If an argument is of the wrong type, or a column detached.
 * @throws {RangeError} If `pointwidth` is not within 0 to 63, `start` is after `end`, times are not
 * ascending, columns differ in length, or there are more than 2^26 dense windows.
 *
 * @example Windows of 8 ns
 * ```ts
 * import { alignedRewindow } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const times = BigInt64Array.of(-1n, 0n, 7n, 8n);
 * const values = Float64Array.of(1, 2, 4, 5);
 * const windows = alignedRewindow({ times, values }, { pointwidth: 3 });
 * assertEquals([...windows.times], [-8n, 0n, 8n]);
 * assertEquals([...windows.mean], [1, 3, 5]);
 * ```
 */
export function alignedRewindow(
  columns: RawColumns | StatColumns,
  options: AlignedRewindowOptions,
): StatColumns {
  checkObject("compute windows", "options", options);
  const { pointwidth, mode, stddev } = options;
  checkInteger("compute windows", "pointwidth", pointwidth, 0, 63);
  checkObject("compute windows", "columns", columns);
  checkTimes("compute windows", columns.times);
  const { times } = columns;
  if (options.start !== undefined && options.end !== undefined) {
    checkRange("compute windows", options.start, options.end);
  } else if (options.start !== undefined) checkTime("compute windows", "start", options.start);
  else if (options.end !== undefined) checkTime("compute windows", "end", options.end);
  const bits = BigInt(pointwidth);
  const width = 1n << bits;
  const down = (time: bigint) => (time >> bits) << bits;
  const last = times.at(-1);
  const start = down(options.start ?? times[0] ?? options.end ?? 0n);
  const end = down(options.end ?? (last === undefined ? start : last + width));
  return rewindow(columns, { start, end: end < start ? start : end, width, mode, stddev });
}
