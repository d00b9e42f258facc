/**
 * Descriptions of streams: name, unit, first and last point, count and typical step.
 *
 * @module
 */

import type { TimeLike } from "../core/time.ts";
import type { NearestPoint, ReadOptions } from "./stream_options.ts";

/** Name, unit and extent of a stream. */
export interface StreamDescription {
  /** The stream's uuid. */
  uuid: string;
  /** Collection the stream is in. */
  collection: string;
  /** Tag `name`; `null` on a stream without one. */
  name: string | null;
  /** Tag `unit`; `null` on a stream without one. */
  unit: string | null;
  /** First point; `null` where there is none. */
  first: NearestPoint | null;
  /** Last point; `null` where there is none. */
  last: NearestPoint | null;
  /** Number of points from the first to the last, exact. */
  count: bigint;
  /**
   * Typical step from point to point, ns: the median of up to {@linkcode SAMPLE} distances at each
   * of three places, the beginning, the middle and the end; `null` if there are not two different
   * times.
   */
  step: bigint | null;
}

/** Points looked at in each of three places, for the typical step. */
const SAMPLE = 256;

/** Stream with the reads that a description needs. */
export interface DescribedStream {
  readonly uuid: string;
  collection(options?: ReadOptions): Promise<string>;
  tags(options?: ReadOptions): Promise<Readonly<Record<string, string | null>>>;
  earliest(options?: ReadOptions): Promise<NearestPoint | null>;
  latest(options?: ReadOptions): Promise<NearestPoint | null>;
  count(options?: ReadOptions & { start?: TimeLike; end?: TimeLike }): Promise<bigint>;
  rawValues(
    start: TimeLike,
    end: TimeLike,
    options?: ReadOptions,
  ): AsyncIterable<{ times: BigInt64Array }>;
}

/**
 * Describes a stream. The extent is read first and the count is that of the extent, so that points
 * that are appended meanwhile change nothing.
 *
 * @param stream The stream.
 * @param left Version, signal and what is left of the timeout.
 */
export async function describeStream(
  stream: DescribedStream,
  left: () => ReadOptions,
): Promise<StreamDescription> {
  const [collection, tags] = [await stream.collection(left()), await stream.tags(left())];
  const first = await stream.earliest(left());
  const last = first === null ? null : await stream.latest(left());
  const { name = null, unit = null } = tags;
  const known = { uuid: stream.uuid, collection, name, unit, first, last };
  if (first === null || last === null) return { ...known, count: 0n, step: null };
  const range = { start: first.time, end: last.time + 1n };
  const count = await stream.count({ ...left(), ...range });
  return { ...known, count, step: await typicalStep(stream, range, left) };
}

async function typicalStep(
  stream: DescribedStream,
  { start, end }: { start: bigint; end: bigint },
  left: () => ReadOptions,
): Promise<bigint | null> {
  const steps = await stepsFrom(stream, start, end, left);
  if (steps.length < SAMPLE) return median(steps);
  steps.push(...await stepsFrom(stream, start + (end - start) / 2n, end, left));
  const near = end - BigInt(SAMPLE + 1) * (median(steps) ?? 1n);
  steps.push(...await stepsFrom(stream, near > start ? near : start, end, left));
  return median(steps);
}

/** Distances of the first points of a range, without those of duplicates. */
async function stepsFrom(
  stream: DescribedStream,
  start: bigint,
  end: bigint,
  left: () => ReadOptions,
): Promise<bigint[]> {
  const steps: bigint[] = [];
  let before: bigint | undefined;
  for await (const { times } of stream.rawValues(start, end, left())) {
    for (const time of times) {
      if (before !== undefined && time > before) steps.push(time - before);
      before = time;
      if (steps.length === SAMPLE) return steps;
    }
  }
  return steps;
}

/** The lower median; `null` of nothing. */
function median(steps: readonly bigint[]): bigint | null {
  const sorted = [...steps].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[(sorted.length - 1) >> 1] ?? null;
}
