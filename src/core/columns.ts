/**
 * Columns: how points travel through this package. One typed array per field, all of the same
 * length, element `i` of each belonging to point `i`. Times are ns since the Unix epoch, UTC.
 *
 * @module
 */

/** Raw points as columns, both of length `n`. */
export interface RawColumns {
  /** Times, ns since the Unix epoch, UTC. */
  times: BigInt64Array;
  /** Values, in the unit of the stream. */
  values: Float64Array;
}

/** Statistics of windows as columns, all of length `n`. */
export interface StatColumns {
  /** Start of each window, ns since the Unix epoch, UTC. */
  times: BigInt64Array;
  /** Smallest value in the window; 0 where `count` is 0. */
  min: Float64Array;
  /** Arithmetic mean of the values in the window; 0 where `count` is 0. */
  mean: Float64Array;
  /** Largest value in the window; 0 where `count` is 0. */
  max: Float64Array;
  /** Number of points in the window. */
  count: BigUint64Array;
  /** Population standard deviation; only where the source provides it. */
  stddev?: Float64Array;
}

/** One raw point. */
export interface RawPoint {
  /** ns since the Unix epoch, UTC. */
  time: bigint;
  /** Value, in the unit of the stream. */
  value: number;
}

/** The statistics of one window. */
export interface StatPoint {
  /** Start of the window, ns since the Unix epoch, UTC. */
  time: bigint;
  /** Smallest value; 0 when `count` is 0. */
  min: number;
  /** Arithmetic mean; 0 when `count` is 0. */
  mean: number;
  /** Largest value; 0 when `count` is 0. */
  max: number;
  /** Number of points. */
  count: bigint;
  /** Population standard deviation, where the source provides it. */
  stddev?: number;
}

/** The window at an index of columns. */
export function statPointAt(columns: StatColumns, i: number): StatPoint {
  const { times, min, mean, max, count, stddev } = columns;
  const point: StatPoint = {
    time: times[i]!,
    min: min[i]!,
    mean: mean[i]!,
    max: max[i]!,
    count: count[i]!,
  };
  if (stddev !== undefined) point.stddev = stddev[i]!;
  return point;
}

/** Raw columns of `n` points, all zero. */
export function allocRaw(n: number): RawColumns {
  return { times: new BigInt64Array(n), values: new Float64Array(n) };
}

/** Raw columns without a point. */
export function emptyRaw(): RawColumns {
  return allocRaw(0);
}

/** Points of the memory that short columns share, and of the longest of them. */
const SHARED_POINTS = 2_048, SHORT = 512;
let shared = allocRaw(0), used = SHARED_POINTS;

/**
 * Raw columns of `n` points, all zero, which do not leave this package: short ones share memory, one behind
 * the other. V8 takes a microsecond or two to make a buffer, and looks at each when it looks for garbage.
 */
export function sharedRaw(n: number): RawColumns {
  if (n > SHORT) return allocRaw(n);
  if (used + n > SHARED_POINTS) {
    shared = allocRaw(SHARED_POINTS);
    used = 0;
  }
  return sliceRaw(shared, used, used += n);
}

/** Stat columns without a window. */
export function emptyStat(): StatColumns {
  return allocStat(0);
}

/**
 * Stat columns of length `n`, all zero.
 *
 * @param n Number of windows.
 * @param withStddev True to allocate the `stddev` column.
 */
export function allocStat(n: number, withStddev = false): StatColumns {
  const columns: StatColumns = {
    times: new BigInt64Array(n),
    min: new Float64Array(n),
    mean: new Float64Array(n),
    max: new Float64Array(n),
    count: new BigUint64Array(n),
  };
  if (withStddev) columns.stddev = new Float64Array(n);
  return columns;
}

/** A copy of points, to use within this package as those of {@linkcode sharedRaw}. */
export function copyRaw({ times, values }: RawColumns): RawColumns {
  const copy = sharedRaw(times.length);
  copy.times.set(times);
  copy.values.set(values);
  return copy;
}

/** Views (no copy) of the points `[from, to)` of `columns`, as far as there are any. */
export function sliceRaw(columns: RawColumns, from: number, to: number): RawColumns {
  return { times: columns.times.subarray(from, to), values: columns.values.subarray(from, to) };
}

/** Views (no copy) of the windows `[from, to)` of `columns`. */
export function sliceStat(columns: StatColumns, from: number, to: number): StatColumns {
  const slice: StatColumns = {
    times: columns.times.subarray(from, to),
    min: columns.min.subarray(from, to),
    mean: columns.mean.subarray(from, to),
    max: columns.max.subarray(from, to),
    count: columns.count.subarray(from, to),
  };
  if (columns.stddev !== undefined) slice.stddev = columns.stddev.subarray(from, to);
  return slice;
}

/** All batches one after another, in columns of their own. */
export function concatRaw(batches: readonly RawColumns[]): RawColumns {
  const n = batches.reduce((sum, batch) => sum + batch.times.length, 0);
  const out = allocRaw(n);
  let at = 0;
  for (const batch of batches) {
    out.times.set(batch.times, at);
    out.values.set(batch.values, at);
    at += batch.times.length;
  }
  return out;
}

/** All batches one after another, in columns of their own; `stddev` only if every batch has it. */
export function concatStat(batches: readonly StatColumns[]): StatColumns {
  const n = batches.reduce((sum, batch) => sum + batch.times.length, 0);
  const withStddev = batches.length > 0 && batches.every((batch) => batch.stddev !== undefined);
  const out = allocStat(n, withStddev);
  let at = 0;
  for (const batch of batches) {
    out.times.set(batch.times, at);
    out.min.set(batch.min, at);
    out.mean.set(batch.mean, at);
    out.max.set(batch.max, at);
    out.count.set(batch.count, at);
    if (withStddev) out.stddev!.set(batch.stddev!, at);
    at += batch.times.length;
  }
  return out;
}

/**
 * The values of rows that were merged by time.
 *
 * @param rows Index of each row's point; negative for a row without one.
 * @param values Values of the points, if there are any.
 * @param out Memory for the result.
 * @returns One value a row, NaN where there is no point.
 */
export function gatherRows(
  rows: Int32Array,
  values: Float64Array | undefined,
  out: Float64Array = new Float64Array(rows.length),
): Float64Array {
  if (values === undefined) return out.fill(NaN);
  for (let r = 0; r < rows.length; r++) {
    const i = rows[r]!;
    out[r] = i < 0 ? NaN : values[i]!;
  }
  return out;
}
