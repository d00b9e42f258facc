/**
 * Checks the windows that a database reports against its points.
 *
 * @module
 */

import type { StatColumns, StatPoint } from "../../../mod.ts";
import { statPointAt } from "../../core/columns.ts";
import { ErrorCode } from "../../core/errors.ts";
import { Rewindower } from "../../kernel/mod.ts";
import { extent } from "../ranges.ts";
import type { NamedStream } from "../words/stream_names.ts";

/** About as many windows are compared. */
const WINDOWS = 4_096n;
const MEAN_TOLERANCE = 1e-9;

/**
 * Reads all points of a stream and compares. If it is written meanwhile, its points and windows may be of
 * two states: then those of one version are compared, without the points of the write buffer.
 *
 * @param named The stream.
 * @param signal Ends it.
 * @param onPoints Told about points read.
 * @returns Descriptions of the errors found; none if the stream was removed meanwhile.
 */
export async function verifyStream(
  named: NamedStream,
  signal: AbortSignal,
  onPoints: (points: number) => void,
): Promise<string[]> {
  const { stream } = named;
  try {
    const before = await stream.fullVersion({ signal });
    const problems = await verifyVersion(named, 0n, signal, onPoints);
    if (problems.length === 0) return problems;
    const { major, minor } = await stream.fullVersion({ signal });
    if (major === before.major && minor === before.minor) return problems;
    return await verifyVersion(named, major, signal, () => {});
  } catch (error) {
    if ((error as { code?: unknown }).code === ErrorCode.NoSuchStream) return [];
    throw error;
  }
}

async function verifyVersion(
  { stream, path }: NamedStream,
  version: bigint,
  signal: AbortSignal,
  onPoints: (points: number) => void,
): Promise<string[]> {
  const ends = await extent([stream]);
  if (ends === undefined) return [];
  const pointwidth = ((ends.last - ends.first) / WINDOWS || 1n).toString(2).length;
  const width = 1n << BigInt(pointwidth);
  const start = ends.first - ((ends.first % width) + width) % width;
  const end = ends.last - ((ends.last % width) + width) % width + width;
  const rewindower = new Rewindower({ start, end, width, mode: "sparse" });
  const problems: string[] = [];
  const parts: StatColumns[] = [];
  let last = start;
  for await (const batch of stream.rawValues(start, end, { signal, version })) {
    const bad = firstBad(batch.times, batch.values, last);
    if (bad !== undefined) return [`${path}: ${bad}`];
    if (batch.times.length > 0) last = batch.times[batch.times.length - 1]!;
    parts.push(rewindower.push(batch));
    onPoints(batch.times.length);
  }
  parts.push(rewindower.finish());
  const reported = await stream.alignedWindows(start, end, pointwidth, { signal, version })
    .collect();
  problems.push(...compare(path, flatten(parts), flatten([reported])));
  return problems;
}

function firstBad(times: BigInt64Array, values: Float64Array, last: bigint): string | undefined {
  for (let i = 0; i < times.length; i++) {
    if (times[i]! < last) return `the point at ${times[i]} comes after one at ${last}`;
    if (!Number.isFinite(values[i]!)) return `the value at ${times[i]} is ${values[i]}`;
    last = times[i]!;
  }
  return undefined;
}

function flatten(parts: readonly StatColumns[]): StatPoint[] {
  const windows: StatPoint[] = [];
  for (const part of parts) {
    for (let i = 0; i < part.times.length; i++) {
      if (part.count[i] !== 0n) windows.push(statPointAt(part, i));
    }
  }
  return windows;
}

/** Most problems told of one stream. */
const SHOWN = 5;

function compare(
  path: string,
  points: readonly StatPoint[],
  reported: readonly StatPoint[],
): string[] {
  const problems: string[] = [];
  const known = new Map(reported.map((window) => [window.time, window]));
  for (const window of points) {
    const other = known.get(window.time);
    known.delete(window.time);
    if (other !== undefined && sameWindow(window, other)) continue;
    const told = other === undefined ? "is missing" : `is ${text(other)}`;
    problems.push(`${path}: the window at ${window.time} ${told}, its points give ${text(window)}`);
  }
  for (const window of known.values()) {
    problems.push(`${path}: the window at ${window.time} is ${text(window)}, it has no points`);
  }
  const more = problems.length - SHOWN;
  return more > 0 ? [...problems.slice(0, SHOWN), `${path}: and ${more} more windows`] : problems;
}

function sameWindow(a: StatPoint, b: StatPoint): boolean {
  const scale = Math.max(Math.abs(a.min), Math.abs(a.max));
  return a.count === b.count && a.min === b.min && a.max === b.max &&
    (a.mean === b.mean || Math.abs(a.mean - b.mean) <= MEAN_TOLERANCE * scale);
}

function text({ min, mean, max, count }: StatPoint): string {
  return `min ${min}, mean ${mean}, max ${max}, count ${count}`;
}
