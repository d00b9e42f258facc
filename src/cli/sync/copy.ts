/**
 * Copies one stream from a database to another.
 *
 * Missing points are found by comparing and not remembered. A copy that was interrupted anywhere
 * goes on where it stopped, and one made again takes only what is new.
 *
 * @module
 */

import type { BTrDB, RawColumns, Stream, Version } from "../../../mod.ts";
import { formatTime } from "../../core/time.ts";
import { CliError } from "../errors.ts";
import type { NamedStream } from "../words/stream_names.ts";
import { comparePoints } from "./compare_points.ts";
import type { PointChecksum } from "./point_checksum.ts";
import { checksumOfAll, type DifferentRange, differentRanges } from "./different_ranges.ts";

/** Options of a copy. */
export interface CopyOptions {
  signal: AbortSignal;
  /** True to remove points that the source does not have. */
  overwrite: boolean;
  /** True to read everything back and compare checksums. */
  verify: boolean;
  /** Told about points settled: copied, or there already. */
  onPoints(points: number): void;
}

/** Outcome of copying one stream. */
export interface CopyResult {
  /** Points in the source. */
  points: bigint;
  /** Points that were sent. */
  copied: number;
  /** Points removed, with `overwrite`. */
  removed: number;
  /** Of all points; absent without `verify`. */
  checksum?: string;
}

/** Copies a stream with its metadata; the uuid stays. */
export async function copyStream(
  source: NamedStream,
  db: BTrDB,
  options: CopyOptions,
): Promise<CopyResult> {
  const target = await copyMetadata(source, db);
  const { stream } = source;
  const result: CopyResult = { points: await stream.count(), copied: 0, removed: 0 };
  let version = await stream.fullVersion();
  const settled = await copyPoints(source, target, result, options, false);
  // Only what is committed stays: a 4.15 server drops points as it commits them.
  await target.flush();
  if (!options.verify) {
    await checkAllGiven(source, settled, version);
    return result;
  }
  let sum = await compareAll(stream, target, options.signal);
  if (sum === undefined) {
    await copyPoints(source, target, result, options, true);
    await target.flush();
    version = await stream.fullVersion();
    sum = await compareAll(stream, target, options.signal);
  }
  if (sum === undefined) throw await differenceError(source, target, options.signal);
  await checkAllGiven(source, sum.count, version);
  result.points = BigInt(sum.count);
  result.checksum = String(sum);
  return result;
}

/**
 * Checks that the source has given as many points as its windows say it has, unless it was written to
 * meanwhile: what it keeps to itself is missing from the copy, and no comparison of both shows that.
 *
 * @param given Points that it gave.
 * @param before Its version before it gave them.
 */
async function checkAllGiven(
  { stream, path }: NamedStream,
  given: number,
  before: Version,
): Promise<void> {
  const count = await stream.count();
  if (count === BigInt(given)) return;
  const { major, minor } = await stream.fullVersion();
  if (major !== before.major || minor !== before.minor) return;
  throw new CliError(
    `The copy of ${path} has the ${given} points that its source gives, but by its windows the source ` +
      `has ${count}`,
    { hint: "the source contradicts itself: `btrdb verify` shows where" },
  );
}

/** Points that a leaf of 4 ns holds on a 4.15 server (docs/protocol.md, `duplicates-truncated-1024`). */
const LEAF_POINTS = 1024n;
/** Width of such a leaf, as a power of two. */
const LEAF_POINTWIDTH = 2;

/** The error of a copy that is not the same as its source, with the cause where that can be told. */
async function differenceError(
  { stream, path }: NamedStream,
  target: Stream,
  signal: AbortSignal,
): Promise<CliError> {
  for await (const { start, end } of differentRanges(stream, target, { exact: true, signal })) {
    const width = 1n << BigInt(LEAF_POINTWIDTH);
    const from = start & -width;
    const to = (end + width - 1n) & -width;
    for await (const cells of stream.alignedWindows(from, to, LEAF_POINTWIDTH, { signal })) {
      const i = cells.count.findIndex((count) => count > LEAF_POINTS);
      if (i < 0) continue;
      const stored = (await target.rawValues(cells.times[i]!, cells.times[i]! + width).collect())
        .times.length;
      const lost = cells.count[i]! - BigInt(stored);
      return new CliError(
        `The copy of ${path} is not the same as its source: the destination keeps ${stored} of the ` +
          `${cells.count[i]} points at ${formatTime(cells.times[i]!)}, ${lost} are lost`,
        { hint: "a BTrDB 4.15 server keeps at most 1,024 points within 4 ns" },
      );
    }
  }
  return new CliError(`The copy of ${path} is not the same as its source`, {
    hint: "does another program write to one of them? `btrdb diff` shows where they differ",
  });
}

