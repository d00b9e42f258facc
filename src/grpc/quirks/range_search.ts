/**
 * Exact answers about any range, made of calls that every server gets right: raw values, and
 * aligned windows of up to 2^60 ns.
 *
 * @module
 */

import { MAX_ALIGNED_POINTWIDTH } from "../../core/pointwidth.ts";
import type { RawColumns, StatColumns } from "../../core/columns.ts";
import type { CallOptions, RangeRequest, Version } from "../../endpoint/endpoint.ts";
import { sameVersion } from "../../endpoint/version.ts";
import { wrongAnswer } from "../errors.ts";
import type { Reader } from "../read/reader.ts";

/** Statistics of a range. */
export interface Stats {
  count: bigint;
  min: number;
  mean: number;
  max: number;
  /** Sum of the squared distances from the mean. */
  m2: number;
}

/** The reads that a search makes. */
export type RangeReader = Pick<Reader, "raw" | "collectAligned">;

/** Points up to which a range is read as raw values. */
const RAW_POINTS = 65_536n;
/** Aligned windows that one step of the search asks for, as a power of two. */
const FAN_OUT_BITS = 6;
/**
 * Windows that a search may find without points. The parts at both ends of a range can be, and a delete
 * meanwhile empties some; where every window lies, each level of the search would have 64 times as
 * many requests as the last.
 */
const MAX_EMPTY = 1024;

/** Statistics of no points. */
function noStats(): Stats {
  return { count: 0n, min: 0, mean: 0, max: 0, m2: 0 };
}

/** Adds a group of points to `stats` (T. Chan et al., "Updating formulae", 1979). */
function addStats(stats: Stats, group: Stats): void {
  if (group.count === 0n) return;
  if (stats.count === 0n) {
    Object.assign(stats, group);
    return;
  }
  const [n, k] = [Number(stats.count), Number(group.count)];
  const delta = group.mean - stats.mean;
  stats.mean = (stats.mean * n + group.mean * k) / (n + k);
  stats.m2 += group.m2 + delta * delta * (n * k / (n + k));
  stats.min = Math.min(stats.min, group.min);
  stats.max = Math.max(stats.max, group.max);
  stats.count += group.count;
}

/** Statistics of raw values. */
function statsOf(values: Float64Array): Stats {
  if (values.length === 0) return noStats();
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  const mean = sum / values.length;
  let m2 = 0;
  for (const value of values) m2 += (value - mean) * (value - mean);
  return { count: BigInt(values.length), min, mean, max, m2 };
}

/** Statistics of window `i`. */
function statsAt(columns: StatColumns, i: number): Stats {
  const count = columns.count[i]!;
  const stddev = columns.stddev?.[i] ?? 0;
  return {
    count,
    min: columns.min[i]!,
    mean: columns.mean[i]!,
    max: columns.max[i]!,
    m2: stddev * stddev * Number(count),
  };
}

/** The pointwidth that cuts a range into some tens of windows. */
function stepOf(start: bigint, end: bigint): number {
  const bits = (end - start).toString(2).length;
  return Math.min(MAX_ALIGNED_POINTWIDTH, Math.max(0, bits - FAN_OUT_BITS));
}

/**
 * Non-empty windows that cover a range, each clipped to it, with the number of points unclipped.
 */
async function pieces(
  reader: RangeReader,
  range: RangeRequest,
  options: CallOptions,
): Promise<{ version: Version; columns: StatColumns; width: bigint }> {
  const pointwidth = stepOf(range.start, range.end);
  const width = 1n << BigInt(pointwidth);
  const start = range.start & -width;
  const end = (range.end + width - 1n) & -width;
  const request = { uuid: range.uuid, start, end, version: range.version, pointwidth };
  return { ...await reader.collectAligned(request, options), width };
}

/**
 * Result of a search, and the version it was found in; if it changed, one that is not the first.
 */
export interface Found<T> {
  version: Version;
  value: T;
}

/**
 * Statistics of the points in a range, exact whatever its ends are.
 *
 * @param range Range to search; not empty.
 */
export async function exactStats(
  reader: RangeReader,
  range: RangeRequest,
  options: CallOptions,
): Promise<Found<Stats>> {
  if (range.end - range.start <= RAW_POINTS) return await rawStats(reader, range, options);
  const total = noStats();
  const { columns, width, ...first } = await pieces(reader, range, options);
  let version = first.version;
  for (let i = 0; i < columns.times.length; i++) {
    const time = columns.times[i]!;
    const inside = time >= range.start && time + width <= range.end;
    if (inside) {
      addStats(total, statsAt(columns, i));
      continue;
    }
    const edge = clip(range, time, width);
    const read = columns.count[i]! <= RAW_POINTS ? rawStats : exactStats;
    const found = await read(reader, edge, options);
    addStats(total, found.value);
    if (!sameVersion(found.version, first.version)) version = found.version;
  }
  return { version, value: total };
}

async function rawStats(
  reader: RangeReader,
  range: RangeRequest,
  options: CallOptions,
): Promise<Found<Stats>> {
  const total = noStats();
  let version: Version = { major: 0n, minor: 0n };
  for await (const part of reader.raw(range, options)) {
    version = part.version;
    addStats(total, statsOf(part.columns.values));
  }
  return { version, value: total };
}

/** The part of `range` that lies in a window. */
function clip(range: RangeRequest, time: bigint, width: bigint): RangeRequest {
  const start = time > range.start ? time : range.start;
  const end = time + width < range.end ? time + width : range.end;
  return { ...range, start, end };
}

/** A point, as found. */
export interface Hit {
  time: bigint;
  value: number;
}

/**
 * The last point of a range.
 *
 * @param range Range to search; not empty.
 * @param empty Windows in which there were no points, of the whole search.
 * @throws {BTrDBError} `DATA_LOSS` if they are more than deletes meanwhile explain.
 */
export async function lastPoint(
  reader: RangeReader,
  range: RangeRequest,
  options: CallOptions,
  empty: { count: number } = { count: 0 },
): Promise<Found<Hit | undefined>> {
  if (range.end - range.start <= RAW_POINTS) return await rawLast(reader, range, options);
  const { version, columns, width } = await pieces(reader, range, options);
  for (let i = columns.times.length - 1; i >= 0; i--) {
    const part = clip(range, columns.times[i]!, width);
    const found = columns.count[i]! <= RAW_POINTS
      ? await rawLast(reader, part, options)
      : await lastPoint(reader, part, options, empty);
    if (found.value !== undefined) return found;
    if (++empty.count > MAX_EMPTY) {
      throw wrongAnswer("its windows have no points", { ...range, rpc: "AlignedWindows" });
    }
  }
  return { version, value: undefined };
}

async function rawLast(
  reader: RangeReader,
  range: RangeRequest,
  options: CallOptions,
): Promise<Found<Hit | undefined>> {
  let version: Version = { major: 0n, minor: 0n };
  let value: Hit | undefined;
  for await (const part of reader.raw(range, options)) {
    version = part.version;
    const { times, values } = part.columns;
    const at = lastIndex(part.columns);
    if (at < 0 || (value !== undefined && times[at]! < value.time)) continue;
    value = { time: times[at]!, value: values[at]! };
  }
  return { version, value };
}

/** Index of the last point by time, of equal ones the last that came; −1 without any. */
function lastIndex({ times }: RawColumns): number {
  let best = times.length - 1;
  for (let i = times.length - 2; i >= 0; i--) if (times[i]! > times[best]!) best = i;
  return best;
}
