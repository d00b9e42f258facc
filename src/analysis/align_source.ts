/**
 * Sources of points that can be aligned.
 *
 * @module
 */

import { Stream } from "../client/stream.ts";
import { StreamSet } from "../client/stream_set.ts";
import { cancellable } from "../core/cancellable.ts";
import type { RawColumns } from "../core/columns.ts";
import { describe } from "../core/describe.ts";
import { MAX_TIME, MIN_TIME } from "../core/range.ts";
import type { RequestOptions } from "../core/request_options.ts";
import type { Fill } from "../kernel/align.ts";
import { checkRaw } from "../kernel/arguments.ts";
import { isSorted } from "../kernel/find_bad_point.ts";

/** The words for it in errors. */
export const ACTION = "align streams";

/** Points to be aligned: a stream, columns in order of time, or batches of them. */
export type AlignSource = Stream | RawColumns | AsyncIterable<RawColumns>;

/** Rows that points are wanted for, and how far from them points may be. */
export interface AlignRange {
  start: bigint;
  end: bigint;
  tolerance: bigint;
  fill: Fill;
  maxGap: bigint;
}

/** Source of points. */
export interface Source {
  open(range: AlignRange, left: () => RequestOptions): AsyncIterator<RawColumns>;
  /** Finds the time of the last point; absent where nobody knows. */
  last?(left: () => RequestOptions): Promise<bigint | undefined>;
}

/**
 * Takes the streams or columns that are to be aligned.
 *
 * @throws {TypeError} If one is neither.
 */
export function sourcesOf(sources: StreamSet | readonly AlignSource[]): Source[] {
  if (sources instanceof StreamSet) {
    return [...sources].map((stream) => streamSource(stream, sources.pins.get(stream.uuid)));
  }
  if (!Array.isArray(sources)) {
    throw new TypeError(
      `Cannot ${ACTION}: sources is ${describe(sources)}, expected a StreamSet or an array`,
    );
  }
  return (sources as readonly AlignSource[]).map((source, s) => {
    if (source instanceof Stream) return streamSource(source, undefined);
    if (typeof source !== "object" || source === null) {
      throw new TypeError(
        `Cannot ${ACTION}: sources[${s}] is ${describe(source)}, expected a Stream or columns`,
      );
    }
    if (Symbol.asyncIterator in source) return { open: () => ordered(source) };
    checkOrder(source, undefined);
    return {
      open: () => oneBatch(source),
      last: () => Promise.resolve(source.times.at(-1)),
    };
  });
}

function streamSource(stream: Stream, version: bigint | undefined): Source {
  return {
    open(range, left) {
      const { signal } = left();
      return cancellable(
        { signal },
        (call) => streamPoints(stream, version, range, () => ({ ...left(), signal: call.signal })),
      );
    },
    last: async (left) => (await stream.latest({ ...left(), version }))?.time,
  };
}

/** The points in the range, and around it those that rows at its ends may need. */
async function* streamPoints(
  stream: Stream,
  version: bigint | undefined,
  { start, end, tolerance, fill, maxGap }: AlignRange,
  left: () => RequestOptions,
): AsyncGenerator<RawColumns, void, undefined> {
  let from = start - tolerance, to = end + tolerance;
  if (fill !== "none") {
    const before = await stream.nearest(start, { ...left(), version, backward: true });
    if (before !== null && start - before.time <= maxGap && before.time < from) from = before.time;
    const after = end < MAX_TIME ? await stream.nearest(end, { ...left(), version }) : null;
    if (after !== null && after.time - end <= maxGap && after.time >= to) to = after.time + 1n;
  }
  if (from < MIN_TIME) from = MIN_TIME;
  if (to > MAX_TIME) to = MAX_TIME;
  yield* stream.rawValues(from, to, { ...left(), version });
}

async function* oneBatch(columns: RawColumns): AsyncGenerator<RawColumns> {
  yield await Promise.resolve(columns);
}

/** Passes batches on and refuses times that go back. */
async function* ordered(source: AsyncIterable<RawColumns>): AsyncGenerator<RawColumns> {
  let before: bigint | undefined;
  for await (const columns of source) {
    checkOrder(columns, before);
    before = columns.times.at(-1) ?? before;
    yield columns;
  }
}

function checkOrder(columns: RawColumns, before: bigint | undefined): void {
  checkRaw(ACTION, columns);
  const first = columns.times[0];
  if (isSorted(columns.times) && !(before !== undefined && first !== undefined && first < before)) {
    return;
  }
  throw new RangeError(`Cannot ${ACTION}: times are not in order, expected them ascending`);
}