/** Makes the stream if it is not there, and brings its annotations to the state of the source. */
async function copyMetadata(
  { stream, uuid, collection, path }: NamedStream,
  db: BTrDB,
): Promise<Stream> {
  const tags = await stream.tags();
  const [annotations] = await stream.annotations();
  const target = db.streamFromUUID(uuid);
  if (!await target.exists()) return await db.create(uuid, collection, { tags, annotations });
  await target.refreshMeta();
  const same = await target.collection() === collection &&
    sameEntries(await target.tags(), tags);
  if (!same) {
    throw new CliError(
      `Cannot copy ${path}: the stream ${uuid} has another collection or other tags there`,
      {
        hint: "`btrdb diff` shows them, `btrdb tag` changes them",
      },
    );
  }
  const [theirs, expected] = await target.annotations();
  if (!sameEntries(theirs, annotations)) {
    const changes: Record<string, string | null> = { ...annotations };
    for (const key of Object.keys(theirs)) if (!(key in annotations)) changes[key] = null;
    await target.setAnnotations(changes, { expected });
  }
  return target;
}

/** Tells whether two sets of tags or annotations are equal. */
export function sameEntries(
  a: Readonly<Record<string, string | null>>,
  b: Readonly<Record<string, string | null>>,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

/** Copies what is missing; returns the points that the source has given, or both had already. */
async function copyPoints(
  source: NamedStream,
  target: Stream,
  result: CopyResult,
  options: CopyOptions,
  exact: boolean,
): Promise<number> {
  const { signal } = options;
  let settled = 0;
  const onPoints = (points: number): void => {
    settled += points;
    options.onPoints(points);
  };
  const onSettled = (points: bigint): void => exact ? undefined : onPoints(Number(points));
  const copying = { ...options, onPoints };
  for await (const range of differentRanges(source.stream, target, { exact, signal, onSettled })) {
    if (range.countB === 0n) await copyRange(source.stream, target, range, result, copying);
    else await repairRange(source, target, range, result, copying);
  }
  return settled;
}

/** All points of a range in which the target has none. */
async function copyRange(
  source: Stream,
  target: Stream,
  { start, end }: DifferentRange,
  result: CopyResult,
  { signal, onPoints }: CopyOptions,
): Promise<void> {
  let last = 0;
  // An interrupt ends the reading, and then waits for what is under way, so that the summary is true.
  await target.insert(grouped(source.rawValues(start, end, { signal })), {
    onProgress: ({ stored }) => {
      onPoints(stored - last);
      result.copied += stored - last;
      last = stored;
    },
  });
}

/** Points of one insert: large requests are cheaper, and memory stays small. */
const GROUP_POINTS = 131_072;

/** Small batches put together. */
async function* grouped(
  batches: AsyncIterable<RawColumns>,
): AsyncGenerator<RawColumns, void, void> {
  let times = new BigInt64Array(GROUP_POINTS);
  let values = new Float64Array(GROUP_POINTS);
  let n = 0;
  for await (const batch of batches) {
    for (let at = 0; at < batch.times.length;) {
      const take = Math.min(batch.times.length - at, GROUP_POINTS - n);
      times.set(batch.times.subarray(at, at + take), n);
      values.set(batch.values.subarray(at, at + take), n);
      n += take;
      at += take;
      if (n < GROUP_POINTS) continue;
      yield { times, values };
      times = new BigInt64Array(GROUP_POINTS);
      values = new Float64Array(GROUP_POINTS);
      n = 0;
    }
  }
  if (n > 0) yield { times: times.subarray(0, n), values: values.subarray(0, n) };
}

/** A small range in which both have points: what is missing is added. */
async function repairRange(
  { stream, path }: NamedStream,
  target: Stream,
  { start, end }: DifferentRange,
  result: CopyResult,
  { signal, overwrite, onPoints }: CopyOptions,
): Promise<void> {
  const [a, b] = await Promise.all([
    stream.rawValues(start, end, { signal }).collect(),
    target.rawValues(start, end, { signal }).collect(),
  ]);
  const { onlyA, onlyB } = comparePoints(a, b);
  if (onlyB.times.length > 0) {
    if (!overwrite) {
      throw new CliError(
        `Cannot copy ${path}: the destination has ${onlyB.times.length} points that the source does not have`,
        { hint: "`btrdb diff` shows where; --overwrite removes them" },
      );
    }
    signal.throwIfAborted();
    await target.deleteRange(start, end);
    result.removed += onlyB.times.length;
  }
  const missing = onlyB.times.length > 0 ? a : onlyA;
  if (missing.times.length > 0) await target.insert(missing);
  result.copied += missing.times.length;
  onPoints(a.times.length);
}

/** The checksum of both, if they have the same points. */
async function compareAll(
  a: Stream,
  b: Stream,
  signal: AbortSignal,
): Promise<PointChecksum | undefined> {
  const [sumA, sumB] = await Promise.all([checksumOfAll(a, signal), checksumOfAll(b, signal)]);
  return sumA.count === sumB.count && String(sumA) === String(sumB) ? sumA : undefined;
}
